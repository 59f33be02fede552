// The watcher's and routing's reads over the wire: what they answer, against the node's own word, and what
// they refuse. And transfers of nothing, which anybody can send to anybody.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {load} from '../../deploy/local/node/modules.mjs';
import {rpc, startMesh, tokenUnit, waitFor} from './harness.mjs';

const {encodeFunctionData, parseAbi} = await load('viem');
const erc20 = parseAbi([
  'function balanceOf(address) view returns (uint256)',
  'function transfer(address to, uint256 amount) returns (bool)',
]);
const kNobody = `0x${'00'.repeat(19)}77`;
const kNever = `0x${'11'.repeat(32)}`;

let mesh;
let chain;
let merchant;
let settled; // paid in four parts, swept and paid out
before(async () => {
  mesh = await startMesh();
  [chain] = mesh.chains;
  merchant = await mesh.merchant();
  const payment = await mesh.payable(merchant, chain);
  const due = BigInt(mesh.option(payment, chain).due.value);
  for (const part of [100n, 200n, 300n, due - 600n]) await mesh.payMined(payment, chain, 'testUsd', part);
  settled = await mesh.settled(payment);
});
after(() => mesh?.finish());

const units = () => ({token: tokenUnit(chain, chain.tokens.testUsd), native: `caip19/${chain.chain}/slip44:60`});

async function refused(promise, code, reason, field) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, `${error.code} ${error.reason} ${error.message}`);
    assert.equal(error.reason, reason, error.message);
    if (field)
      assert.deepEqual(
        error.violations.map((violation) => violation.field),
        [field],
      );
    return true;
  });
}

/** The numeric code that a stream ends with. */
async function endOf(service, method, request) {
  try {
    for await (const _ of mesh.operator.stream(service, method, request, {deadlineMs: 5000})) assert.fail('it began');
  } catch (error) {
    return error.code;
  }
  return 0;
}

test('the chains are listed with their tokens and where they stand, and each can be asked for', async () => {
  const {chains} = await mesh.operator.ChainService.ListChains();
  assert.deepEqual(
    chains.map((each) => each.chain),
    mesh.chains.map((each) => each.chain).sort(),
  );
  for (const each of chains) {
    assert.equal(each.state, 'CHAIN_STATE_FOLLOWING', each.status_reason);
    assert.deepEqual(
      each.tokens.map((token) => [token.symbol, token.accepted]),
      [
        ['tUSD', true],
        ['tEUR', true],
        ['tOLD', false],
      ],
    );
    assert.ok(
      each.finalized_block.number <= each.safe_block.number && each.safe_block.number <= each.head_block.number,
    );
    const block = await rpc(
      mesh.chains.find(({chain: id}) => id === each.chain),
      'eth_getBlockByNumber',
      [`0x${each.head_block.number.toString(16)}`, false],
    );
    assert.equal(each.head_block.hash, block.hash);
    const {chain: alone} = await mesh.operator.ChainService.GetChain({chain: each.chain});
    assert.equal(alone.display_name, each.display_name);
    assert.ok(alone.head_block.number >= each.head_block.number);
  }
  for (const bad of ['', 'eip155:1', 'eip155:31337 ', "' or 1=1--"]) {
    await refused(mesh.operator.ChainService.GetChain({chain: bad}), 'NOT_FOUND', 'CHAIN_NOT_FOUND');
  }
});

test('fees come from the newest block and leave room for two of it', async () => {
  const fees = await mesh.operator.ChainService.EstimateFees({chain: chain.chain});
  const block = await rpc(chain, 'eth_getBlockByNumber', [`0x${fees.block.number.toString(16)}`, false]);
  assert.equal(fees.block.hash, block.hash);
  assert.equal(BigInt(fees.base_fee_per_gas), BigInt(block.baseFeePerGas));
  assert.equal(
    BigInt(fees.max_fee_per_gas),
    2n * BigInt(fees.base_fee_per_gas) + BigInt(fees.max_priority_fee_per_gas),
  );
  await refused(mesh.operator.ChainService.EstimateFees({chain: 'eip155:1'}), 'NOT_FOUND', 'CHAIN_NOT_FOUND');
});

