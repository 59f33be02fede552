// Traces: one from a merchant's call through the services that it needs, and from it by links to all
// that happens to the payment later; received by an OTLP receiver that knows nothing of ours.
import assert from 'node:assert/strict';
import {randomBytes, randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {connect, startMesh, waitFor} from './harness.mjs';
import {startReceiver} from './otlp_receiver.mjs';

let receiver;
let mesh;
let merchant;
before(async () => {
  receiver = await startReceiver();
  // Nothing but the endpoint is said about what to record: the defaults take everything that is not refused.
  mesh = await startMesh({environment: {OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '2000'}});
  merchant = await mesh.merchant();
});
after(async () => {
  await mesh?.finish();
  receiver?.close();
});

/** A caller with a trace of its own: {traceId, spanId, client}. */
function caller(flags) {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  const headers = {traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: 'till=7,other=x'};
  const client = connect(mesh.description, 'edge', {apiKey: merchant.api_key, headers});
  return {traceId, spanId, client};
}
const create = ({client}) =>
  client.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit: 'iso4217/EUR', value: '1250'},
  }).then(({payment}) => payment);

let sampled;
let payment;

test("one trace goes from the merchant's call through routing and the watcher", async () => {
  sampled = caller('01');
  payment = await create(sampled);
  const find = (service, kind, method) =>
    receiver
      .of(sampled.traceId)
      .find((span) => span.service === service && span.kind === kind && span.name.endsWith(method));
  await waitFor(
    'the spans of the call',
    () =>
      find('checkout', 'SERVER', 'CreatePayment') &&
      find('routing', 'SERVER', 'Decide') &&
      find('watcher', 'SERVER', 'WatchAddresses'),
  );
  const root = find('checkout', 'SERVER', 'CreatePayment');
  assert.equal(root.parentSpanId, sampled.spanId);
  assert.equal(root.name, 'paymesh.checkout.v1.PaymentService/CreatePayment');
  assert.equal(root.attributes['rpc.system'], 'grpc');
  assert.equal(root.attributes['rpc.service'], 'paymesh.checkout.v1.PaymentService');
  assert.equal(root.attributes['rpc.method'], 'CreatePayment');
  assert.equal(root.attributes['rpc.grpc.status_code'], 0);
  assert.equal(root.attributes.payment_id, payment.payment_id);
  assert.equal(root.resource['service.namespace'], 'paymesh');
  for (const [service, method] of [
    ['routing', 'Decide'],
    ['watcher', 'WatchAddresses'],
  ]) {
    const asks = find('checkout', 'CLIENT', method);
    const answers = find(service, 'SERVER', method);
    assert.equal(asks.parentSpanId, root.spanId, method);
    assert.equal(answers.parentSpanId, asks.spanId, method);
    assert.equal(answers.state, 'till=7,other=x');
    assert.ok(root.start <= asks.start && asks.start <= asks.end && asks.end <= root.end, method);
  }
  assert.ok(receiver.of(sampled.traceId).every((span) => !span.failed));
});

test('what happens to the payment later is found from its trace by links', async () => {
  const chain = mesh.chains[0];
  await mesh.pay(payment, chain, 'testEur', mesh.option(payment, chain, 'testEur').due.value);
  await mesh.settled(payment);
  const life = [
    ['watcher', 'publish transfer.included'], // seen
    ['checkout', 'process transfer.included'],
    ['watcher', 'publish transfer.safe'], // confirmed
    ['checkout', 'publish payment.succeeded'],
    ['settlement', 'process payment.succeeded'],
    ['routing', 'process payment.succeeded'],
    ['settlement', 'publish payment.posted'], // on the books
    ['checkout', 'process payment.posted'],
    ['settlement', 'publish payment.swept'],
    ['settlement', 'publish payment.paid_out'], // paid out
    ['checkout', 'process payment.paid_out'],
  ];
  const missing = () =>
    life.filter(
      ([service, name]) =>
        !receiver.linkedTo(sampled.traceId).some((span) => span.service === service && span.name === name),
    );
  await waitFor('its whole life', () => missing().length === 0, {timeoutMs: 20_000}).catch((error) => {
    throw new Error(`${error.message}; missing: ${JSON.stringify(missing())}`);
  });
  for (const span of receiver.linkedTo(sampled.traceId)) {
    assert.equal(span.parentSpanId, '', span.name);
    assert.notEqual(span.traceId, sampled.traceId);
    assert.equal(span.kind, span.name.startsWith('publish') ? 'PRODUCER' : 'CONSUMER');
    assert.ok(span.start <= span.end, span.name);
  }
});

test('no address, amount or key is in any span', () => {
  const text = JSON.stringify(receiver.spans).toLowerCase();
  for (const secret of [payment.deposit_address, merchant.api_key, merchant.wallet])
    assert.ok(!text.includes(secret.toLowerCase()), secret);
  const due = mesh.option(payment, mesh.chains[0], 'testEur').due.value;
  const told = receiver.of(sampled.traceId).concat(receiver.linkedTo(sampled.traceId));
  assert.ok(told.length > 10);
  for (const span of told) assert.ok(!Object.values(span.attributes).join(' ').includes(due), span.name);
});

test('a call whose caller does not record it is not recorded, and neither is what it causes', async () => {
  const unsampled = caller('00');
  const other = await create(unsampled);
  const chain = mesh.chains[0];
  await mesh.pay(other, chain, 'testEur', mesh.option(other, chain, 'testEur').due.value);
  await mesh.until(other, 'SUCCEEDED');
  // What comes later has arrived, so that would have too.
  const later = caller('01');
  await create(later);
  await waitFor("a later call's spans", () => receiver.of(later.traceId).length >= 5);
  assert.deepEqual(receiver.of(unsampled.traceId), []);
  assert.deepEqual(receiver.linkedTo(unsampled.traceId), []);
  for (const client of [unsampled.client, later.client]) client.close();
});

test('what was recorded just before SIGTERM is delivered', async () => {
  const last = caller('01');
  await last.client.PaymentService.GetPayment({payment_id: payment.payment_id});
  await mesh.mesh.processes.stop('checkout');
  assert.deepEqual(
    receiver.of(last.traceId).map((span) => span.name),
    ['paymesh.checkout.v1.PaymentService/GetPayment'],
  );
  last.client.close();
  mesh.mesh.startService('checkout');
  await mesh.mesh.waitReady('checkout');
});

test('nothing was lost, and the metrics say so', async () => {
  for (const service of ['routing', 'watcher', 'settlement']) {
    const metrics = await mesh.metrics(service);
    const value = (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(metrics)[1]);
    assert.ok(value('otel_bsp_spans_exported_total') > 0, service);
    assert.equal(value('otel_bsp_spans_dropped_total{reason="queue_full"}'), 0, service);
    assert.equal(value('otel_bsp_spans_dropped_total{reason="export_failed"}'), 0, service);
  }
  sampled.client.close();
});
