// kill -9 of each service at random points, by a seed, while fifty payments run on both chains: in the
// end each is succeeded and paid out once, and nothing that was acknowledged is lost.
//   PAYMESH_SEED=7 node --test tests/e2e/crash.test.mjs      repeats a run's kills
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {services, sleep, startMesh, tokenUnit, waitFor} from './harness.mjs';

const kPayments = 50;
const kKillsOfEach = 5;
const seed = Number(process.env.PAYMESH_SEED ?? 20_261);

/** A small generator of numbers in [0, 1) from a seed (a Weyl sequence, mixed). */
function numbers(start) {
  let state = BigInt(start);
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffffn;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffff_ffff_ffff_ffffn;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & 0xffff_ffff_ffff_ffffn;
    return Number((mixed ^ (mixed >> 31n)) >> 11n) / 2 ** 53;
  };
}
const random = numbers(seed);

let mesh;
let merchant;
before(async () => {
  mesh = await startMesh();
  merchant = await mesh.merchant();
});
after(() => mesh?.finish());

const patient = {retries: 60, deadlineMs: 5_000};

/** What the payer takes: chains and tokens by turns, unless, right after a kill, not all is offered. */
function choice(payment, index) {
  const all = mesh.chains.flatMap((chain) =>
    ['testUsd', 'testEur'].map((token) => ({chain, token, unit: tokenUnit(chain, chain.tokens[token])})),
  );
  for (let turn = 0; turn < all.length; turn++) {
    const {chain, token, unit} = all[(index + turn) % all.length];
    const option = payment.options.find(({due}) => due.unit === unit);
    if (option) return {chain, token, due: option.due};
  }
  throw new Error(`${payment.payment_id} can be paid nowhere`);
}

/** Creates and pays one payment; every call is repeated under one request id until it is answered. */
async function pay(index, history) {
  const request = {
    request_id: randomUUID(),
    price: {unit: 'iso4217/EUR', value: String(1000 + index)},
    reference: `crash-${index}`,
  };
  const {payment} = await merchant.edge.PaymentService.CreatePayment(request, patient);
  history.push({request, payment});
  const shown =
    payment.deposit_address !== ''
      ? payment
      : await mesh.until(payment, (p) => p.deposit_address !== '', {timeoutMs: 60_000});
  const {chain, token, due} = choice(shown, index);
  const parts =
    index % 5 === 0 ? [BigInt(due.value) / 2n, BigInt(due.value) - BigInt(due.value) / 2n] : [BigInt(due.value)];
  for (const part of parts) await mesh.pay(shown, chain, token, part);
  return mesh.settled(payment, {timeoutMs: 180_000});
}

async function killAll(kills) {
  const order = services
    .flatMap((service) => Array.from({length: kKillsOfEach}, () => ({service, key: random()})))
    .sort((a, b) => a.key - b.key);
  for (const {service} of order) {
    await sleep(200 + random() * 1500);
    if (mesh.kill(service)) kills[service] = (kills[service] ?? 0) + 1;
    await waitFor(`${service} to be gone`, () => !mesh.mesh.processes.pid(service));
    mesh.mesh.startService(service); // and on, before it is ready
  }
  for (const service of services) await mesh.mesh.waitReady(service);
}

test(`fifty payments survive kill -9 of every service, ${kKillsOfEach} times each (seed ${seed})`, async () => {
  const history = [];
  const kills = {};
  const wallet = (chain, token) => mesh.balance(chain, token, merchant.wallet);
  const [settled] = await Promise.all([
    Promise.all(
      Array.from({length: kPayments}, async (_, index) => {
        await sleep(index * 500);
        return pay(index, history);
      }),
    ),
    killAll(kills),
  ]);
  assert.deepEqual(kills, Object.fromEntries(services.map((service) => [service, kKillsOfEach])));

  assert.ok(settled.every((payment) => payment.state === 'PAYMENT_STATE_SUCCEEDED'));
  const net = new Map();
  for (const payment of settled) {
    net.set(payment.net.unit, (net.get(payment.net.unit) ?? 0n) + BigInt(payment.net.value));
    assert.equal(payment.net.value, String(BigInt(payment.gross.value) - BigInt(payment.fee.value)));
  }
  for (const chain of mesh.chains) {
    for (const token of ['testUsd', 'testEur']) {
      const unit = `caip19/${chain.chain}/erc20:${chain.tokens[token].toLowerCase()}`;
      assert.equal(
        await wallet(chain, token),
        net.get(unit) ?? 0n,
        `what came to the wallet in ${token} on ${chain.name}`,
      );
    }
  }

  // Everything acknowledged is there, once, and answers the same request with the same payment.
  const {payments} = await merchant.edge.PaymentService.ListPayments({page_size: 500});
  assert.equal(payments.length, kPayments);
  assert.deepEqual(new Set(history.map(({payment}) => payment.payment_id)), new Set(payments.map((p) => p.payment_id)));
  for (const {request, payment} of history) {
    const again = await merchant.edge.PaymentService.CreatePayment(request);
    assert.equal(again.payment.payment_id, payment.payment_id);
  }
});
