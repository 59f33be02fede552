// Two processes of each service over the same databases: callers may use either, work that only one may
// do is done by one, and when one of each pair is killed the other finishes everything.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {connect, freePorts, services, startMesh, watchPayment} from './harness.mjs';

const kPayments = 12;
const second = {}; // service -> ports of its second process
let mesh;
let merchant;
let other; // {edge, operator}: clients of the second processes alone

before(async () => {
  const ports = await freePorts(3 * services.length);
  for (const service of services) second[service] = {grpc: ports.pop(), health: ports.pop(), metrics: ports.pop()};
  const bothOfEachPeer = (config) => {
    for (const [peer, target] of Object.entries(config.peers)) {
      config.peers[peer] = `ipv4:${target},127.0.0.1:${second[peer].grpc}`;
    }
  };
  mesh = await startMesh({overrides: Object.fromEntries(services.map((service) => [service, bothOfEachPeer]))});
  for (const service of services) await mesh.mesh.startReplica(service, second[service]);
  merchant = await mesh.merchant();
  const addresses = Object.fromEntries(services.map((service) => [service, `127.0.0.1:${second[service].grpc}`]));
  const options = {addresses, retries: 20, record: mesh.record};
  other = {
    edge: connect(mesh.description, 'edge', {...options, apiKey: merchant.api_key}),
    operator: connect(mesh.description, 'operator', options),
  };
});
after(async () => {
  other?.edge.close();
  other?.operator.close();
  await mesh?.finish();
});

const priced = (index, requestId = randomUUID()) => ({
  request_id: requestId,
  price: {unit: 'iso4217/EUR', value: String(700 + index)},
  reference: `replica-${index}`,
});

test('a request that reaches both processes at once makes one payment', async () => {
  for (let index = 0; index < 10; index++) {
    const request = priced(100 + index);
    const [first, again] = await Promise.all(
      [merchant.edge, other.edge].map((edge) => edge.PaymentService.CreatePayment(request)),
    );
    assert.equal(first.payment.payment_id, again.payment.payment_id);
  }
});

test('what one process has stored the other one shows and follows', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payable(merchant, chain);
  const shown = (await other.edge.PaymentService.GetPayment({payment_id: payment.payment_id})).payment;
  assert.equal(shown.deposit_address, payment.deposit_address);
  await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const paid = await watchPayment(other.edge, payment.payment_id, (p) =>
    p.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'),
  );
  assert.equal(paid.state, 'PAYMENT_STATE_SUCCEEDED');
  assert.equal(paid.transfers.length, 1);
});

test('when the first process of every service is killed the second ones finish all payments', async () => {
  const edges = [merchant.edge, other.edge];
  const payments = await Promise.all(
    Array.from({length: kPayments}, async (_, index) => {
      const {payment} = await edges[index % 2].PaymentService.CreatePayment(priced(index));
      const chain = mesh.chains[index % mesh.chains.length];
      await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
      return payment;
    }),
  );
  for (const service of services) mesh.kill(service);
  for (const payment of payments) {
    const done = await watchPayment(other.operator, payment.payment_id, (p) =>
      p.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'),
    );
    assert.equal(done.state, 'PAYMENT_STATE_SUCCEEDED');
    assert.equal(done.transfers.length, 1);
  }
  const {payment} = await other.edge.PaymentService.CreatePayment(priced(kPayments));
  assert.notEqual(payment.deposit_address, '');
});
