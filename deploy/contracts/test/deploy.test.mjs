// Deployment: equal addresses on different chains, and a second run that changes nothing.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, describe, test} from 'node:test';
import {deployContracts, deterministicDeployer, planContracts} from '../deploy.mjs';
import {Chain, hashOfId} from '../testing/chain.mjs';

describe('deployContracts', () => {
  let chains = [];

  before(async () => {
    chains = await Promise.all([Chain.start({chainId: 8453}), Chain.start({chainId: 42161})]);
  });
  after(() => Promise.all(chains.map((chain) => chain.stop())));

  const place = ({vault, factory, implementation, initCodeHash, tokens, priceFeed}) => ({
    vault,
    factory,
    implementation,
    initCodeHash,
    tokens,
    priceFeed,
  });

  test('gives equal addresses on chains of different ids', async () => {
    const [one, two] = chains;
    assert.deepEqual([one.contracts.chainId, two.contracts.chainId], [8453, 42161]);
    assert.deepEqual(place(one.contracts), place(two.contracts));
    const salt = hashOfId('pay_1');
    assert.equal(
      await one.read(one.factory, 'depositAddress', salt),
      await two.read(two.factory, 'depositAddress', salt),
    );
  });

  test('keeps the committed list of deposit addresses true', async () => {
    const [chain] = chains;
    const {cases, vault, factory, implementation, initCodeHash} = JSON.parse(
      readFileSync(new URL('../deposit_addresses.json', import.meta.url), 'utf8'),
    );
    const {contracts} = chain;
    assert.deepEqual(
      [vault, factory, implementation, initCodeHash],
      [contracts.vault, contracts.factory, contracts.implementation, contracts.initCodeHash],
    );
    for (const {paymentId, salt, depositAddress} of cases) {
      assert.equal(hashOfId(paymentId), salt);
      assert.equal(await chain.read(chain.factory, 'depositAddress', salt), depositAddress);
    }
  });

  test('plans without a chain what it deploys', () => {
    const {contracts, owner} = chains[0];
    const plan = planContracts({owner: owner.address, dev: true});
    assert.equal(plan.vault.address, contracts.vault);
    assert.equal(plan.factory.address, contracts.factory);
    assert.equal(plan.implementation, contracts.implementation);
  });

  test('finds everything the second time, sends nothing and answers alike', async () => {
    const [chain] = chains;
    const count = () => chain.client.getTransactionCount({address: chain.owner.address});
    const before = await count();
    const again = await deployContracts({
      rpcUrl: chain.node.url,
      key: chain.node.key(0),
      operators: [chain.operator.address],
      dev: true,
    });
    assert.deepEqual(again, chain.contracts);
    assert.equal(await count(), before);
  });

  test("leaves a foreign owner's tasks to that owner", async () => {
    const [chain] = chains;
    const log = [];
    const contracts = await deployContracts({
      rpcUrl: chain.node.url,
      key: chain.node.key(0),
      owner: chain.stranger.address,
      operators: [chain.operator.address],
      log: (line) => log.push(line),
    });
    assert.notEqual(contracts.vault, chain.contracts.vault);
    assert.equal(contracts.owner, chain.stranger.address);
    assert.ok(log.some((line) => line.startsWith(`left to the vault's owner ${chain.stranger.address}: setOperator`)));
  });

  test('refuses a chain without the deterministic deployer', async () => {
    const [, chain] = chains;
    await chain.control.setCode({address: deterministicDeployer, bytecode: '0x'});
    await assert.rejects(
      deployContracts({rpcUrl: chain.node.url, key: chain.node.key(0)}),
      /has no deterministic deployer/,
    );
  });
});
