// CreatePayment on a running mesh beside its limits, interleaved in one run: a bare gRPC echo under
// the same mTLS, and durable single-row inserts into the same PostgreSQL.
//
//   node tests/bench/create_payment.mjs
//
// Fails when a payment is lost, doubled, or answered otherwise the second time; the payments are read
// again after PostgreSQL was stopped as by a crash.
import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {connect} from '../../deploy/local/mesh/clients.mjs';
import {setUpMerchant} from '../../deploy/local/mesh/demo.mjs';
import {waitFor} from '../../deploy/local/mesh/processes.mjs';
import {
  converse,
  cpuLine,
  dial,
  main,
  measure,
  milliseconds,
  progress,
  repetitions,
  report,
  shown,
  spread,
  table,
  withCpu,
  withMesh,
} from './lib.mjs';

const kOutstanding = 128;
const kShareOfCeiling = 0.3; // of the open loop

async function run(mesh) {
  const description = await mesh.start();
  const merchant = await setUpMerchant(description, {schedule: null});
  await optionsOffered(description);
  const ids = mesh.path('ids');
  const conninfo = mesh.postgres.adminConninfo();
  const service = mesh.certificates.paths('checkout');
  const echoServer = converse('bench_echo_server', [
    '--certificate',
    service.certificate,
    '--key',
    service.key,
    '--ca',
    service.ca,
  ]);
  const port = await new Promise((resolve) => echoServer.lines.once('line', resolve));
  const {certificate, key} = description.clients.edge;
  const time = ['--milliseconds', String(milliseconds)];
  const toEcho = [
    'echo',
    '--target',
    `127.0.0.1:${port}`,
    '--certificate',
    certificate,
    '--key',
    key,
    '--ca',
    description.ca,
  ];
  const toCheckout = ['create', ...dial(description, 'edge', 'checkout'), '--api-key', merchant.api_key, '--ids', ids];
  const kinds = {
    echo: (load) => withCpu(mesh, {echo: echoServer.pid}, () => measure('bench_calls', [...toEcho, ...load, ...time])),
    insert: (load, prefix) =>
      withCpu(mesh, {}, () => measure('bench_insert', ['--conninfo', conninfo, '--prefix', prefix, ...load, ...time])),
    create: (load, prefix) =>
      withCpu(mesh, {}, () => measure('bench_calls', [...toCheckout, '--prefix', prefix, ...load, ...time])),
  };
  const closed = ['--outstanding', String(kOutstanding)];
  await kinds.create(closed, 'warm-up');
  const results = {echo: [], insert8: [], insert32: [], create: [], echoOpen: [], insert1: [], createOpen: []};
  for (let i = 0; i < repetitions; i++) {
    progress(`repetition ${i + 1} of ${repetitions}`);
    results.echo.push(await kinds.echo(closed));
    results.create.push(await kinds.create(closed, `c${i}`));
    results.insert8.push(await kinds.insert(['--clients', '8'], `a${i}`));
    results.insert32.push(await kinds.insert(['--clients', '32'], `b${i}`));
    const rate = String(kShareOfCeiling * spread(results.create.map((r) => r.rate)).median);
    results.echoOpen.push(await kinds.echo(['--rate', rate]));
    results.createOpen.push(await kinds.create(['--rate', rate], `o${i}`));
    results.insert1.push(await kinds.insert(['--clients', '1'], `d${i}`));
  }
  await echoServer.stop();
  const records = await verify(mesh, merchant.merchant_id, ids);
  show(results, records);
}

/** Waits until routing has heard of the chains, as it has in a mesh that runs. */
async function optionsOffered(description) {
  const operator = connect(description, 'operator');
  const merchant = await setUpMerchant(description, {schedule: null});
  await waitFor(
    'options to be offered',
    () =>
      operator.PaymentService.CreatePayment({
        request_id: randomUUID(),
        merchant_id: merchant.merchant_id,
        price: {unit: 'iso4217/EUR', value: '1250'},
      }),
    {everyMs: 250},
  );
  operator.close();
}

/** Reads everything again after a crash of the database: each answered payment once, and none besides. */
async function verify(mesh, merchantId, ids) {
  await mesh.stopServices();
  await mesh.postgres.stop('immediate');
  await mesh.postgres.start();
  const answered = readFileSync(ids, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const payments = new Set(answered.map(([, payment]) => payment));
  const requests = new Set(answered.map(([request]) => request));
  const database = {database: 'paymesh_checkout'};
  const stored = new Set(
    mesh.postgres
      .query(`SELECT payment_id FROM payment WHERE merchant_id = '${merchantId}'`, database)
      .map(([id]) => id),
  );
  const lost = [...payments].filter((id) => !stored.has(id));
  const besides = [...stored].filter((id) => !payments.has(id));
  if (requests.size !== answered.length || payments.size !== answered.length || lost.length || besides.length) {
    throw new Error(
      `${answered.length} requests were answered with ${payments.size} payments; ` +
        `${lost.length} of them are lost, ${besides.length} are stored that nobody was told of`,
    );
  }
  return answered.length;
}

function show(results, records) {
  const row = (name, kind) => {
    const of = (field) => shown(results[kind].map((result) => result[field]));
    return [name, of('rate'), of('p50_ms'), of('p99_ms')];
  };
  const ratios = (kind, limit) => shown(results.create.map((result, i) => result.rate / results[limit][i][kind]));
  const best = results.create.map((r, i) => r.rate / Math.max(results.insert8[i].rate, results.insert32[i].rate));
  const floor = results.createOpen.map((r, i) => r.p50_ms / (results.echoOpen[i].p50_ms + results.insert1[i].p50_ms));
  const replayed = [...results.create, ...results.createOpen].reduce((sum, r) => sum + r.replayed, 0);
  report(
    'create_payment',
    [
      table([
        ['', 'per second', 'p50 ms', 'p99 ms'],
        row(`CreatePayment, ${kOutstanding} outstanding`, 'create'),
        row(`limit: gRPC echo, ${kOutstanding} outstanding`, 'echo'),
        row('limit: single insert, 8 clients', 'insert8'),
        row('limit: single insert, 32 clients', 'insert32'),
        row('CreatePayment, open loop at 30 %', 'createOpen'),
        row('echo, open loop at the same rate', 'echoOpen'),
        row('single insert, one client', 'insert1'),
      ]),
      '',
      `CreatePayment to echo: ${ratios('rate', 'echo')}; to the best single insert: ${shown(best)}`,
      `Latency to echo plus one insert, p50: ${shown(floor)}; own p99 to p50: ${shown(results.createOpen.map((r) => r.p99_ms / r.p50_ms))}`,
      `CPU a CreatePayment, microseconds: ${cpuLine(results.create)}`,
      `CPU an echo: ${cpuLine(results.echo)}; an insert (8 clients): ${cpuLine(results.insert8)}`,
      `${records} payments read again after a crash of PostgreSQL, ${replayed} repeated requests got the first answer; 0 lost, 0 doubled`,
    ],
    {results, records},
  );
}

await main(() => withMesh({}, run));
