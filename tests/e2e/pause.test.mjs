// Pauses by an operator: of a token, a chain, a merchant. Deposits go on being taken, money that is
// final waits, what is reserved says why it does not go, and everything goes on when the pause ends. And
// the rest of a payout's life as people see it: refused by the second person, read, planned.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {startMesh, tokenUnit, waitFor} from './harness.mjs';

let mesh;
let chain;
let other; // chain
let merchant; // paid out by plan
let manual; // paid out when asked for
let unit; // testUsd on `chain`
let destination; // of the manual merchant, for it
before(async () => {
  mesh = await startMesh();
  [chain, other] = mesh.chains;
  unit = tokenUnit(chain, chain.tokens.testUsd);
  merchant = await mesh.merchant();
  manual = await mesh.merchant({name: 'Manual', schedule: 'PAYOUT_SCHEDULE_MANUAL'});
  const {destinations} = await mesh.operator.PayoutService.ListPayoutDestinations({merchant_id: manual.merchant_id});
  destination = destinations.find((each) => each.unit === unit);
});
after(() => mesh?.finish());

const pause = (scope) =>
  mesh.operator.PauseService.PausePayouts({request_id: randomUUID(), scope, reason: 'a question'});
const resume = (scope) =>
  mesh.operator.PauseService.ResumePayouts({request_id: randomUUID(), scope, reason: 'answered'});
const get = async (payout) => (await mesh.operator.PayoutService.GetPayout({payout_id: payout.payout_id})).payout;
const until = (payout, state) =>
  waitFor(
    `the payout to be ${state}`,
    async () => {
      const now = await get(payout);
      return now.state === `PAYOUT_STATE_${state}` && now;
    },
    {timeoutMs: 90_000, everyMs: 300},
  );

/** A payment paid in full, its money final and in the vault. */
async function paid(to, on, token = 'testUsd') {
  const payment = await mesh.payable(to, on);
  await mesh.pay(payment, on, token, mesh.option(payment, on, token).due.value);
  return payment;
}
const inVault = (payment) =>
  mesh.until(payment, (p) => ['available', 'swept'].every((kind) => p.timeline.some((entry) => entry.kind === kind)));

async function ask(value) {
  const {payout} = await mesh.operator.PayoutService.CreatePayout({
    request_id: randomUUID(),
    merchant_id: manual.merchant_id,
    destination_id: destination.destination_id,
    amount: {unit, value: String(value)},
  });
  assert.equal(payout.state, 'PAYOUT_STATE_AWAITING_APPROVAL');
  return payout;
}
const approve = async (payout) =>
  (await mesh.approver.PayoutService.ApprovePayout({request_id: randomUUID(), payout_id: payout.payout_id})).payout;

test('while a token is paused its payments are taken and its plan pays nothing; afterwards it pays', async () => {
  await pause({unit});
  const before = await mesh.balance(chain, 'testUsd', merchant.wallet);
  const waiting = await paid(merchant, chain);
  const available = await inVault(waiting);
  assert.equal(available.state, 'PAYMENT_STATE_SUCCEEDED');
  await mesh.settled(await paid(merchant, chain, 'testEur')); // the same way at the same time, in another token
  assert.equal(await mesh.balance(chain, 'testUsd', merchant.wallet), before);
  const {payouts} = await mesh.operator.PayoutService.ListPayouts({payment_id: waiting.payment_id});
  assert.deepEqual(payouts, []);
  await resume({unit});
  const settled = await mesh.settled(waiting);
  assert.equal((await mesh.balance(chain, 'testUsd', merchant.wallet)) - before, BigInt(settled.net.value));
});

for (const [what, scope, elsewhere] of [
  ['a token', () => ({unit}), () => paid(merchant, chain, 'testEur')],
  ['a chain', () => ({chain: chain.chain}), () => paid(merchant, other)],
  ['a merchant', () => ({merchant_id: manual.merchant_id}), () => paid(merchant, chain)],
]) {
  test(`a payout that is reserved while ${what} is paused says so, stays, and is paid afterwards`, async () => {
    const before = await mesh.balance(chain, 'testUsd', manual.wallet);
    await inVault(await paid(manual, chain));
    const asked = await ask(1_000_000);
    await pause(scope());
    const reserved = await approve(asked);
    assert.equal(reserved.state, 'PAYOUT_STATE_RESERVED');
    assert.match(reserved.status_reason, /^payouts are paused for .*: a question$/);
    await mesh.settled(await elsewhere()); // the sender had its turns
    const still = await get(asked);
    assert.equal(still.state, 'PAYOUT_STATE_RESERVED');
    assert.equal(still.status_reason, reserved.status_reason);
    assert.deepEqual(still.transactions, []);
    assert.equal(await mesh.balance(chain, 'testUsd', manual.wallet), before);
    await resume(scope());
    const done = await until(asked, 'FINALIZED');
    assert.equal(done.status_reason, '');
    assert.equal((await mesh.balance(chain, 'testUsd', manual.wallet)) - before, 1_000_000n);
  });
}

