// Reorganisations above finality: of depth 1 to 5, before and after the payment was confirmed, that
// remove, move and replace the paying transaction; of our own sweeps and payouts; while the watcher
// is down. Blocks are mined by hand, so that every depth is exact. Finality trails by eight blocks.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {rpc, sleep, startMesh, waitFor} from './harness.mjs';

const kDue = 13_562_500n; // of 12.50 EUR at the development feed's 1.085 dollars
const kMargin = 6; // final blocks above a lost transfer's place until it counts as lost for good

let mesh;
let chain;
const merchants = {};
let spent = 0;
let wallets;
before(async () => {
  mesh = await startMesh({
    slotsInAnEpoch: 4,
    overrides: {
      checkout: (config) => {
        config.payments = {reversal_margin_blocks: kMargin};
      },
    },
  });
  [chain] = mesh.chains;
  merchants.before = await mesh.merchant({name: 'Patient', policy: 'FINALITY_FINALIZED'});
  merchants.after = await mesh.merchant({name: 'Hasty', policy: 'FINALITY_INCLUDED'});
  await mesh.mineByHand(chain);
  wallets = await mesh.payers(chain, 50, 'testUsd', kDue);
});
after(() => mesh?.finish());

const nextWallet = () => wallets[spent++];
const has = (payment, ...flags) => flags.every((flag) => payment.flags.includes(`PAYMENT_FLAG_${flag}`));
const state = (payment) => payment.state.replace('PAYMENT_STATE_', '');
const elsewhere = '0x00000000000000000000000000000000000e15e7';

/** A payment of 12.50 EUR with a signed transaction of a wallet of its own that pays it. */
async function prepare(policy) {
  const payment = await mesh.payment(merchants[policy]);
  assert.equal(mesh.option(payment, chain).due.value, String(kDue));
  const wallet = nextWallet();
  const paying = await mesh.sign(chain, wallet, 'testUsd', payment.deposit_address, kDue);
  return {policy, payment, wallet, paying};
}

const blockOf = async (hash) => (await rpc(chain, 'eth_getTransactionReceipt', [hash]))?.blockHash ?? null;
const send = (raw) => rpc(chain, 'eth_sendRawTransaction', [raw]);

/** Both services have taken in that the transfer is in this block: the payment, and the books. */
async function taken({policy, payment, paying}) {
  const block = await blockOf(paying.hash);
  await mesh.until(
    payment,
    (p) =>
      p.transfers.some((t) => t.transaction_hash === paying.hash && t.block?.hash === block && !t.orphaned) &&
      state(p) === (policy === 'after' ? 'SUCCEEDED' : 'PROCESSING'),
    {timeoutMs: 30_000},
  );
  await waitFor(`the books of ${payment.payment_id}`, async () => {
    const rules = (await mesh.journals(payment)).map((journal) => journal.rule);
    return rules.includes('P1') && (policy === 'before' || rules.includes('P3'));
  });
}

/** Which journals stand: those that no later one mirrors, and that are no mirrors themselves. */
function standing(journals) {
  const reversed = new Set(journals.map((journal) => journal.reverses_journal_id).filter(Boolean));
  return journals.filter((journal) => !journal.reverses_journal_id && !reversed.has(journal.journal_id));
}

async function settle(payments, policy) {
  const merchant = merchants[policy];
  const before = await mesh.balance(chain, 'testUsd', merchant.wallet);
  const settled = await mesh.mineUntil(
    chain,
    Promise.all(payments.map((payment) => mesh.settled(payment, {timeoutMs: 60_000}))),
  );
  const net = settled.reduce((sum, payment) => sum + BigInt(payment.net.value), 0n);
  assert.equal((await mesh.balance(chain, 'testUsd', merchant.wallet)) - before, net, `what ${policy} was paid out`);
  for (const payment of settled) {
    assert.equal(state(payment), 'SUCCEEDED');
    assert.equal(payment.finality, 'FINALITY_FINALIZED');
    const fee = (kDue * 50n) / 10_000n;
    assert.deepEqual(
      [payment.gross.value, payment.fee.value, payment.net.value],
      [String(kDue), String(fee), String(kDue - fee)],
    );
  }
  return settled;
}

