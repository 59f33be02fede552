// Push payments: a payer sends tokens from any wallet, exactly, in parts, too much, too late, in the
// wrong token; and the merchant gets what is due.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {startMesh, tokenUnit} from './harness.mjs';

let mesh;
let merchant;
before(async () => {
  mesh = await startMesh();
  merchant = await mesh.merchant();
});
after(() => mesh?.finish());

const flagged = (payment, flag) => payment.flags.includes(`PAYMENT_FLAG_${flag}`);
const total = (amounts, unit) => amounts.filter((a) => a.unit === unit).reduce((sum, a) => sum + BigInt(a.value), 0n);

for (const index of [0, 1]) {
  test(`a payment on chain ${index} goes from price to the merchant's wallet`, async () => {
    const chain = mesh.chains[index];
    const payment = await mesh.payable(merchant, chain);
    const option = mesh.option(payment, chain);
    const before = await mesh.balance(chain, 'testUsd', merchant.wallet);
    await mesh.pay(payment, chain, 'testUsd', option.due.value);
    const settled = await mesh.settled(payment);
    assert.equal(settled.state, 'PAYMENT_STATE_SUCCEEDED');
    assert.equal(settled.gross.value, option.due.value);
    const fee = (BigInt(option.due.value) * 50n) / 10_000n;
    assert.equal(settled.fee.value, String(fee));
    assert.equal((await mesh.balance(chain, 'testUsd', merchant.wallet)) - before, BigInt(option.due.value) - fee);
    const kinds = settled.timeline.map((entry) => entry.kind);
    for (const kind of ['created', 'seen', 'succeeded', 'posted', 'swept', 'paid_out'])
      assert.ok(kinds.includes(kind), `${kind} in ${kinds}`);
  });
}

test('a price in euros never costs the payer less in dollars than the rate says', async () => {
  const payment = await mesh.payment(merchant, {cents: 1});
  const option = mesh.option(payment, mesh.chains[0]);
  const {numerator, denominator} = option.rate;
  // numerator minor units of the quote buy denominator minor units of the base, whichever way round.
  const price =
    option.rate.base_unit === 'iso4217/EUR' ? BigInt(1) * BigInt(numerator) : BigInt(1) * BigInt(denominator);
  const due =
    BigInt(option.due.value) * (option.rate.base_unit === 'iso4217/EUR' ? BigInt(denominator) : BigInt(numerator));
  assert.ok(due >= price);
});

test('a partial payment is topped up and succeeds once', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  const due = BigInt(mesh.option(payment, chain).due.value);
  await mesh.payMined(payment, chain, 'testUsd', due / 3n);
  const partial = await mesh.until(payment, 'PARTIALLY_PAID');
  assert.equal(mesh.option(partial, chain).remaining.value, String(due - due / 3n));
  assert.ok(flagged(partial, 'EXTENDED'));
  await mesh.payMined(payment, chain, 'testUsd', due - due / 3n);
  const settled = await mesh.settled(payment);
  assert.ok(flagged(settled, 'MULTI_TRANSFER'));
  assert.equal(settled.gross.value, String(due));
});

test('what is paid over is owed to the payer and never to the merchant', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  const due = BigInt(mesh.option(payment, chain).due.value);
  await mesh.payMined(payment, chain, 'testUsd', due + 77n);
  const settled = await mesh.settled(payment);
  assert.ok(flagged(settled, 'OVERPAID'));
  assert.equal(settled.gross.value, String(due));
  assert.equal(total(settled.refundable, mesh.option(payment, chain).due.unit), 77n);
});

test('another listed token goes to review and is owed to the payer', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  await mesh.payMined(payment, chain, 'returnsNothing', 5_000_000n);
  const review = await mesh.until(payment, 'REQUIRES_REVIEW');
  assert.ok(flagged(review, 'WRONG_ASSET'));
  assert.equal(review.transfers[0].disposition, 'TRANSFER_DISPOSITION_WRONG_ASSET');
});

test('another offered token after the first has bound the payment goes to review, and both are accounted for', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  const due = BigInt(mesh.option(payment, chain).due.value);
  await mesh.payMined(payment, chain, 'testUsd', due / 2n);
  await mesh.until(payment, 'PARTIALLY_PAID');
  await mesh.payMined(payment, chain, 'testEur', 1_000_000n);
  const review = await mesh.until(payment, 'REQUIRES_REVIEW');
  assert.ok(flagged(review, 'WRONG_ASSET'));
  assert.equal(
    review.transfers.find((t) => t.amount.unit === mesh.option(payment, chain, 'testEur').due.unit).disposition,
    'TRANSFER_DISPOSITION_WRONG_ASSET',
  );
});

test('one transaction that pays two payments pays both', async () => {
  const chain = mesh.chains[1];
  const {payTwo} = await import('./two_in_one.mjs');
  const payments = [await mesh.payment(merchant), await mesh.payment(merchant, {cents: 333})];
  const hash = await payTwo(
    chain,
    'testUsd',
    payments.map((p) => ({to: p.deposit_address, amount: BigInt(mesh.option(p, chain).due.value)})),
  );
  for (const payment of payments) {
    const settled = await mesh.settled(payment);
    assert.equal(settled.transfers.length, 1);
    assert.equal(settled.transfers[0].transaction_hash, hash);
  }
});

test('money that comes after a cancellation opens a review', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  const {payment: canceled} = await merchant.edge.PaymentService.CancelPayment({
    request_id: `cancel-${payment.payment_id}`,
    payment_id: payment.payment_id,
    reason: 'changed my mind',
  });
  assert.equal(canceled.state, 'PAYMENT_STATE_CANCELED');
  await mesh.payMined(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const review = await mesh.until(payment, 'REQUIRES_REVIEW');
  assert.ok(flagged(review, 'PAID_AFTER_CANCEL'));
});

test('a payment in flight cannot be cancelled', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant);
  await mesh.payMined(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  await mesh.until(payment, (p) => p.transfers.length === 1);
  await assert.rejects(
    merchant.edge.PaymentService.CancelPayment(
      {request_id: `c-${payment.payment_id}`, payment_id: payment.payment_id},
      {retries: 0},
    ),
    (error) => ['PAYMENT_IN_FLIGHT', 'PAYMENT_CLOSED'].includes(error.reason),
  );
  await mesh.settled(payment);
});

test('a late payment opens a review that an operator can accept', async () => {
  const chain = mesh.chains[0];
  const payment = await mesh.payment(merchant, {time_to_live: {seconds: 60}});
  // Block time decides: move the chain's clock beyond expiry and grace.
  const {rpc} = await import('./harness.mjs');
  for (const each of mesh.chains) await rpc(each, 'evm_increaseTime', [200]);
  const expired = await mesh.until(payment, 'EXPIRED');
  await mesh.payMined(expired, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const review = await mesh.until(payment, 'REQUIRES_REVIEW');
  assert.ok(flagged(review, 'LATE'));
  await mesh.operator.PaymentService.ResolvePayment({
    request_id: `accept-${payment.payment_id}`,
    payment_id: payment.payment_id,
    action: 'RESOLVE_ACTION_ACCEPT',
    reason: 'goods were held',
    expected_revision: (await mesh.get(payment)).revision,
  });
  const settled = await mesh.settled(payment);
  assert.ok(flagged(settled, 'MANUAL_DECISION'));
  assert.equal(settled.gross.unit, tokenUnit(chain, chain.tokens.testUsd));
});
