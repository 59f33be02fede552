// The vault on a real node: who may pay, what is paid twice, and what a bad item does to its batch.
import assert from 'node:assert/strict';
import {after, before, beforeEach, describe, test} from 'node:test';
import {Chain, hashOfId, kDollar, refused, slowToken} from '../testing/chain.mjs';
import {load} from '../../local/node/modules.mjs';

const {decodeErrorResult, maxUint256, zeroAddress} = await load('viem');

describe('Vault', () => {
  let chain;
  let snapshot;

  before(async () => {
    chain = await Chain.start();
    await chain.mint(chain.dollar, chain.vault, 1000n * kDollar);
    await chain.mint(chain.returnsNothing, chain.vault, 1000n * kDollar);
    await chain.mint(chain.returnsFalse, chain.vault, 1000n * kDollar);
    await chain.mint(chain.feeToken, chain.vault, 1000n * kDollar);
    snapshot = await chain.control.snapshot();
  });
  beforeEach(async () => {
    await chain.control.revert({id: snapshot});
    snapshot = await chain.control.snapshot();
  });
  after(() => chain?.stop());

  const pay = (
    id,
    {token = chain.dollar, to = chain.merchant.address, amount = 5n * kDollar, from = chain.operator} = {},
  ) => chain.write(from, chain.vault, 'pay', hashOfId(id), token.address, to, amount);
  const item = (id, {token = chain.dollar, to = chain.merchant.address, amount = 5n * kDollar} = {}) => ({
    payoutId: hashOfId(id),
    token: token.address,
    to,
    amount,
  });
  const payBatch = async (...items) =>
    chain.events(chain.vault, await chain.write(chain.operator, chain.vault, 'payBatch', items));
  const reasonOf = ([name, {reason}], contract = chain.vault) => {
    assert.equal(name, 'PayFailed');
    return decodeErrorResult({abi: contract.abi, data: reason});
  };

  test("pays an operator's payout and says so", async () => {
    const events = chain.events(chain.vault, await pay('pot_1'));
    assert.deepEqual(events, [
      [
        'Paid',
        {
          payoutId: hashOfId('pot_1'),
          token: chain.dollar.address,
          to: chain.merchant.address,
          amount: 5n * kDollar,
        },
      ],
    ]);
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
    assert.equal(await chain.read(chain.vault, 'paid', hashOfId('pot_1')), true);
    assert.equal(await chain.read(chain.vault, 'paid', hashOfId('pot_2')), false);
  });

  test('refuses a payout id that it has paid', async () => {
    await pay('pot_1');
    await assert.rejects(pay('pot_1'), refused('AlreadyPaid'));
    await assert.rejects(pay('pot_1', {to: chain.payer.address, amount: 1n}), refused('AlreadyPaid'));
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
  });

  test('reverts a second payment that raced past its simulation', async () => {
    await pay('pot_1');
    const receipt = await chain.writeBlindly(chain.operator, chain.vault, 'pay', [
      hashOfId('pot_1'),
      chain.dollar.address,
      chain.merchant.address,
      5n * kDollar,
    ]);
    assert.equal(receipt.status, 'reverted');
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
  });

  test('pays an id once however often a batch names it', async () => {
    await pay('pot_1');
    const events = await payBatch(item('pot_1'), item('pot_2'), item('pot_2'));
    assert.equal(reasonOf(events[0]).errorName, 'AlreadyPaid');
    assert.deepEqual(reasonOf(events[0]).args, [hashOfId('pot_1')]);
    assert.equal(events[1][0], 'Paid');
    assert.equal(reasonOf(events[2]).errorName, 'AlreadyPaid');
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 10n * kDollar);
  });

  test('a failing item leaves the rest of its batch alone', async () => {
    await chain.write(chain.owner, chain.dollar, 'blacklist', chain.payer.address);
    const events = await payBatch(
      item('pot_blocked', {to: chain.payer.address}),
      item('pot_false', {token: chain.returnsFalse}),
      item('pot_too_much', {amount: 5000n * kDollar}),
      item('pot_nobody', {to: zeroAddress}),
      item('pot_itself', {to: chain.vault.address}),
      item('pot_nothing', {amount: 0n}),
      item('pot_good'),
      item('pot_returns_nothing', {token: chain.returnsNothing}),
    );
    assert.deepEqual(
      events.map(([name]) => name),
      [...Array(6).fill('PayFailed'), 'Paid', 'Paid'],
    );
    assert.deepEqual(reasonOf(events[0], chain.dollar).args, ['TestDollar: account is blacklisted']);
    assert.equal(reasonOf(events[1]).errorName, 'SafeERC20FailedOperation');
    assert.equal(reasonOf(events[2], chain.dollar).errorName, 'ERC20InsufficientBalance');
    assert.equal(reasonOf(events[3]).errorName, 'InvalidRecipient');
    assert.equal(reasonOf(events[4]).errorName, 'InvalidRecipient');
    assert.equal(reasonOf(events[5]).errorName, 'ZeroAmount');
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
    assert.equal(await chain.balance(chain.returnsNothing, chain.merchant), 5n * kDollar);
  });

  test('a failed item uses up neither its id nor the limit', async () => {
    await chain.write(chain.owner, chain.dollar, 'blacklist', chain.merchant.address);
    await payBatch(item('pot_1'));
    assert.equal(await chain.read(chain.vault, 'paid', hashOfId('pot_1')), false);
    assert.equal(await chain.read(chain.vault, 'spentToday', chain.dollar.address), 0n);
    await chain.write(chain.owner, chain.dollar, 'unBlacklist', chain.merchant.address);
    assert.equal((await payBatch(item('pot_1')))[0][0], 'Paid');
  });

  test('a token that burns all its gas fails alone', async () => {
    const {address} = chain.returnsFalse;
    await chain.control.setCode({address, bytecode: '0xfe'});
    const items = [item('pot_1', {token: chain.returnsFalse}), item('pot_2')];
    const events = chain.events(
      chain.vault,
      await chain.writeBlindly(chain.operator, chain.vault, 'payBatch', [items]),
    );
    assert.deepEqual(
      events.map(([name]) => name),
      ['PayFailed', 'Paid'],
    );
  });

  test('a batch with too little gas reverts whole and reports no false failure', async () => {
    await chain.control.setCode({address: chain.returnsFalse.address, bytecode: slowToken(8000)});
    const items = [item('pot_1', {token: chain.returnsFalse})];
    const outcomes = new Set();
    for (let gas = 100_000n; gas < 460_000n; gas += 10_000n) {
      const id = await chain.control.snapshot();
      const receipt = await chain.writeBlindly(chain.operator, chain.vault, 'payBatch', [items], {gas});
      const names = chain.events(chain.vault, receipt).map(([name]) => name);
      const expected = receipt.status === 'success' ? ['Paid'] : [];
      assert.deepEqual(names, expected, `with gas ${gas}`);
      outcomes.add(receipt.status);
      await chain.control.revert({id});
    }
    assert.equal(outcomes.size, 2);
  });

  test('pays tokens that return nothing, and less arrives of one that takes a fee', async () => {
    await pay('pot_1', {token: chain.returnsNothing});
    await pay('pot_2', {token: chain.feeToken});
    assert.equal(await chain.balance(chain.returnsNothing, chain.merchant), 5n * kDollar);
    assert.equal(await chain.balance(chain.feeToken, chain.merchant), (5n * kDollar * 99n) / 100n);
  });

  test('takes false for failure, and an address without code for no token', async () => {
    await assert.rejects(pay('pot_1', {token: chain.returnsFalse}), refused('SafeERC20FailedOperation'));
    await chain.write(chain.owner, chain.vault, 'setLimit', chain.stranger.address, maxUint256);
    await assert.rejects(pay('pot_1', {token: chain.stranger}), refused('SafeERC20FailedOperation'));
  });

  test('obeys operators only, and a rotated one no more', async () => {
    await assert.rejects(pay('pot_1', {from: chain.stranger}), refused('NotOperator'));
    await assert.rejects(pay('pot_1', {from: chain.owner}), refused('NotOperator'));
    await assert.rejects(
      chain.write(chain.operator, chain.vault, 'setOperator', chain.stranger.address, true),
      refused('OwnableUnauthorizedAccount'),
    );
    await chain.write(chain.owner, chain.vault, 'setOperator', chain.operator.address, false);
    await chain.write(chain.owner, chain.vault, 'setOperator', chain.stranger.address, true);
    await assert.rejects(pay('pot_1'), refused('NotOperator'));
    await assert.rejects(payBatch(item('pot_1')), refused('NotOperator'));
    await pay('pot_1', {from: chain.stranger});
    await assert.rejects(pay('pot_1', {from: chain.stranger}), refused('AlreadyPaid'));
  });

  test("lets nobody call the batch's inner step", async () => {
    await assert.rejects(chain.write(chain.operator, chain.vault, 'payItem', item('pot_1')), refused('OnlySelf'));
  });

  test('lets nothing out while paused; an operator may pause, only the owner unpauses', async () => {
    await assert.rejects(chain.write(chain.stranger, chain.vault, 'pause'), refused('NotOperator'));
    await chain.write(chain.operator, chain.vault, 'pause');
    await assert.rejects(pay('pot_1'), refused('EnforcedPause'));
    await assert.rejects(payBatch(item('pot_1')), refused('EnforcedPause'));
    await assert.rejects(
      chain.write(chain.owner, chain.vault, 'rescueNative', chain.owner.address, 0n),
      refused('EnforcedPause'),
    );
    await assert.rejects(chain.write(chain.operator, chain.vault, 'unpause'), refused('OwnableUnauthorizedAccount'));
    await chain.write(chain.owner, chain.vault, 'unpause');
    await pay('pot_1');
  });

  test('holds each token to its limit until the next UTC day', async () => {
    const setLimit = (amount) => chain.write(chain.owner, chain.vault, 'setLimit', chain.dollar.address, amount);
    const nextDay = async () => {
      const {timestamp} = await chain.client.getBlock();
      await chain.control.setNextBlockTimestamp({timestamp: (timestamp / 86_400n + 1n) * 86_400n});
      await chain.control.mine({blocks: 1});
    };
    await nextDay();
    await setLimit(12n * kDollar);
    await pay('pot_1');
    await pay('pot_2');
    assert.equal(await chain.read(chain.vault, 'spentToday', chain.dollar.address), 10n * kDollar);
    await assert.rejects(pay('pot_3'), refused('LimitExceeded'));
    const events = await payBatch(item('pot_3'), item('pot_4', {amount: 2n * kDollar}), item('pot_5', {amount: 1n}));
    assert.deepEqual(
      events.map(([name]) => name),
      ['PayFailed', 'Paid', 'PayFailed'],
    );
    assert.deepEqual(reasonOf(events[0]).args, [chain.dollar.address, 12n * kDollar, 15n * kDollar]);
    await pay('pot_6', {token: chain.returnsNothing});
    await nextDay();
    assert.equal(await chain.read(chain.vault, 'spentToday', chain.dollar.address), 0n);
    await pay('pot_3');
  });

  test('lets nothing out of a token without a limit', async () => {
    const other = await chain.deploy(chain.owner, 'TestDollar', 'Other', 'OTH', chain.owner.address);
    await chain.mint(other, chain.vault, 10n * kDollar);
    await assert.rejects(pay('pot_1', {token: other}), refused('LimitExceeded'));
    await chain.write(chain.owner, chain.vault, 'setLimit', other.address, maxUint256);
    await pay('pot_1', {token: other});
    await chain.write(chain.owner, chain.vault, 'setLimit', other.address, 0n);
    await assert.rejects(pay('pot_2', {token: other}), refused('LimitExceeded'));
  });

  test('changes its owner in two steps and never loses it', async () => {
    await assert.rejects(chain.write(chain.owner, chain.vault, 'renounceOwnership'), refused('OwnerRequired'));
    await chain.write(chain.owner, chain.vault, 'transferOwnership', chain.stranger.address);
    assert.equal(await chain.read(chain.vault, 'owner'), chain.owner.address);
    await chain.write(chain.stranger, chain.vault, 'acceptOwnership');
    await assert.rejects(chain.write(chain.owner, chain.vault, 'pause'), refused('NotOperator'));
    await chain.write(chain.stranger, chain.vault, 'pause');
  });
});