test('a payout that the second person refuses takes nothing and stays refused', async () => {
  await inVault(await paid(manual, chain));
  const account = async () =>
    (await mesh.operator.LedgerService.ListAccounts({owner: manual.merchant_id, page_size: 500})).accounts.find(
      (each) => each.account_id === `2110:merchant_available:${manual.merchant_id}:${unit}`,
    );
  const {balance} = await account();
  const asked = await ask(500_000);
  const reject = (client, id = asked.payout_id) =>
    client.PayoutService.RejectPayout({request_id: randomUUID(), payout_id: id, reason: 'not the right month'});
  await assert.rejects(reject(mesh.operator), (error) => error.code === 'PERMISSION_DENIED');
  const {payout} = await reject(mesh.approver);
  assert.equal(payout.state, 'PAYOUT_STATE_REJECTED');
  assert.equal(payout.status_reason, 'not the right month');
  assert.deepEqual(await get(asked), payout);
  assert.deepEqual((await account()).balance, balance);
  await assert.rejects(
    reject(mesh.approver),
    (error) => error.code === 'FAILED_PRECONDITION' && error.reason === 'PAYOUT_NOT_AWAITING_APPROVAL',
  );
  await assert.rejects(approve(asked), (error) => error.reason === 'PAYOUT_NOT_AWAITING_APPROVAL');
  await assert.rejects(
    reject(mesh.approver, 'pot_none'),
    (error) => error.code === 'NOT_FOUND' && error.reason === 'PAYOUT_NOT_FOUND',
  );
});

test('a payout is read by its id, with what it settles and what was sent for it', async () => {
  const settled = await mesh.settled(await paid(merchant, chain));
  const {payouts} = await mesh.operator.PayoutService.ListPayouts({payment_id: settled.payment_id});
  const {payout} = await mesh.operator.PayoutService.GetPayout({payout_id: payouts[0].payout_id});
  assert.equal(payout.state, 'PAYOUT_STATE_FINALIZED');
  assert.equal(payout.creator, 'plan');
  assert.deepEqual(payout.lines.find((line) => line.payment_id === settled.payment_id)?.amount, settled.net);
  const [transaction] = payout.transactions;
  assert.equal(transaction.state, 'FINALIZED');
  assert.ok(transaction.attempts.some((attempt) => attempt.transaction_hash === payout.transaction_hash));
  await assert.rejects(
    mesh.operator.PayoutService.GetPayout({payout_id: 'pot_none'}),
    (error) => error.code === 'NOT_FOUND' && error.reason === 'PAYOUT_NOT_FOUND',
  );
});

test('a payout that ended by itself needs nobody to end it', async () => {
  const {
    payouts: [payout],
  } = await mesh.operator.PayoutService.ListPayouts({
    merchant_id: merchant.merchant_id,
    states: ['PAYOUT_STATE_FINALIZED'],
    page_size: 1,
  });
  const resolve = (client) =>
    client.PayoutService.ResolvePayout({request_id: randomUUID(), payout_id: payout.payout_id, reason: 'looked'});
  await assert.rejects(resolve(mesh.operator), (error) => error.code === 'PERMISSION_DENIED');
  await assert.rejects(
    resolve(mesh.approver),
    (error) => error.code === 'FAILED_PRECONDITION' && error.reason === 'PAYOUT_NOT_OPEN',
  );
  assert.deepEqual(await get(payout), payout);
});

test('payout plans are listed in pages, as they were set', async () => {
  const seen = [];
  let token = '';
  do {
    const page = await mesh.operator.PayoutService.ListPayoutPlans({
      merchant_id: manual.merchant_id,
      page_size: 3,
      page_token: token,
    });
    assert.ok(page.plans.length <= 3);
    seen.push(...page.plans);
    token = page.next_page_token;
  } while (token);
  const units = mesh.chains.flatMap((each) => ['testUsd', 'testEur'].map((name) => tokenUnit(each, each.tokens[name])));
  assert.deepEqual(seen.map((plan) => plan.unit).sort(), units.sort());
  for (const plan of seen) assert.equal(plan.schedule, 'PAYOUT_SCHEDULE_MANUAL');
  assert.equal(seen.find((plan) => plan.unit === unit).destination_id, destination.destination_id);
  await assert.rejects(
    mesh.operator.PayoutService.ListPayoutPlans({merchant_id: merchant.merchant_id, page_token: 'nonsense'}),
    (error) => error.code === 'INVALID_ARGUMENT' && error.reason === 'INVALID_PAGE_TOKEN',
  );
});

test('a sender that is told to end gives its leases back at once', async () => {
  const held = () =>
    mesh.mesh.postgres.query(`SELECT name FROM lease WHERE name LIKE 'sender:%' AND expire_time > clock_timestamp()`, {
      database: 'paymesh_settlement',
    });
  assert.equal(held().length, mesh.chains.length);
  await mesh.mesh.processes.stop('settlement');
  assert.deepEqual(held(), []);
  await mesh.restart('settlement');
  await mesh.settled(await paid(merchant, chain));
});
