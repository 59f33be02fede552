// What a running mesh exposes, to a real Prometheus: nothing that is not listed, nothing unbounded, and all that rules
// and dashboards name.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {after, before, test} from 'node:test';
import {randomBytes} from 'node:crypto';
import {startObserve, stopObserve} from '../../deploy/local/mesh/observe.mjs';
import {load} from '../../deploy/local/node/modules.mjs';
import {connect, freePorts, services, startMesh, waitFor} from '../e2e/harness.mjs';
import {dashboardFiles, metricsOf, promtoolPath, readDashboard, root, rules} from './files.mjs';
import {kindsOf, labelsOf, listed, openMetrics, page, seriesOf} from './pages.mjs';

const grpc = (await load('@grpc/grpc-js')).default;
process.env.PAYMESH_OBSERVE_BIN ??= dirname(promtoolPath());

let mesh;
let merchant;
let addresses;
const urlOf = (service) => mesh.description.services[service].metrics;
const textOf = async (service) => (await page(urlOf(service))).text;
const valueOf = async (service, series) => seriesOf(await textOf(service)).get(series);

before(async () => {
  mesh = await startMesh({
    overrides: {
      settlement: (config) => {
        config.invariant_interval = '1s';
      },
    },
  });
  merchant = await mesh.merchant();
  const [prometheus, alertmanager] = await freePorts(2);
  addresses = await startObserve(mesh.mesh, {ports: {prometheus, alertmanager}, interval: '1s'});
  await warmUp();
});
after(async () => {
  if (!mesh) return;
  await stopObserve(mesh.mesh);
  await mesh.finish();
});

/** Each kind of thing that a payment can meet, once. */
async function warmUp() {
  const [chain] = mesh.chains;
  const paid = await mesh.payable(merchant, chain);
  const half = await mesh.payment(merchant);
  const canceled = await mesh.payment(merchant);
  await mesh.pay(paid, chain, 'testUsd', mesh.option(paid, chain).due.value);
  await mesh.pay(half, chain, 'testUsd', String(BigInt(mesh.option(half, chain).due.value) / 2n));
  await merchant.edge.PaymentService.CancelPayment({
    payment_id: canceled.payment_id,
    request_id: randomBytes(8).toString('hex'),
  });
  await merchant.edge.PaymentService.ListPayments({});
  await mesh.settled(paid);
  await mesh.until(half, 'PARTIALLY_PAID');
}