for (const depth of [1, 2, 3, 4, 5]) {
  test(`a reorganisation of depth ${depth} removes, moves and replaces payments, before and after they are confirmed`, async () => {
    const cases = [];
    for (const policy of ['before', 'after']) {
      for (const fate of ['removed', 'moved', 'replaced']) cases.push({fate, ...(await prepare(policy))});
    }
    for (const each of cases) await send(each.paying.raw);
    await mesh.mine(chain, depth);
    const paidIn = await blockOf(cases[0].paying.hash);
    for (const each of cases) assert.equal(await blockOf(each.paying.hash), paidIn);
    await Promise.all(cases.map(taken));
    await mesh.caughtUp(chain);

    // The new branch: moved ones are in its last block, and replaced ones' wallets have paid elsewhere.
    const branch = [];
    for (const {fate, paying, wallet} of cases) {
      if (fate === 'moved') branch.push([paying.raw, depth - 1]);
      if (fate === 'replaced') branch.push([(await mesh.sign(chain, wallet, 'testUsd', elsewhere, kDue)).raw, 0]);
    }
    await rpc(chain, 'anvil_reorg', [depth, branch]);
    const seen = await Promise.all(
      cases.map(async (each) => {
        const block = await blockOf(each.paying.hash);
        assert.equal(block !== null, each.fate === 'moved');
        return mesh.until(
          each.payment,
          (p) =>
            each.fate === 'moved'
              ? p.transfers[0].block?.hash === block && !p.transfers[0].orphaned
              : p.transfers[0].orphaned,
          {timeoutMs: 30_000},
        );
      }),
    );
    seen.forEach((payment, index) => {
      const {fate, policy} = cases[index];
      const expected =
        fate === 'moved'
          ? policy === 'after'
            ? 'SUCCEEDED'
            : 'PROCESSING'
          : policy === 'after'
            ? 'REQUIRES_REVIEW'
            : 'AWAITING_PAYMENT';
      assert.equal(state(payment), expected, `${fate} ${policy} confirmation`);
      assert.equal(payment.transfers.length, 1);
      assert.ok(has(payment, 'REORGED'), `${fate} ${policy} confirmation: ${payment.flags}`);
      if (fate === 'moved') assert.ok(has(payment, 'REINCLUDED'), `${payment.flags}`);
      else assert.equal(payment.finality, 'FINALITY_NONE');
    });
    // Every journal of money that is gone has its mirror.
    for (const {fate, payment} of cases.filter((each) => each.fate !== 'moved')) {
      const journals = await waitFor(`the mirrors of ${payment.payment_id}`, async () => {
        const all = await mesh.journals(payment);
        return standing(all).length === 0 && all;
      });
      assert.ok(
        journals.some((journal) => journal.rule === 'P13.P1'),
        `${fate}: ${journals.map((j) => j.rule)}`,
      );
    }

    // Paid again: the removed transaction is sent once more, for the replaced one another wallet pays.
    for (const each of cases) {
      if (each.fate === 'removed') await send(each.paying.raw);
      if (each.fate === 'replaced') {
        await send((await mesh.sign(chain, nextWallet(), 'testUsd', each.payment.deposit_address, kDue)).raw);
      }
    }
    const settled = await Promise.all(
      ['before', 'after'].map((policy) =>
        settle(
          cases.filter((each) => each.policy === policy).map(({payment}) => payment),
          policy,
        ),
      ),
    );
    for (const payment of settled.flat()) {
      const {fate} = cases.find((each) => each.payment.payment_id === payment.payment_id);
      assert.equal(payment.transfers.length, fate === 'replaced' ? 2 : 1, fate);
      assert.equal(has(payment, 'REINCLUDED'), fate !== 'replaced', fate);
      const rules = standing(await mesh.journals(payment))
        .map((journal) => journal.rule)
        .sort();
      for (const rule of ['P1', 'P2', 'P3', 'P4', 'P10']) {
        assert.equal(rules.filter((each) => each === rule).length, 1, `${fate}: one ${rule} stands in ${rules}`);
      }
    }
  });
}

