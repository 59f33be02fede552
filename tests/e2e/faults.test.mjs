// Faults around the services: PostgreSQL restarted under load, a node that hangs, services asked to
// end while callers keep calling.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {rpc, services, sleep, startMesh, waitFor} from './harness.mjs';

let mesh;
let merchant;
// A second of grace, so that a payer's time can run out while a node hangs.
const expiry = {payments: {grace: '1s', defer_after: '1s'}};
before(async () => {
  mesh = await startMesh({overrides: {checkout: (config) => Object.assign(config, expiry)}});
  merchant = await mesh.merchant();
});
after(() => mesh?.finish());

const state = (payment) => payment.state.replace('PAYMENT_STATE_', '');

/** Creates payments without end, several at once, each retried under its request id. */
function load({lanes = 4, options = {retries: 60, deadlineMs: 5_000}} = {}) {
  const made = [];
  const failed = [];
  let going = true;
  let last = Date.now();
  const lane = async () => {
    while (going) {
      const request = {request_id: randomUUID(), price: {unit: 'iso4217/EUR', value: '250'}, reference: 'load'};
      try {
        made.push({request, payment: (await merchant.edge.PaymentService.CreatePayment(request, options)).payment});
        last = Date.now();
      } catch (error) {
        failed.push(error);
      }
      await sleep(20);
    }
  };
  const running = Promise.all(Array.from({length: lanes}, lane));
  return {
    made,
    failed,
    sinceLast: () => Date.now() - last,
    stop() {
      going = false;
      return running;
    },
  };
}

/** Nothing acknowledged is lost, and no request made two. */
async function nothingLost(made) {
  const sample = made.filter((_, index) => index % Math.ceil(made.length / 100) === 0);
  for (const {request, payment} of sample) {
    const again = await merchant.edge.PaymentService.CreatePayment(request);
    assert.equal(again.payment.payment_id, payment.payment_id);
  }
  const ids = new Set(made.map(({payment}) => payment.payment_id));
  assert.equal(ids.size, made.length);
  const there = new Set(
    mesh.mesh.postgres.query('SELECT payment_id FROM payment', {database: 'paymesh_checkout'}).map((row) => row[0]),
  );
  assert.deepEqual(
    [...ids].filter((id) => !there.has(id)),
    [],
  );
}

async function paySome(count) {
  const payments = [];
  for (let i = 0; i < count; i++) {
    const chain = mesh.chains[i % 2];
    const payment = await mesh.payable(merchant, chain, {cents: 500 + i});
    await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
    payments.push(payment);
  }
  return payments;
}

for (const mode of ['fast', 'immediate']) {
  test(`PostgreSQL restarted (${mode}) under load loses nothing, doubles nothing and is back within 15 seconds`, async () => {
    const paid = await paySome(6);
    const calls = load();
    await waitFor('some calls', () => calls.made.length >= 20);
    await mesh.mesh.postgres.stop(mode);
    await sleep(500);
    await mesh.mesh.postgres.start();
    const up = Date.now();
    const before = calls.made.length;
    await waitFor('a call to be answered again', () => calls.made.length > before, {timeoutMs: 15_000});
    const recovered = Date.now() - up;
    for (const service of services) await mesh.mesh.waitReady(service, Math.max(1, 15_000 - (Date.now() - up)));
    await sleep(2000);
    await calls.stop();
    assert.deepEqual(calls.failed.map(String), []);
    assert.ok(recovered < 15_000);
    for (const payment of paid) assert.equal(state(await mesh.settled(payment)), 'SUCCEEDED');
    await nothingLost(calls.made);
    // The services lived through it.
    for (const service of services) assert.ok(mesh.mesh.processes.pid(service), service);
  });
}