async function query(path, parameters) {
  const response = await fetch(`${addresses.prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const {status, data, error} = await response.json();
  assert.equal(status, 'success', `${parameters.query}: ${error}`);
  return data;
}

test('promtool finds nothing to say about a page', async () => {
  for (const service of services) {
    const {status, stdout, stderr} = spawnSync(promtoolPath(), ['check', 'metrics'], {
      input: await textOf(service),
      encoding: 'utf8',
    });
    assert.equal(`${stdout}${stderr}`, '', service);
    assert.equal(status, 0, service);
  }
});

test('a scraper gets OpenMetrics when it asks for it, else the text format, and the same series in both', async () => {
  for (const service of services) {
    const text = await page(urlOf(service));
    const open = await page(urlOf(service), openMetrics);
    assert.equal(text.type, 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(open.type, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    assert.ok(open.text.endsWith('\n# EOF\n'), service);
    const names = (body) => new Set(seriesOf(body.replace(/ # \{.*$/gm, '')).keys());
    const missing = [...names(text.text)].filter((name) => !names(open.text).has(name));
    assert.deepEqual(missing, [], service);
    for (const [name, kind] of kindsOf(open.text)) assert.ok(!(kind === 'counter' && name.endsWith('_total')), name);
  }
});

test('each service exposes what is listed, and nothing beside it', async () => {
  for (const service of services) {
    const kinds = kindsOf(await textOf(service));
    for (const {name, kind, services: whose, later} of listed) {
      if (!whose.includes('all') && !whose.includes(service)) continue;
      if (!kinds.has(name)) assert.ok(later, `${service} does not expose ${name}`);
      else assert.equal(kinds.get(name), kind, `${service}: ${name}`);
    }
    for (const name of kinds.keys()) {
      const known = listed.find((each) => each.name === name);
      assert.ok(known, `${service} exposes ${name}, which metrics.txt does not list`);
      assert.ok(known.services.includes('all') || known.services.includes(service), `${service} exposes ${name} too`);
    }
  }
});

test('every method of the contracts is there with every code, on both sides', async () => {
  for (const service of services) {
    const series = [...seriesOf(await textOf(service)).keys()];
    const of = (name) => series.filter((each) => each.startsWith(`${name}{`));
    assert.equal(of('grpc_server_handled_total').length, 17 * of('grpc_server_started_total').length, service);
    assert.equal(of('grpc_server_handling_seconds_count').length, of('grpc_server_started_total').length, service);
    assert.equal(of('grpc_client_handled_total').length, 17 * of('grpc_client_started_total').length, service);
    const protos = join(root, 'protos', 'paymesh', service, 'v1');
    const methods = readdirSync(protos).flatMap((file) =>
      [...readFileSync(join(protos, file), 'utf8').matchAll(/^  rpc (\w+)/gm)].map(([, name]) => name),
    );
    const shown = new Set(of('grpc_server_started_total').map((each) => labelsOf(each).grpc_method));
    assert.deepEqual(
      [...new Set([...methods, 'other'])].filter((method) => !shown.has(method)),
      [],
      service,
    );
  }
});

test('a call of a method that does not exist is counted as other', async () => {
  const {checkout} = mesh.description.services;
  const {certificate, key} = mesh.description.clients.reader;
  const credentials = grpc.credentials.createSsl(
    readFileSync(mesh.description.ca),
    readFileSync(key),
    readFileSync(certificate),
  );
  const client = new grpc.Client(checkout.grpc, credentials, {'grpc.ssl_target_name_override': 'localhost'});
  const series =
    'grpc_server_handled_total{grpc_code="Unimplemented",grpc_method="other",grpc_service="other",grpc_type="other"}';
  const before = await valueOf('checkout', series);
  const asked = ['/paymesh.checkout.v1.PaymentService/DropTables', '/no.such.Service/Method'];
  for (const path of asked) {
    const code = await new Promise((resolve) =>
      client.makeUnaryRequest(
        path,
        (x) => x,
        (x) => x,
        Buffer.alloc(5),
        (error) => resolve(error?.code),
      ),
    );
    assert.equal(code, grpc.status.UNIMPLEMENTED, path);
  }
  client.close();
  assert.equal(await valueOf('checkout', series), before + asked.length);
  assert.doesNotMatch(await textOf('checkout'), /DropTables|no\.such/);
});

test('Prometheus keeps the trace of a sampled call as an exemplar, and of no other', async () => {
  const ids = {sampled: randomBytes(16).toString('hex'), unsampled: randomBytes(16).toString('hex')};
  const start = Date.now() / 1000 - 5;
  for (const [flags, trace] of [
    ['00', ids.unsampled],
    ['01', ids.sampled],
  ]) {
    const client = connect(mesh.description, 'operator', {
      headers: {traceparent: `00-${trace}-00f067aa0ba902b7-${flags}`},
    });
    await client.PaymentService.ListPayments({page_size: 1});
    client.close();
  }
  const found = await waitFor('the exemplar', async () => {
    const data = await query('query_exemplars', {
      query: 'grpc_server_handling_seconds_bucket{service="checkout"}',
      start,
      end: Date.now() / 1000 + 5,
    });
    const all = data.flatMap(({seriesLabels, exemplars}) =>
      exemplars.map((exemplar) => ({...exemplar, method: seriesLabels.grpc_method})),
    );
    return all.some(({labels}) => labels.trace_id === ids.sampled) && all;
  });
  const [exemplar] = found.filter(({labels}) => labels.trace_id === ids.sampled);
  assert.equal(exemplar.method, 'ListPayments');
  assert.ok(Number(exemplar.value) > 0 && Number(exemplar.value) < 10);
  assert.deepEqual(
    found.filter(({labels}) => labels.trace_id === ids.unsampled),
    [],
  );
});

/** The expressions of all rules and panels, as Prometheus can run them. */
const expressions = () => [
  ...rules().map(({alert, record, expr}) => ({of: alert ?? record, expr})),
  ...dashboardFiles().flatMap((file) =>
    readDashboard(file).panels.flatMap((panel) =>
      panel.targets.map(({expr}) => ({
        of: `${file}: ${panel.title}`,
        expr: expr
          .replaceAll('$__rate_interval', '1m')
          .replaceAll('$namespace', '.*')
          .replaceAll('$service', services.includes(file.replace('.json', '')) ? file.replace('.json', '') : '.*'),
      })),
    ),
  ),
];

test('every expression of rules and dashboards can be asked, and names metrics that this mesh exposes', async () => {
  const exposed = new Set([
    'up',
    'ALERTS',
    ...rules()
      .map(({record}) => record)
      .filter(Boolean),
  ]);
  for (const service of services) {
    for (const [name, kind] of kindsOf(await textOf(service))) {
      exposed.add(name);
      if (kind === 'histogram') for (const suffix of ['_bucket', '_sum', '_count']) exposed.add(name + suffix);
    }
  }
  const later = new Set(listed.filter((each) => each.later).map(({name}) => name));
  for (const {of, expr} of expressions()) {
    for (const metric of metricsOf(expr)) assert.ok(exposed.has(metric) || later.has(metric), `${of}: ${metric}`);
    await query('query', {query: expr});
  }
});

test('every selector of rules and dashboards finds series', async () => {
  const later = new Set(listed.filter((each) => each.later).map(({name}) => name));
  // Series that begin with their first event, which a healthy mesh has not seen.
  const rare = [/^ALERTS/, /^slo:/, /outcome!="ok"/, /outcome="failed"/];
  const selectors = new Map();
  for (const {of, expr} of expressions()) {
    for (const [selector, name] of expr.matchAll(/(?<![\w:])([a-z_][\w:]*)\{[^{}]*\}/g))
      if (!later.has(name)) selectors.set(selector, of);
  }
  for (const [selector, of] of selectors) {
    if (rare.some((pattern) => pattern.test(selector))) continue;
    const {result} = await query('query', {query: `count(${selector})`});
    assert.equal(result.length, 1, `${of}: ${selector} finds nothing`);
  }
});

test('head, cursor and lag of each journal can be told', async () => {
  const follower = 'settlement<-checkout.events';
  const head = await valueOf('checkout', 'journal_head_position{journal="events"}');
  assert.ok(head > 0);
  await waitFor(
    'the follower at the head',
    async () => (await valueOf('settlement', `journal_follower_position{follower="${follower}"}`)) >= head,
  );
  assert.equal(await valueOf('settlement', `journal_follower_lag_seconds{follower="${follower}"}`), 0);
  assert.equal(await valueOf('settlement', `journal_follower_connected{follower="${follower}"}`), 1);
  assert.equal(await valueOf('watcher', 'lease_held{lease="chain:eip155:31337"}'), 1);
  assert.equal(await valueOf('settlement', 'lease_held{lease="sender:eip155:31337"}'), 1);
});

test('the books are held against the chains, and agree', async () => {
  const differences = [...seriesOf(await textOf('settlement'))].filter(([name]) =>
    name.startsWith('settlement_reconciliation_difference_minor_units'),
  );
  assert.ok(
    differences.some(([name]) => name.includes('account="vault"') && name.includes('symbol="tUSD"')),
    'a payment was swept',
  );
  assert.deepEqual(
    differences.filter(([, value]) => value !== 0),
    [],
  );
  const proven = await valueOf('settlement', 'settlement_reconciliation_last_success_timestamp_seconds');
  assert.ok(Date.now() / 1000 - proven < 60);
});

test('a thousand payments add no series', async (context) => {
  const read = async () =>
    Object.fromEntries(
      await Promise.all(services.map(async (service) => [service, [...seriesOf(await textOf(service)).keys()]])),
    );
  const [chain] = mesh.chains;
  const start = await read();
  const made = [];
  await Promise.all(
    Array.from({length: 40}, async () => {
      for (let i = 0; i < 25; ++i) made.push(await mesh.payment(merchant));
    }),
  );
  assert.equal(made.length, 1000);
  const paid = made.slice(0, 20);
  for (const payment of paid) await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  await Promise.all(paid.map((payment) => mesh.settled(payment)));
  const end = await read();
  // Names of transactions and methods of nodes are constants of the program; what runs seldom may run here for the first time.
  const constants = (pattern) =>
    new Set(
      spawnSync('grep', ['-rhoE', '--include=*.cc', '--include=*.h', pattern, 'services', 'common'], {
        cwd: root,
        encoding: 'utf8',
      })
        .stdout.split('\n')
        .map((line) => line.split('"')[1]),
    );
  const names = constants('(name = |Guarded\\()"[^"]+"'),
    methods = constants('"eth_[A-Za-z]+"');
  const bounded = (series) =>
    (series.startsWith('db_transaction_seconds') && names.has(labelsOf(series).name)) ||
    (series.startsWith('watcher_rpc_requests_total') && methods.has(labelsOf(series).method));
  for (const service of services) {
    context.diagnostic(`${service}: ${end[service].length} series`);
    const before = new Set(start[service]);
    assert.deepEqual(
      end[service].filter((series) => !before.has(series) && !bounded(series)),
      [],
      service,
    );
  }
});

test('no label is an id, an address or a hash', async () => {
  const told = new Set(['paymesh_chains_config_info', 'paymesh_build_info']); // of the file and of the commit, one each
  const alike = /\b[a-z]{3}_[0-9a-z]{16,}|0x[0-9a-fA-F]{8,}|\b[0-9a-fA-F]{32,}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-/;
  for (const service of services) {
    for (const series of seriesOf(await textOf(service)).keys()) {
      if (told.has(series.split('{')[0])) continue;
      for (const [name, value] of Object.entries(labelsOf(series)))
        assert.doesNotMatch(value, alike, `${service}: ${name} of ${series}`);
    }
  }
});

test('the commit that was built is told', async () => {
  const info = [...seriesOf(await textOf('checkout')).keys()].find((series) => series.startsWith('paymesh_build_info'));
  assert.match(labelsOf(info).revision, /^[0-9a-f]{12}$|^unknown$/);
  assert.ok(labelsOf(info).version && labelsOf(info).compiler);
});
