// A real Prometheus and Alertmanager over stand-ins for the services: the rules load, fire, and inhibit one another.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, before, test} from 'node:test';
import {
  activeAlerts,
  alertmanagerFile,
  inhibitionsPath,
  startObserve,
  stopObserve,
} from '../../deploy/local/mesh/observe.mjs';
import {Processes, waitFor} from '../../deploy/local/mesh/processes.mjs';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {freePorts} from '../e2e/harness.mjs';
import {YAML, promtoolPath, rules} from './files.mjs';

process.env.PAYMESH_OBSERVE_BIN ??= dirname(promtoolPath());
const folder = mkdtempSync(join(tmpdir(), 'paymesh-observe-'));
const mesh = {processes: new Processes(folder), path: (...parts) => join(folder, ...parts), ports: {metrics: {}}};
const now = () => Math.floor(Date.now() / 1000);
const pages = Object.fromEntries(
  services.map((service) => [service, () => `paymesh_ready 1\ngrpc_server_started_total 1\n`]),
);
const chain = 'chain="eip155:31337"';
let unreachable = 0,
  headAt = null,
  unbalanced = 0;
pages.watcher = () =>
  `paymesh_ready 1\nwatcher_leader{${chain}} 1\nwatcher_chain_unreachable{${chain}} ${unreachable}\n` +
  `watcher_head_block_timestamp_seconds{${chain}} ${headAt ?? now()}\n`;
pages.settlement = () =>
  `paymesh_ready 1\nsettlement_sender_leader{${chain}} 1\ninvariant_violations{id="I1"} ${unbalanced}\n`;
const servers = [];
let addresses;

before(async () => {
  for (const service of services) {
    const server = createServer((_, response) => response.end(pages[service]()));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    mesh.ports.metrics[service] = server.address().port;
    servers.push(server);
  }
  const [prometheus, alertmanager] = await freePorts(2);
  addresses = await startObserve(mesh, {factor: 60, ports: {prometheus, alertmanager}});
});
after(async () => {
  await stopObserve(mesh);
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
  rmSync(folder, {recursive: true, force: true});
});

const see = (...expected) =>
  waitFor(
    `the alerts ${expected.join(', ')}`,
    async () => {
      const active = await activeAlerts(addresses);
      if (JSON.stringify(active) !== JSON.stringify([...expected].sort()))
        throw new Error(`there are: ${active.join(', ')}`);
      return true;
    },
    {timeoutMs: 40_000, everyMs: 500},
  );

test('Prometheus has loaded every rule and scrapes every service', async () => {
  const targets = await waitFor('the targets', async () => {
    const {data} = await (await fetch(`${addresses.prometheus}/api/v1/targets`)).json();
    return (
      data.activeTargets.length === 4 && data.activeTargets.every(({health}) => health === 'up') && data.activeTargets
    );
  });
  assert.deepEqual(targets.map(({labels}) => labels.service).sort(), [...services].sort());
  const {data} = await (await fetch(`${addresses.prometheus}/api/v1/rules`)).json();
  const loaded = data.groups.flatMap((group) => group.rules);
  assert.equal(loaded.length, rules().length);
  assert.deepEqual(
    loaded.filter(({lastError}) => lastError),
    [],
  );
});

test('a healthy mesh has no alerts', async () => {
  await see();
});

test('a planted imbalance fires once, by its cause', async () => {
  unbalanced = 1;
  await see('LedgerUnbalanced');
  await waitFor(
    'the inhibited alert',
    async () => {
      const all = await (await fetch(`${addresses.alertmanager}/api/v2/alerts?inhibited=true&active=false`)).json();
      return all.some(({labels}) => labels.alertname === 'PaymeshInvariantViolated');
    },
    {timeoutMs: 20_000},
  );
  unbalanced = 0;
});

test('a chain without a node fires for that and not for all that follows', async () => {
  await see();
  unreachable = 1;
  headAt = now();
  await waitFor(
    'the stale head in Prometheus',
    async () => {
      const {data} = await (await fetch(`${addresses.prometheus}/api/v1/alerts`)).json();
      return data.alerts.some(({labels, state}) => labels.alertname === 'WatcherHeadStale' && state === 'firing');
    },
    {timeoutMs: 30_000},
  );
  await see('WatcherChainUnreachable');
});

test('inhibitions name alerts that there are', () => {
  const names = new Set(rules().map(({alert}) => alert));
  const {inhibit_rules: inhibitions} = YAML.parse(readFileSync(inhibitionsPath, 'utf8'));
  assert.ok(inhibitions.length > 0);
  for (const {source_matchers: source, target_matchers: target} of inhibitions) {
    for (const [, list] of [...source, ...target].join().matchAll(/alertname=~?"([^"]+)"/g)) {
      for (const name of list.split('|')) if (!name.includes('.+')) assert.ok(names.has(name), name);
    }
  }
});

test("amtool accepts Alertmanager's configuration", (context) => {
  const amtool = join(process.env.PAYMESH_OBSERVE_BIN, 'amtool');
  if (!existsSync(amtool)) return context.skip('amtool is not there');
  const path = join(folder, 'check.yaml');
  writeFileSync(path, alertmanagerFile({webhook: 'http://127.0.0.1:1/hook'}));
  const {status, stdout, stderr} = spawnSync(amtool, ['check-config', path], {encoding: 'utf8'});
  assert.equal(status, 0, `${stdout}${stderr}`);
});