test('a success whose money never comes back is reversed and nothing is paid out for it', async () => {
  const lost = await prepare('after');
  await send(lost.paying.raw);
  await mesh.mine(chain, 3);
  await taken(lost);
  await mesh.caughtUp(chain);
  const held = await mesh.balance(chain, 'testUsd', merchants.after.wallet);
  await rpc(chain, 'anvil_reorg', [3, [[(await mesh.sign(chain, lost.wallet, 'testUsd', elsewhere, kDue)).raw, 1]]]);
  const reversed = await mesh.mineUntil(chain, mesh.until(lost.payment, 'REVERSED', {timeoutMs: 40_000}));
  assert.ok(has(reversed, 'REORGED'));
  assert.ok(!has(reversed, 'SETTLED_TO_MERCHANT'));
  assert.equal(standing(await mesh.journals(lost.payment)).length, 0);
  assert.equal(await mesh.balance(chain, 'testUsd', merchants.after.wallet), held);
  const {payouts} = await mesh.operator.PayoutService.ListPayouts({
    merchant_id: merchants.after.merchant_id,
    page_size: 500,
  });
  for (const payout of payouts) {
    assert.ok((payout.lines ?? []).every((line) => line.payment_id !== lost.payment.payment_id));
  }
});

test('sweeps and payouts that a reorganisation removes are sent again and pay once', async () => {
  const one = await prepare('before');
  await send(one.paying.raw);
  const before = await mesh.balance(chain, 'testUsd', merchants.before.wallet);
  const sink = one.payment.deposit_address;
  const swept = async () =>
    (await mesh.balance(chain, 'testUsd', sink)) === 0n && (await mesh.get(one.payment)).transfers.length === 1;
  await mesh.mineUntil(chain, waitFor('the sweep', swept, {timeoutMs: 60_000, everyMs: 100}));
  await mesh.caughtUp(chain);
  await rpc(chain, 'anvil_reorg', [2, []]);
  await mesh.caughtUp(chain);
  const paidOut = async () => (await mesh.balance(chain, 'testUsd', merchants.before.wallet)) !== before;
  await mesh.mineUntil(chain, waitFor('the payout', paidOut, {timeoutMs: 90_000, everyMs: 100}));
  await mesh.caughtUp(chain);
  await rpc(chain, 'anvil_reorg', [4, []]);
  const settled = await mesh.mineUntil(chain, mesh.settled(one.payment, {timeoutMs: 90_000}));
  assert.equal((await mesh.balance(chain, 'testUsd', merchants.before.wallet)) - before, BigInt(settled.net.value));
});

test('reorganisations while the watcher is down, and two in a row, end in one credit', async () => {
  const cases = [await prepare('before'), await prepare('after'), await prepare('after')];
  for (const each of cases) await send(each.paying.raw);
  await mesh.mine(chain, 3);
  await Promise.all(cases.map(taken));
  await mesh.caughtUp(chain);
  mesh.kill('watcher');
  await rpc(chain, 'anvil_reorg', [
    4,
    [
      [cases[0].paying.raw, 1],
      [cases[1].paying.raw, 3],
    ],
  ]);
  await mesh.mine(chain, 1);
  await rpc(chain, 'anvil_reorg', [2, [[cases[2].paying.raw, 0]]]);
  await mesh.restart('watcher');
  await rpc(chain, 'anvil_reorg', [1, []]);
  await sleep(200);
  await rpc(chain, 'anvil_reorg', [
    3,
    [
      [cases[1].paying.raw, 0],
      [cases[2].paying.raw, 2],
    ],
  ]);
  for (const each of cases) if ((await blockOf(each.paying.hash)) === null) await send(each.paying.raw);
  await Promise.all(
    ['before', 'after'].map((policy) =>
      settle(
        cases.filter((each) => each.policy === policy).map(({payment}) => payment),
        policy,
      ),
    ),
  );
});
