// Deposit addresses on a real node: where they are, and that their money reaches the vault whoever
// brings it.
import assert from 'node:assert/strict';
import {after, before, beforeEach, describe, test} from 'node:test';
import {Chain, artifact, hashOfId, kDollar, refused, slowToken} from '../testing/chain.mjs';
import {load} from '../../local/node/modules.mjs';

const {concatHex, decodeErrorResult, getContractAddress, keccak256, parseEther, zeroAddress} = await load('viem');

describe('DepositFactory', () => {
  let chain;
  let snapshot;

  before(async () => {
    chain = await Chain.start();
    snapshot = await chain.control.snapshot();
  });
  beforeEach(async () => {
    await chain.control.revert({id: snapshot});
    snapshot = await chain.control.snapshot();
  });
  after(() => chain?.stop());

  const depositOf = (id) => chain.read(chain.factory, 'depositAddress', hashOfId(id));
  const forwarderOf = async (id) => ({address: await depositOf(id), abi: artifact('Forwarder').abi});
  const fund = async (id, token, amount = 5n * kDollar) => chain.mint(token, await depositOf(id), amount);
  const sweep = async (ids, token, from = chain.operator) =>
    chain.events(chain.factory, await chain.write(from, chain.factory, 'sweep', ids.map(hashOfId), token.address));
  const reasonOf = ([name, {reason}], contract) => {
    assert.equal(name, 'FlushFailed');
    return decodeErrorResult({abi: contract?.abi ?? artifact('Forwarder').abi, data: reason});
  };

  test('derives addresses by the standard CREATE2 rule from the published hash', async () => {
    const {factory, implementation} = chain.contracts;
    const initCode = concatHex([
      '0x3d602d80600a3d3981f3363d3d373d3d3d363d73',
      implementation,
      '0x5af43d82803e903d91602b57fd5bf3',
    ]);
    assert.equal(await chain.read(chain.factory, 'initCodeHash'), keccak256(initCode));
    for (const id of ['pay_1', 'pay_01hzy7q2s5k3v9w8x4n6m0b1c2', '']) {
      assert.equal(
        await depositOf(id),
        getContractAddress({
          opcode: 'CREATE2',
          from: factory,
          salt: hashOfId(id),
          bytecodeHash: keccak256(initCode),
        }),
      );
    }
  });

  test('brings the money of many deposits home', async () => {
    await fund('pay_1', chain.dollar);
    await fund('pay_2', chain.dollar, 7n * kDollar);
    const events = await sweep(['pay_1', 'pay_2'], chain.dollar);
    assert.deepEqual(events, [
      [
        'Flushed',
        {salt: hashOfId('pay_1'), deposit: await depositOf('pay_1'), token: chain.dollar.address, amount: 5n * kDollar},
      ],
      [
        'Flushed',
        {salt: hashOfId('pay_2'), deposit: await depositOf('pay_2'), token: chain.dollar.address, amount: 7n * kDollar},
      ],
    ]);
    assert.equal(await chain.balance(chain.dollar, chain.vault), 12n * kDollar);
    assert.equal(await chain.read(await forwarderOf('pay_1'), 'vault'), chain.vault.address);
  });

  test('sweeps an address again when more arrives, and anyone may', async () => {
    await fund('pay_1', chain.dollar);
    await sweep(['pay_1'], chain.dollar);
    await fund('pay_1', chain.dollar, 3n * kDollar);
    const events = await sweep(['pay_1'], chain.dollar, chain.stranger);
    assert.equal(events[0][1].amount, 3n * kDollar);
    assert.equal(await chain.balance(chain.dollar, chain.vault), 8n * kDollar);
  });

  test('a foreign flush before ours brings the money home and stops nothing', async () => {
    await fund('pay_1', chain.dollar);
    await fund('pay_2', chain.dollar);
    await sweep(['pay_1'], chain.returnsNothing, chain.stranger);
    assert.notEqual(await chain.client.getCode({address: await depositOf('pay_1')}), undefined);
    await chain.write(chain.stranger, await forwarderOf('pay_1'), 'flush', chain.dollar.address);
    assert.equal(await chain.balance(chain.dollar, chain.vault), 5n * kDollar);

    const events = await sweep(['pay_1', 'pay_2'], chain.dollar);
    assert.equal(reasonOf(events[0]).errorName, 'NothingToFlush');
    assert.equal(events[1][0], 'Flushed');
    assert.equal(await chain.balance(chain.dollar, chain.vault), 10n * kDollar);
  });

  test('one deposit that cannot be flushed stops no other', async () => {
    await fund('pay_1', chain.dollar);
    await fund('pay_3', chain.dollar);
    await chain.write(chain.owner, chain.dollar, 'blacklist', await depositOf('pay_1'));
    const events = await sweep(['pay_1', 'pay_2', 'pay_3', 'pay_3'], chain.dollar);
    assert.deepEqual(reasonOf(events[0], chain.dollar).args, ['TestDollar: account is blacklisted']);
    assert.equal(reasonOf(events[1]).errorName, 'NothingToFlush');
    assert.equal(events[2][0], 'Flushed');
    assert.equal(reasonOf(events[3]).errorName, 'NothingToFlush');
    assert.equal(await chain.balance(chain.dollar, chain.vault), 5n * kDollar);

    await chain.write(chain.owner, chain.dollar, 'unBlacklist', await depositOf('pay_1'));
    assert.equal((await sweep(['pay_1'], chain.dollar))[0][0], 'Flushed');
  });

  test('knows false for failure, nothing for success, and flushes what a fee leaves', async () => {
    for (const token of [chain.returnsFalse, chain.returnsNothing, chain.feeToken]) {
      await fund('pay_1', token);
    }
    const [failed] = await sweep(['pay_1'], chain.returnsFalse);
    assert.equal(reasonOf(failed).errorName, 'SafeERC20FailedOperation');
    await assert.rejects(
      chain.write(chain.stranger, await forwarderOf('pay_1'), 'flush', chain.returnsFalse.address),
      refused('SafeERC20FailedOperation'),
    );
    assert.equal((await sweep(['pay_1'], chain.returnsNothing))[0][0], 'Flushed');
    assert.equal(await chain.balance(chain.returnsNothing, chain.vault), 5n * kDollar);
    assert.equal((await sweep(['pay_1'], chain.feeToken))[0][1].amount, 5n * kDollar);
    assert.equal(await chain.balance(chain.feeToken, chain.vault), (5n * kDollar * 99n) / 100n);
  });

  test('an address without code is no token', async () => {
    const events = await sweep(['pay_1'], chain.stranger);
    assert.equal(events[0][0], 'FlushFailed');
  });

  test('a token that burns all its gas fails each deposit and not the sweep', async () => {
    await chain.control.setCode({address: chain.returnsFalse.address, bytecode: '0xfe'});
    const salts = ['pay_1', 'pay_2'].map(hashOfId);
    const receipt = await chain.writeBlindly(
      chain.operator,
      chain.factory,
      'sweep',
      [salts, chain.returnsFalse.address],
      {gas: 1_200_000n},
    );
    const names = chain.events(chain.factory, receipt).map(([name]) => name);
    assert.deepEqual(names, ['FlushFailed', 'FlushFailed']);
  });

  test('a sweep with too little gas reverts whole and reports no false failure', async () => {
    const {address} = chain.returnsFalse;
    await chain.control.setCode({address, bytecode: slowToken(4000)});
    const outcomes = new Set();
    for (let gas = 100_000n; gas < 520_000n; gas += 10_000n) {
      const id = await chain.control.snapshot();
      const receipt = await chain.writeBlindly(chain.operator, chain.factory, 'sweep', [[hashOfId('pay_1')], address], {
        gas,
      });
      const names = chain.events(chain.factory, receipt).map(([name]) => name);
      const expected = receipt.status === 'success' ? ['Flushed'] : [];
      assert.deepEqual(names, expected, `with gas ${gas}`);
      outcomes.add(receipt.status);
      await chain.control.revert({id});
    }
    assert.equal(outcomes.size, 2);
  });

  test('native currency sent by mistake reaches the vault, and its owner can return it', async () => {
    await chain.sendNative(chain.payer, await depositOf('pay_1'), parseEther('1'));
    const events = await sweep(['pay_1'], {address: zeroAddress});
    assert.equal(events[0][1].amount, parseEther('1'));
    const {address} = chain.vault;
    assert.equal(await chain.client.getBalance({address}), parseEther('1'));
    await assert.rejects(
      chain.write(chain.operator, chain.vault, 'rescueNative', chain.payer.address, 1n),
      refused('OwnableUnauthorizedAccount'),
    );
    const before = await chain.client.getBalance({address: chain.payer.address});
    await chain.write(chain.owner, chain.vault, 'rescueNative', chain.payer.address, parseEther('1'));
    assert.equal(await chain.client.getBalance({address: chain.payer.address}), before + parseEther('1'));
  });

  test('a sweep of 50 deposits costs about 50 thousand gas each', async (t) => {
    const ids = Array.from({length: 50}, (_, index) => `pay_gas_${index}`);
    await fund('pay_first', chain.dollar);
    await sweep(['pay_first'], chain.dollar);
    const measure = async (what, limit) => {
      for (const id of ids) await fund(id, chain.dollar);
      const receipt = await chain.write(
        chain.operator,
        chain.factory,
        'sweep',
        ids.map(hashOfId),
        chain.dollar.address,
      );
      const names = chain.events(chain.factory, receipt).map(([name]) => name);
      assert.deepEqual(names, Array(ids.length).fill('Flushed'));
      const each = receipt.gasUsed / BigInt(ids.length);
      t.diagnostic(`sweep of 50 deposits, ${what}: ${receipt.gasUsed} gas, ${each} each`);
      assert.ok(each < limit, `${each} gas each`);
    };
    await measure('deploying them', 85_000n);
    await measure('deployed already', 45_000n);
  });

  test('refuses a vault that is not there', async () => {
    await assert.rejects(chain.deploy(chain.owner, 'DepositFactory', chain.stranger.address), refused('revert'));
  });
});
