// What a stranger can put on a chain for cents: it may cost him his own payment, and never stops another's.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {load} from '../../deploy/local/node/modules.mjs';
import {startMesh} from './harness.mjs';

const {createWalletClient, encodeFunctionData, http, parseAbi} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');

let mesh;
let stranger; // a merchant who pays himself
let merchant;
before(async () => {
  mesh = await startMesh();
  stranger = await mesh.merchant({name: 'Stranger'});
  merchant = await mesh.merchant({name: 'Shop'});
});
after(() => mesh?.finish());

async function anotherIsPaid(chain) {
  const payment = await mesh.payable(merchant, chain);
  await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const paid = await mesh.until(payment, 'SUCCEEDED', {timeoutMs: 90_000});
  assert.equal(paid.state, 'PAYMENT_STATE_SUCCEEDED');
}

test('more transfers to one payment than its timeline shows, applied at once, stop no other payment', async () => {
  const chain = mesh.chains[0];
  const flooded = await mesh.payment(stranger);
  await mesh.mesh.processes.stop('checkout');
  let last;
  for (let i = 0; i < 130; i++) last = await mesh.pay(flooded, chain, 'testUsd', 1);
  await mesh.mined(chain, last);
  await mesh.caughtUp(chain);
  mesh.mesh.startService('checkout');
  await mesh.mesh.waitReady('checkout');
  const told = await mesh.until(flooded, (payment) => payment.transfers.length >= 100, {timeoutMs: 120_000});
  assert.ok(told.timeline.length <= 200, `${told.timeline.length} lines are shown`);
  await anotherIsPaid(chain);
});

// A contract that passes its input on to a token and then writes a log of 1 MiB and a byte.
const kRuntime = '604460205f375f5f60445f5f5f355af150621000015fa000';
const kCreation = `0x60${(kRuntime.length / 2).toString(16).padStart(2, '0')}8060095f395ff3${kRuntime}`;

test('a transaction with a log of more than a mebibyte beside a payment does not stop its chain', async () => {
  const chain = mesh.chains[0];
  const target = await mesh.payable(stranger, chain);
  const wallet = createWalletClient({
    account: privateKeyToAccount(chain.payer.key),
    transport: http(chain.rpc_url),
    chain: null,
  });
  const created = await mesh.mined(chain, await wallet.sendTransaction({data: kCreation, gas: 500_000n}));
  await mesh.mined(chain, await mesh.send(chain, 'testUsd', created.contractAddress, 5));
  const transfer = encodeFunctionData({
    abi: parseAbi(['function transfer(address,uint256)']),
    args: [target.deposit_address, 1n],
  });
  const data = `0x${chain.tokens.testUsd.slice(2).toLowerCase().padStart(64, '0')}${transfer.slice(2)}`;
  const noisy = await mesh.mined(
    chain,
    await wallet.sendTransaction({to: created.contractAddress, data, gas: 16_000_000n}),
  );
  assert.equal(noisy.status, '0x1');
  assert.ok(
    noisy.logs.some((log) => log.data.length > 2 ** 21),
    'the log is as long as it should be',
  );
  const seen = await mesh.until(target, (payment) => payment.transfers.length === 1, {timeoutMs: 90_000});
  assert.equal(seen.transfers[0].amount.value, '1');
  await anotherIsPaid(chain);
});