test('a node that hangs for 30 seconds expires nothing, and its chain is caught up with', async () => {
  const [chain, other] = mesh.chains;
  const payment = await mesh.payable(merchant, chain, {time_to_live: {seconds: 60}});
  await mesh.payMined(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const unpaid = await mesh.payment(merchant, {time_to_live: {seconds: 60}});
  const pid = mesh.mesh.processes.pid(`chain-${chain.name}`);
  process.kill(pid, 'SIGSTOP');
  try {
    await waitFor(
      'the chain to be reported unreachable',
      async () => {
        const {chain: seen} = await mesh.operator.ChainService.GetChain({chain: chain.chain});
        return seen.state === 'CHAIN_STATE_UNREACHABLE' && seen.status_reason !== '';
      },
      {timeoutMs: 25_000},
    );
    // On the other chain the payer's time is over; here money may still be on its way.
    await rpc(other, 'evm_increaseTime', [200]);
    const deadline = Number(unpaid.expire_time.seconds) + 1;
    await waitFor('the other chain to be read beyond the deadline', async () => {
      const {chain: seen} = await mesh.operator.ChainService.GetChain({chain: other.chain});
      return Number(seen.head_block.time.seconds) > deadline;
    });
    // The other chain does not wait for it.
    const elsewhere = await mesh.payment(merchant, {cents: 700});
    await mesh.pay(elsewhere, other, 'testUsd', mesh.option(elsewhere, other).due.value);
    const start = Date.now();
    assert.equal(state(await mesh.settled(elsewhere, {timeoutMs: 25_000})), 'SUCCEEDED');
    await sleep(Math.max(0, 30_000 - (Date.now() - start)));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  assert.notEqual(state(await mesh.get(payment)), 'EXPIRED');
  assert.equal(state(await mesh.get(unpaid)), 'AWAITING_PAYMENT');
  await mesh.caughtUp(chain);
  assert.equal(state(await mesh.settled(payment)), 'SUCCEEDED');
  await waitFor(
    'the chain to be followed',
    async () =>
      (await mesh.operator.ChainService.GetChain({chain: chain.chain})).chain.state === 'CHAIN_STATE_FOLLOWING',
  );
  // Once this chain too is read beyond the deadline, nothing can be on its way any more.
  await rpc(chain, 'evm_increaseTime', [200]);
  assert.equal(state(await mesh.until(unpaid, 'EXPIRED', {timeoutMs: 60_000})), 'EXPIRED');
});

for (const service of services) {
  test(`SIGTERM of ${service} under load fails no call of a caller who retries, and ends with 0`, async () => {
    const paid = await paySome(2);
    const calls = load({lanes: 3});
    await waitFor('some calls', () => calls.made.length >= 10);
    const stream = mesh.operator.stream('CheckoutEvents', 'StreamEvents', {});
    let streamed = 0;
    let ended = null;
    const reading = (async () => {
      try {
        for await (const _ of stream) streamed++;
        ended = 'OK';
      } catch (error) {
        ended = error.code;
      }
    })();
    await waitFor('events', () => streamed > 0);
    const start = Date.now();
    mesh.mesh.processes.signal(service, 'SIGTERM');
    await sleep(100);
    mesh.mesh.processes.signal(service, 'SIGTERM'); // a second one changes nothing
    const exit = await waitFor(`${service} to end`, () => mesh.mesh.processes.exits.get(service), {timeoutMs: 30_000});
    assert.deepEqual(exit, {code: 0, signal: null}, mesh.mesh.processes.tail(service, 5));
    assert.ok(Date.now() - start < 25_000, 'within its grace');
    await mesh.restart(service);
    await sleep(1000);
    await calls.stop();
    // Its stream was ended, with a status after which a reader connects again and goes on: UNAVAILABLE,
    // or CANCELLED when an entry was just being written.
    if (service === 'checkout') assert.ok([14, 1, 'OK'].includes(ended), `the stream ended with ${ended}`);
    stream.cancel();
    await reading;
    assert.deepEqual(calls.failed.map(String), []);
    for (const payment of paid) assert.equal(state(await mesh.settled(payment)), 'SUCCEEDED');
    await nothingLost(calls.made);
  });
}
