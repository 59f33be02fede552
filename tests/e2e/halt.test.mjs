// A reorganisation below finality: the node contradicts what was final. The chain stops: nothing on it
// is credited, paid out or expired until a person has looked. Everything else goes on.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {rpc, sleep, startMesh, tokenUnit, waitFor} from './harness.mjs';

let mesh;
let bad; // the chain that will contradict itself
let good;
let merchant;
let manual; // a merchant who is paid out when asked for
let destination; // its, on the bad chain
let settled; // paid and paid out before
let waiting; // shown to a payer, unpaid, about to expire
const expiry = {payments: {grace: '1s', defer_after: '1s'}};
before(async () => {
  mesh = await startMesh({overrides: {checkout: (config) => Object.assign(config, expiry)}});
  [bad, good] = mesh.chains;
  merchant = await mesh.merchant();
  manual = await mesh.merchant({name: 'Manual', schedule: 'PAYOUT_SCHEDULE_MANUAL'});
  waiting = await mesh.payment(merchant, {time_to_live: {seconds: 60}});
});
after(() => mesh?.finish());

const state = (payment) => payment.state.replace('PAYMENT_STATE_', '');
const stateOf = async (chain) => (await mesh.operator.ChainService.GetChain({chain: chain.chain})).chain;
const due = (payment, chain) => mesh.option(payment, chain).due.value;

async function askForPayout(amount, client = mesh.operator) {
  return client.PayoutService.CreatePayout({
    request_id: randomUUID(),
    merchant_id: manual.merchant_id,
    destination_id: destination.destination_id,
    amount: {unit: destination.unit, value: String(amount)},
  });
}

test('before it, payments on both chains are settled', async () => {
  const unit = tokenUnit(bad, bad.tokens.testUsd);
  const {destinations} = await mesh.operator.PayoutService.ListPayoutDestinations({merchant_id: manual.merchant_id});
  destination = destinations.find((each) => each.unit === unit);
  settled = await mesh.payment(merchant);
  const kept = await mesh.payment(manual);
  await mesh.pay(settled, bad, 'testUsd', due(settled, bad));
  await mesh.pay(kept, bad, 'testUsd', due(kept, bad));
  settled = await mesh.settled(settled);
  // The manual merchant's money is final, swept and waits for an order.
  await mesh.until(kept, (p) => p.timeline.some((entry) => entry.kind === 'swept'), {timeoutMs: 60_000});
});

test('a reorganisation below finality halts the chain and says why', async () => {
  await mesh.mineByHand(bad);
  await mesh.mine(bad, 10);
  await mesh.caughtUp(bad);
  await rpc(bad, 'anvil_reorg', [8, []]); // final is two blocks deep
  const chain = await waitFor('the chain to halt', async () => {
    const {state, status_reason: reason} = await stateOf(bad);
    return state === 'CHAIN_STATE_HALTED' && {reason};
  });
  assert.match(chain.reason, /final/i);
  assert.equal((await stateOf(good)).state, 'CHAIN_STATE_FOLLOWING');
});

test('the halt is a pause that is visible to everybody who moves money', async () => {
  const pause = await waitFor('the pause', async () => {
    const {pauses} = await mesh.operator.PauseService.ListPauses({});
    return pauses.find((each) => each.scope.chain === bad.chain);
  });
  assert.equal(pause.creator, 'watcher');
  assert.notEqual(pause.reason, '');
  await assert.rejects(
    askForPayout(1_000_000),
    (error) => error.code === 'FAILED_PRECONDITION' && error.reason === 'PAUSED',
  );
});

test('no money is credited or paid out on a halted chain', async () => {
  // Routing looks at the chains about once a second; from then on the halted one is not offered.
  await waitFor(
    'the halted chain not to be offered',
    async () => {
      const {options} = await mesh.payment(merchant);
      return options.length > 0 && options.every((option) => option.chain !== bad.chain);
    },
    {timeoutMs: 15_000, everyMs: 500},
  );
  // Somebody who was shown the address before pays it now.
  const before = {
    wallet: await mesh.balance(bad, 'testUsd', merchant.wallet),
    nonce: await rpc(bad, 'eth_getTransactionCount', [bad.operator, 'latest']),
  };
  await mesh.pay(waiting, bad, 'testUsd', due(waiting, bad));
  await mesh.mine(bad, 5);
  await sleep(3000);
  assert.equal((await mesh.get(waiting)).transfers.length, 0);
  assert.equal((await mesh.journals(waiting)).length, 0);
  assert.equal(await mesh.balance(bad, 'testUsd', merchant.wallet), before.wallet);
  assert.equal(await rpc(bad, 'eth_getTransactionCount', [bad.operator, 'latest']), before.nonce);
});

test('the other chain goes on as ever', async () => {
  const payment = await mesh.payment(merchant);
  await mesh.pay(payment, good, 'testUsd', due(payment, good));
  assert.equal(state(await mesh.settled(payment)), 'SUCCEEDED');
});

test('what was offered on the halted chain does not expire, and says that it waits', async () => {
  const deferred = await mesh.until(waiting, (p) => p.expiry_deferred || state(p) !== 'AWAITING_PAYMENT', {
    timeoutMs: 90_000,
  });
  assert.equal(state(deferred), 'AWAITING_PAYMENT');
  await sleep(2000);
  assert.equal(state(await mesh.get(waiting)), 'AWAITING_PAYMENT');
});

test('everything known is kept and can be read', async () => {
  const before = await mesh.get(settled);
  assert.deepEqual(before, settled);
  const {transfers} = await mesh.operator.TransferService.ListTransfers({chain: bad.chain, page_size: 500});
  assert.ok(transfers.some((transfer) => transfer.transaction_hash === settled.transfers[0].transaction_hash));
  assert.ok((await mesh.journals(settled)).length > 0);
  await mesh.operator.LedgerService.ListAccounts({page_size: 500});
});

test('a chain that still contradicts itself halts again when an operator lets it go on', async () => {
  const config = mesh.description.services.watcher.config;
  execFileSync(mesh.mesh.program('watcher'), ['resume-chain', '--config', config, '--chain', bad.chain], {
    stdio: 'pipe',
  });
  await sleep(1000);
  await waitFor('the chain to halt again', async () => (await stateOf(bad)).state === 'CHAIN_STATE_HALTED');
  assert.equal((await mesh.get(waiting)).transfers.length, 0);
});

test('a halt outlives restarts of every service', async () => {
  for (const service of ['watcher', 'checkout', 'settlement', 'routing']) mesh.kill(service);
  for (const service of ['watcher', 'checkout', 'settlement', 'routing']) await mesh.restart(service);
  assert.equal((await stateOf(bad)).state, 'CHAIN_STATE_HALTED');
  await assert.rejects(askForPayout(1_000_000), (error) => error.reason === 'PAUSED');
  assert.equal(state(await mesh.get(waiting)), 'AWAITING_PAYMENT');
});