test('balances are those of one block, as many as five hundred at once', async () => {
  const {token, native} = units();
  const {address} = chain.payer;
  const {ChainService} = mesh.operator;
  const queries = [
    {address, unit: token},
    {address, unit: native},
    {address: kNobody, unit: token},
  ];
  const {balances, block} = await ChainService.GetBalances({chain: chain.chain, queries});
  const at = `0x${block.number.toString(16)}`;
  const data = encodeFunctionData({abi: erc20, functionName: 'balanceOf', args: [address]});
  assert.equal(
    BigInt(balances[0].amount.value),
    BigInt(await rpc(chain, 'eth_call', [{to: chain.tokens.testUsd, data}, at])),
  );
  assert.equal(BigInt(balances[1].amount.value), BigInt(await rpc(chain, 'eth_getBalance', [address, at])));
  assert.deepEqual([balances[2].amount, balances[2].address], [{unit: token, value: '0'}, kNobody]);
  const old = await ChainService.GetBalances({chain: chain.chain, queries: queries.slice(1, 2), block_number: 1});
  assert.equal(old.block.number, 1);
  assert.equal(BigInt(old.balances[0].amount.value), BigInt(await rpc(chain, 'eth_getBalance', [address, '0x1'])));
  const final = await ChainService.GetBalances({chain: chain.chain, queries, block_tag: 'BLOCK_TAG_FINALIZED'});
  assert.ok(final.block.number < Number(await rpc(chain, 'eth_blockNumber')));

  const many = (count) => ({chain: chain.chain, queries: Array.from({length: count}, () => queries[0])});
  assert.equal((await ChainService.GetBalances(many(500))).balances.length, 500);
  await refused(ChainService.GetBalances(many(501)), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'queries');
  await refused(ChainService.GetBalances(many(0)), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'queries');
  await refused(
    ChainService.GetBalances({chain: chain.chain, queries, block_number: block.number + 100_000}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'block_number',
  );
  const one = (query) => ChainService.GetBalances({chain: chain.chain, queries: [queries[0], query]});
  await refused(one({address: '0x12', unit: token}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'queries[1].address');
  for (const unit of [
    '',
    'iso4217/EUR',
    tokenUnit(mesh.chains[1], chain.tokens.testUsd),
    'caip19/eip155:1/slip44:60',
  ]) {
    await refused(one({address, unit}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'queries[1].unit');
  }
});

test('a contract answers as the node says, and a revert comes back with its data', async () => {
  const {ChainService} = mesh.operator;
  const to = chain.tokens.testUsd;
  const bytes = (hex) => Buffer.from(hex.slice(2), 'hex');
  const balanceOf = encodeFunctionData({abi: erc20, functionName: 'balanceOf', args: [chain.payer.address]});
  const {data, block} = await ChainService.CallContract({chain: chain.chain, to_address: to, data: bytes(balanceOf)});
  assert.equal(
    `0x${data.toString('hex')}`,
    await rpc(chain, 'eth_call', [{to, data: balanceOf}, `0x${block.number.toString(16)}`]),
  );

  const tooMuch = encodeFunctionData({abi: erc20, functionName: 'transfer', args: [chain.payer.address, 1n]});
  const call = {chain: chain.chain, to_address: to, data: bytes(tooMuch), from_address: kNobody};
  await assert.rejects(ChainService.CallContract(call), (error) => {
    assert.deepEqual([error.code, error.reason], ['FAILED_PRECONDITION', 'CALL_REVERTED'], error.message);
    assert.match(error.details.metadata.data, /^0x([0-9a-f]{2}){4,}$/);
    assert.ok(
      error.details.metadata.data.includes(kNobody.slice(2)) || error.details.metadata.data.startsWith('0x08c379a0'),
    );
    return true;
  });
  // The longest data is passed on (and no function of the token); one byte more is not.
  await refused(
    ChainService.CallContract({...call, data: Buffer.alloc(65_536)}),
    'FAILED_PRECONDITION',
    'CALL_REVERTED',
  );
  await refused(
    ChainService.CallContract({...call, data: Buffer.alloc(65_537)}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'data',
  );
  await refused(
    ChainService.CallContract({...call, to_address: 'nobody'}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'to_address',
  );
  await refused(
    ChainService.CallContract({...call, from_address: '0x'}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'from_address',
  );
  await refused(ChainService.CallContract({...call, chain: 'eip155:1'}), 'NOT_FOUND', 'CHAIN_NOT_FOUND');
});

test("an account's nonces are the node's", async () => {
  const {TransactionService} = mesh.operator;
  const {address} = chain.payer;
  const nonces = await TransactionService.GetAccountNonce({chain: chain.chain, address});
  assert.equal(nonces.latest_nonce, Number(await rpc(chain, 'eth_getTransactionCount', [address, 'latest'])));
  assert.ok(nonces.finalized_nonce <= nonces.latest_nonce && nonces.latest_nonce <= nonces.pending_nonce);
  const none = await TransactionService.GetAccountNonce({chain: chain.chain, address: kNobody});
  assert.deepEqual(none, {latest_nonce: 0, pending_nonce: 0, finalized_nonce: 0});
  await refused(
    TransactionService.GetAccountNonce({chain: chain.chain, address: '0x'}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'address',
  );
  await refused(TransactionService.GetAccountNonce({chain: 'eip155:1', address}), 'NOT_FOUND', 'CHAIN_NOT_FOUND');
});

test("the mesh's own transactions are streamed in order and found by their hashes", async () => {
  const {TransactionService} = mesh.operator;
  const last = new Map();
  let position = 0;
  const stream = mesh.operator.stream(
    'TransactionService',
    'StreamTransactions',
    {after_position: 0},
    {deadlineMs: 30_000},
  );
  for await (const {events} of stream) {
    assert.ok(events.length > 0);
    for (const event of events) {
      assert.equal(event.position, ++position);
      const {transaction} = event;
      assert.equal(transaction.revision, (last.get(transaction.transaction_hash)?.revision ?? 0) + 1);
      last.set(transaction.transaction_hash, transaction);
    }
    // A payout that is final has been swept for and paid before.
    if ([...last.values()].filter(({state}) => state === 'TRANSACTION_STATE_FINALIZED').length >= 2) break;
  }
  stream.cancel();
  for (const transaction of last.values()) {
    if (transaction.state !== 'TRANSACTION_STATE_FINALIZED') continue;
    const {transaction: found} = await TransactionService.GetTransaction({
      chain: transaction.chain,
      transaction_hash: transaction.transaction_hash,
    });
    assert.deepEqual(found, transaction);
    const receipt = await rpc(
      mesh.chains.find((each) => each.chain === found.chain),
      'eth_getTransactionReceipt',
      [found.transaction_hash],
    );
    assert.deepEqual(
      [found.block.hash, found.from_address, found.receipt.gas_used, found.receipt.success, found.receipt.logs.length],
      [receipt.blockHash, receipt.from, Number(receipt.gasUsed), true, receipt.logs.length],
    );
  }
  const unknown = {chain: chain.chain, transaction_hash: kNever};
  await refused(TransactionService.GetTransaction(unknown), 'NOT_FOUND', 'TRANSACTION_NOT_FOUND');
  await refused(
    TransactionService.GetTransaction({...unknown, transaction_hash: '0x12'}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'transaction_hash',
  );
  for (const [service, method] of [
    ['TransactionService', 'StreamTransactions'],
    ['TransferService', 'StreamTransfers'],
    ['CheckoutEvents', 'StreamEvents'],
    ['SettlementEvents', 'StreamEvents'],
  ]) {
    assert.equal(await endOf(service, method, {after_position: -1}), 3, `${method} before the beginning`);
    assert.equal(await endOf(service, method, {after_position: 1_000_000_000}), 9, `${method} beyond the end`);
  }
});

test('transfers are listed newest first, page by page, and by each filter', async () => {
  const {TransferService} = mesh.operator;
  const filter = {chain: chain.chain, to_address: settled.deposit_address};
  const pages = [];
  let token = '';
  do {
    const page = await TransferService.ListTransfers({...filter, page_size: 3, page_token: token});
    pages.push(page.transfers);
    token = page.next_page_token;
  } while (token);
  assert.deepEqual(
    pages.map((page) => page.length),
    [3, 1],
  );
  assert.deepEqual(
    pages.flat().map((each) => each.transfer_id),
    settled.transfers.map((each) => each.transfer_id).reverse(),
  );
  assert.ok(
    pages
      .flat()
      .every((each) => each.state === 'TRANSFER_STATE_FINALIZED' && each.to_address === settled.deposit_address),
  );
  const [first] = settled.transfers;
  const {transfers} = await TransferService.ListTransfers({transaction_hash: first.transaction_hash});
  assert.deepEqual(
    transfers.map((each) => [each.transfer_id, each.amount.value]),
    [[first.transfer_id, '100']],
  );
  assert.deepEqual((await TransferService.ListTransfers({...filter, chain: mesh.chains[1].chain})).transfers, []);

  const {next_page_token: mine} = await TransferService.ListTransfers({...filter, page_size: 1});
  await refused(TransferService.ListTransfers({page_token: mine}), 'INVALID_ARGUMENT', 'INVALID_PAGE_TOKEN');
  await refused(TransferService.ListTransfers({page_token: 'x'}), 'INVALID_ARGUMENT', 'INVALID_PAGE_TOKEN');
  await refused(TransferService.ListTransfers({page_size: -1}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'page_size');
  await refused(TransferService.ListTransfers({chain: 'x'}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'chain');
  await refused(TransferService.ListTransfers({to_address: 'x'}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'to_address');
  await refused(
    TransferService.ListTransfers({transaction_hash: 'x'}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'transaction_hash',
  );
});

test('a thousand addresses are registered at once, again without effect, and not one more', async () => {
  const {TransferService} = mesh.operator;
  const addresses = Array.from({length: 1001}, (_, i) => `0x${(0xfeed0000 + i).toString(16).padStart(40, '0')}`);
  const known = () =>
    Number(mesh.mesh.postgres.query('SELECT count(*) FROM watched_address', {database: 'paymesh_watcher'})[0][0]);
  const count = known();
  await refused(TransferService.WatchAddresses({addresses}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'addresses');
  await refused(TransferService.WatchAddresses({addresses: []}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'addresses');
  await refused(
    TransferService.WatchAddresses({addresses: [addresses[0], '0x12']}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'addresses[1]',
  );
  assert.equal(known(), count);
  await TransferService.WatchAddresses({addresses: addresses.slice(0, 1000)});
  await TransferService.WatchAddresses({addresses: addresses.slice(0, 1000)});
  assert.equal(known(), count + 1000);
  await refused(
    merchant.edge.TransferService.WatchAddresses({addresses: [kNobody]}),
    'PERMISSION_DENIED',
    'METHOD_NOT_ALLOWED',
  );
});

test("a decision is found by its own id and by its payment's", async () => {
  const {RoutingService} = mesh.operator;
  const {decision} = await RoutingService.GetDecision({payment_id: settled.payment_id});
  assert.equal(decision.decision_id, settled.decision_id);
  assert.deepEqual((await RoutingService.GetDecision({decision_id: settled.decision_id})).decision, decision);
  assert.deepEqual(
    [decision.facts.payment_id, decision.facts.merchant_id, decision.facts.price],
    [settled.payment_id, settled.merchant_id, settled.price],
  );
  assert.deepEqual(
    decision.options.map(({rank, amount}) => [rank, amount]),
    settled.options.map(({rank, due}) => [rank, due]),
  );
  assert.match(decision.decision_hash, /^[0-9a-f]{64}$/);
  await refused(RoutingService.GetDecision({payment_id: 'pay_nobody'}), 'NOT_FOUND', 'DECISION_NOT_FOUND');
  await refused(RoutingService.GetDecision({}), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'decision_id');
  await refused(
    RoutingService.GetDecision({decision_id: decision.decision_id, payment_id: settled.payment_id}),
    'INVALID_ARGUMENT',
    'INVALID_FIELD',
    'decision_id',
  );
});

test('a rate has its source and time, there and back, and what nobody prices has none', async () => {
  const {RoutingService} = mesh.operator;
  const ask = async (base, quote) => (await RoutingService.GetRate({base_unit: base, quote_unit: quote})).rate;
  const there = await ask('iso4217/GBP', 'iso4217/USD');
  assert.equal(
    BigInt(there.numerator) * 100n,
    BigInt(there.denominator) * 127n,
    `${there.numerator}/${there.denominator}`,
  );
  assert.ok(there.source && there.observe_time);
  const back = await ask('iso4217/USD', 'iso4217/GBP');
  assert.equal(BigInt(back.numerator) * BigInt(there.numerator), BigInt(back.denominator) * BigInt(there.denominator));
  assert.deepEqual([back.base_unit, back.quote_unit], ['iso4217/USD', 'iso4217/GBP']);
  await refused(ask('iso4217/CHF', 'iso4217/USD'), 'FAILED_PRECONDITION', 'RATE_UNAVAILABLE');
  await refused(ask('CHF', 'iso4217/USD'), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'base_unit');
  await refused(ask('iso4217/USD', ''), 'INVALID_ARGUMENT', 'INVALID_FIELD', 'quote_unit');
});

test('transfers of nothing change nothing: not before, not after, and not instead of a payment', async () => {
  const paid = await mesh.payable(merchant, chain);
  const canceled = await mesh.payable(merchant, chain);
  const nothingTo = async (payment) => {
    for (const token of ['testEur', 'returnsNothing', 'testUsd'])
      await mesh.mined(chain, await mesh.send(chain, token, payment.deposit_address, 0n));
    await mesh.caughtUp(chain);
  };
  await nothingTo(paid);
  await nothingTo(canceled);
  await mesh.payMined(paid, chain, 'testUsd', mesh.option(paid, chain).due.value);
  await mesh.until(paid, 'SUCCEEDED');
  await nothingTo(paid);
  const {payment: gone} = await merchant.edge.PaymentService.CancelPayment({
    request_id: 'no money came',
    payment_id: canceled.payment_id,
    reason: 'test',
  });
  assert.equal(gone.state, 'PAYMENT_STATE_CANCELED');
  await nothingTo(canceled);
  const settledNow = await mesh.settled(paid);
  assert.deepEqual([settledNow.state, settledNow.transfers.length], ['PAYMENT_STATE_SUCCEEDED', 1]);
  assert.ok(
    !settledNow.flags.includes('PAYMENT_FLAG_WRONG_ASSET') &&
      !settledNow.flags.includes('PAYMENT_FLAG_EXTRA_AFTER_SUCCESS'),
  );
  assert.equal((await mesh.get(canceled)).state, 'PAYMENT_STATE_CANCELED');
  const listed = await waitFor('the list', () =>
    mesh.operator.TransferService.ListTransfers({to_address: paid.deposit_address}),
  );
  assert.equal(listed.transfers.length, 1);
});
