// What the services write: one JSON object a line with the agreed fields, no secret anywhere, nothing while nothing
// happens, and never at the cost of a payment.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {randomBytes, randomUUID} from 'node:crypto';
import {closeSync, constants, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {connect, services, sleep, startMesh, waitFor} from '../e2e/harness.mjs';
import {openMetrics, page} from './pages.mjs';

const pageTokenKey = `canary-page-token-key-${randomBytes(12).toString('hex')}`;
let mesh;
let merchant;
const errors = []; // everything that a caller was told by a refusal

const metricsUrl = (service) => mesh.description.services[service].metrics;
const levelUrl = (service) => metricsUrl(service).replace('/metrics', '/log-level');
const setLevel = (service, level) => fetch(levelUrl(service), {method: 'PUT', body: level});
const logOf = (service) => readFileSync(mesh.mesh.processes.logFile(service), 'utf8');
const linesOf = (service) => logOf(service).split('\n').filter(Boolean);
const secret = (name) => readFileSync(mesh.mesh.path('secrets', name), 'utf8').trim();

before(async () => {
  mesh = await startMesh({
    overrides: Object.fromEntries(
      services.map((service) => [
        service,
        (config) => {
          const file = join(mesh?.mesh.folder ?? config.tls.ca.replace(/\/tls\/.*/, ''), 'secrets', 'page-token-key');
          writeFileSync(file, pageTokenKey, {mode: 0o600});
          config.page_token_key_file = file;
          config.environment = 'test';
        },
      ]),
    ),
  });
  merchant = await mesh.merchant();
});
after(() => mesh?.finish());

/** A call that is refused; what it said is kept. */
async function refused(call) {
  const error = await call.then(
    () => null,
    (thrown) => thrown,
  );
  assert.ok(error, 'the call was accepted');
  errors.push(`${error.message} ${JSON.stringify(error.details ?? {})} ${JSON.stringify(error.violations ?? [])}`);
}

test('a call is one JSON object on one line, with the fields that are agreed', async () => {
  const requestId = randomUUID();
  const {payment} = await merchant.edge.PaymentService.CreatePayment({
    request_id: requestId,
    price: {unit: 'iso4217/EUR', value: '1250'},
    description: '"},{"level":"error"',
  });
  const line = await waitFor('the line', () => linesOf('checkout').find((each) => each.includes(requestId)));
  const fields = JSON.parse(line);
  assert.match(fields.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.match(fields.trace_id, /^[0-9a-f]{32}$/);
  assert.ok(fields.duration_ms > 0);
  const {level, msg, service, version, env, rpc, code, request_id: request, payment_id: id} = fields;
  assert.deepEqual(
    {level, msg, service, env, rpc, code, request, id},
    {
      level: 'info',
      msg: 'call',
      service: 'checkout',
      env: 'test',
      rpc: '/paymesh.checkout.v1.PaymentService/CreatePayment',
      code: 'OK',
      request: requestId,
      id: payment.payment_id,
    },
  );
  assert.match(version, /^\d+\.\d+\.\d+/);
  await refused(merchant.edge.PaymentService.GetPayment({payment_id: 'pay_00000000000000000000000000'}));
  const failed = JSON.parse(
    await waitFor('the refusal', () =>
      linesOf('checkout').find((each) => each.includes('pay_00000000000000000000000000')),
    ),
  );
  assert.equal(failed.code, 'NOT_FOUND');
  assert.ok(failed.err);
});

test('every line of every service is a JSON object', async () => {
  for (const service of services) {
    for (const line of linesOf(service)) {
      const fields = JSON.parse(line);
      assert.ok(fields.ts && fields.level && fields.msg && fields.service === service, line);
    }
  }
});

test('the level can be changed while the service runs', async () => {
  const debug = () => linesOf('watcher').filter((line) => line.includes('"level":"debug"')).length;
  assert.equal((await setLevel('watcher', 'loud')).status, 400);
  assert.equal(debug(), 0);
  assert.equal((await setLevel('watcher', 'debug')).status, 200);
  await waitFor('a line of level debug', () => debug() > 0);
  assert.equal((await setLevel('watcher', 'info')).status, 200);
  assert.equal((await (await fetch(levelUrl('watcher'))).text()).trim(), 'info');
});

test('an idle mesh writes nothing', async () => {
  const sizes = () =>
    Object.fromEntries(services.map((service) => [service, statSync(mesh.mesh.processes.logFile(service)).size]));
  await mesh.agree();
  await sleep(2000);
  const start = sizes();
  await sleep(20_000);
  for (const service of services) {
    assert.equal(readFileSync(mesh.mesh.processes.logFile(service)).subarray(start[service]).toString(), '', service);
  }
});

/** Everything that a mesh holds and nobody may read, by what it is. */
async function canaries(typed) {
  const keys = JSON.parse(secret('keys.json'));
  const all = {
    'API key': merchant.api_key,
    'page token key': pageTokenKey,
    'keystore password': secret('operator-keystore-password'),
    'wrong API key': typed.apiKey,
    'private key typed into a field': typed.privateKey,
    "the operator's key": keys.operator.key,
  };
  for (const file of readdirSync(mesh.mesh.path('secrets'))) if (file.startsWith('postgres-')) all[file] = secret(file);
  return Object.fromEntries(Object.entries(all).map(([what, value]) => [what, value.replace(/^0x/, '')]));
}

test('no secret is in logs, command lines, environments, metrics or errors', async () => {
  const typed = {apiKey: `pmk_${randomBytes(24).toString('hex')}`, privateKey: `0x${randomBytes(32).toString('hex')}`};
  for (const service of services) await setLevel(service, 'debug');
  const [chain] = mesh.chains;
  const paid = await mesh.payable(merchant, chain);
  await mesh.pay(paid, chain, 'testUsd', mesh.option(paid, chain).due.value);
  await mesh.settled(paid);
  // Typed into wrong fields, by a merchant and by an operator.
  const price = {unit: 'iso4217/EUR', value: '100'};
  const stranger = connect(mesh.description, 'edge', {apiKey: typed.apiKey});
  await refused(stranger.PaymentService.ListPayments({}));
  stranger.close();
  for (const value of [typed.privateKey, typed.privateKey.slice(2), merchant.api_key]) {
    await refused(merchant.edge.PaymentService.GetPayment({payment_id: value}));
    await refused(merchant.edge.PaymentService.CancelPayment({payment_id: value, request_id: value}));
    await refused(merchant.edge.PaymentService.CreatePayment({request_id: value, price: {unit: value, value: '100'}}));
    await refused(merchant.edge.PaymentService.CreatePayment({request_id: randomUUID(), price: {...price, value}}));
    await refused(merchant.edge.PaymentService.ListPayments({page_token: value}));
    await refused(mesh.operator.PayoutService.GetPayout({payout_id: value}));
    await refused(
      mesh.operator.PayoutService.CreatePayoutDestination({
        request_id: value,
        merchant_id: merchant.merchant_id,
        unit: 'iso4217/EUR',
        address: value,
        display_name: 'x',
      }),
    );
    await refused(mesh.operator.LedgerService.GetJournal({journal_id: value}));
    await refused(mesh.operator.ChainService.GetChain({chain: value}));
    await refused(mesh.operator.TransferService.ListTransfers({chain: value}));
  }
  // Every connection to the databases breaks once, so that reconnecting is written about too.
  mesh.mesh.postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'paymesh_%'");
  await waitFor('the mesh to answer again', () => mesh.payment(merchant));
  for (const service of services) await setLevel(service, 'info');

  const written = {errors: errors.join('\n')};
  for (const file of readdirSync(mesh.mesh.processes.logFolder)) {
    if (/^(checkout|routing|watcher|settlement)/.test(file))
      written[file] = readFileSync(join(mesh.mesh.processes.logFolder, file), 'utf8');
  }
  for (const service of services) {
    const pid = mesh.mesh.processes.pid(service);
    for (const what of ['cmdline', 'environ'])
      written[`${what} of ${service}`] = readFileSync(`/proc/${pid}/${what}`, 'utf8');
    written[`metrics of ${service}`] =
      (await page(metricsUrl(service))).text + (await page(metricsUrl(service), openMetrics)).text;
  }
  const secrets = await canaries(typed);
  assert.ok(Object.keys(secrets).length >= 10, Object.keys(secrets).join(', '));
  assert.ok(written['checkout.log'].includes('[redacted]'), 'what was typed was written about');
  for (const [what, value] of Object.entries(secrets)) {
    assert.ok(value.length >= 16, `${what} is too short to be looked for`);
    for (const [where, text] of Object.entries(written)) {
      const at = text.indexOf(value);
      assert.ok(at < 0, `${what} is in ${where}: ${text.slice(Math.max(0, at - 120), at)}…`);
    }
  }
});

test('a standard output that nobody reads stops no payment', async () => {
  const fifo = mesh.mesh.path('stuck');
  execFileSync('mkfifo', [fifo]);
  const full = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK); // held open, never read
  const stuck = openSync(fifo, constants.O_WRONLY);
  assert.throws(() => {
    for (;;) writeSync(full, Buffer.alloc(4096));
  }, /EAGAIN/);
  await mesh.mesh.processes.stop('checkout');
  const child = spawn(mesh.mesh.program('checkout'), ['--config', mesh.mesh.path('config', 'checkout.yaml')], {
    stdio: ['ignore', stuck, stuck],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await waitFor('checkout with a full pipe to serve', () => mesh.payment(merchant));
    await setLevel('checkout', 'debug');
    const lost = async () =>
      Number(/^paymesh_log_lines_dropped_total (\d+)/m.exec((await page(metricsUrl('checkout'))).text)[1]);
    let slowest = 0;
    const timed = async (work) => {
      const start = Date.now();
      const result = await work();
      slowest = Math.max(slowest, Date.now() - start);
      return result;
    };
    for (let round = 0; round < 40 && (await lost()) === 0; ++round) {
      await Promise.all(Array.from({length: 50}, () => timed(() => mesh.payment(merchant))));
      await Promise.all(
        Array.from({length: 500}, () => timed(() => merchant.edge.PaymentService.ListPayments({page_size: 1}))),
      );
    }
    assert.ok((await lost()) > 0, 'lines are lost and counted rather than waited for');
    const [chain] = mesh.chains;
    const payment = await mesh.payment(merchant);
    await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
    await mesh.until(payment, 'SUCCEEDED');
    assert.ok(slowest < 5000, `${slowest} ms`);
    const stopping = Date.now();
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.ok(Date.now() - stopping < 15_000, 'it does not wait for its reader to end either');
  } finally {
    child.kill('SIGKILL');
    await ended;
    closeSync(full);
    closeSync(stuck);
    mesh.mesh.startService('checkout');
    await mesh.mesh.waitReady('checkout');
  }
});
