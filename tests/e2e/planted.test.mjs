// Faults planted by hand, as a service with the bug would leave them behind: the invariants must tell of
// each, and of nothing before it is planted and after it is taken away again. The services stand still
// meanwhile; in the end they go on from where they were.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {checkInvariants} from '../invariants/invariants.mjs';
import {load} from '../../deploy/local/node/modules.mjs';
import {rpc, services, startMesh, waitFor} from './harness.mjs';

const {keccak256, parseTransaction} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');

let mesh;
let chain;
let settled; // paid, swept and paid out
let fresh; // paid in the newest block, above the final one
before(async () => {
  mesh = await startMesh();
  [chain] = mesh.chains;
  const merchant = await mesh.merchant();
  const due = (payment) => mesh.option(payment, chain).due.value;
  const first = await mesh.payable(merchant, chain);
  await mesh.pay(first, chain, 'testUsd', due(first));
  settled = await mesh.settled(first);
  fresh = await mesh.payment(merchant);
  await mesh.mineByHand(chain);
  const hash = await mesh.pay(fresh, chain, 'testUsd', due(fresh));
  await mesh.mine(chain);
  await mesh.mined(chain, hash);
  fresh = await mesh.until(fresh, (p) => p.transfers.length === 1);
  await waitFor('its posting', async () => (await mesh.journals(fresh)).length > 0);
  await mesh.caughtUp(chain);
  await mesh.agree();
  await mesh.mesh.stopServices();
});
after(() => mesh?.finish());

const sql = (service, text) => mesh.mesh.postgres.query(text, {database: `paymesh_${service}`});

/** Which invariants tell of what `plant` did to a service's database, which is put back afterwards. */
async function toldOf(service, plant) {
  const name = `paymesh_${service}`;
  const {postgres} = mesh.mesh;
  postgres.query(`CREATE DATABASE kept TEMPLATE ${name} OWNER ${name}`);
  postgres.query('REVOKE ALL ON DATABASE kept FROM PUBLIC');
  try {
    await plant();
    return new Map((await checkInvariants(mesh.mesh)).map(({id, rows}) => [id, rows]));
  } finally {
    postgres.query(`DROP DATABASE ${name} WITH (FORCE)`);
    postgres.query(`ALTER DATABASE kept RENAME TO ${name}`);
  }
}

function includes(told, ...ids) {
  for (const id of ids) assert.ok(told.has(id), `${id} is silent; told: ${[...told.keys()].join(', ') || 'nothing'}`);
}
const nothingElse = async () => assert.deepEqual(await checkInvariants(mesh.mesh), []);
const refuses = (service, text, key) =>
  assert.throws(
    () => sql(service, text),
    (error) => error.stderr.includes(key),
  );

test('a transfer credited twice, its unique key dropped, is told of', async () => {
  await nothingElse();
  const [transfer] = settled.transfers;
  const credit = `
    UPDATE ledger_head SET sequence = sequence + 1;
    INSERT INTO ledger_journal
      SELECT (jsonb_populate_record(j, jsonb_build_object('sequence', h.sequence, 'journal_id', 'jrn_credited_again'))).*
      FROM ledger_journal j, ledger_head h WHERE j.event_id = '${transfer.transfer_id}' AND j.rule = 'P1';
    INSERT INTO ledger_leg
      SELECT h.sequence, l.position, l.account_number, l.debit, l.amount FROM ledger_head h, ledger_leg l JOIN ledger_journal j USING (sequence)
      WHERE j.event_id = '${transfer.transfer_id}' AND j.rule = 'P1' AND j.journal_id <> 'jrn_credited_again';`;
  const key = 'ledger_journal_event_id_rule_incarnation_key';
  refuses('settlement', credit, key);
  const told = await toldOf('settlement', () =>
    sql('settlement', `ALTER TABLE ledger_journal DROP CONSTRAINT ${key}; ${credit}`),
  );
  includes(told, 'I6', 'I21', 'I25');
  assert.deepEqual(told.get('I6'), [{event_id: transfer.transfer_id, standing: 2}]);
  assert.deepEqual(
    told.get('I25').map((row) => row.table),
    ['ledger_journal'],
  );
  await nothingElse();
});

test('a transfer stored twice, its unique key dropped, is told of', async () => {
  const [transfer] = settled.transfers;
  const store = `
    INSERT INTO transfer OVERRIDING USER VALUE
      SELECT (jsonb_populate_record(t, jsonb_build_object('transfer_id', 'trf_stored_again', 'variant', t.variant + 1))).*
      FROM transfer t WHERE t.transfer_id = '${transfer.transfer_id}';`;
  refuses('watcher', store, 'transfer_live');
  const told = await toldOf('watcher', () => sql('watcher', `DROP INDEX transfer_live; ${store}`));
  includes(told, 'I6', 'I24', 'I25');
  assert.deepEqual(
    told.get('I6').map((row) => [row.transaction_hash, row.live]),
    [[transfer.transaction_hash, 2]],
  );
  await nothingElse();
});

/** What sends settled's payout once more under the next nonce, signed as it would be. */
async function secondNonce() {
  const [[slot, payout, raw, nonce]] = sql(
    'settlement',
    `
    SELECT t.chain_transaction_id, i.payout_id, '0x' || encode(a.raw, 'hex'), w.next_nonce FROM payout_line p
    JOIN chain_transaction_item i USING (payout_id) JOIN chain_transaction t USING (chain_transaction_id)
    JOIN chain_transaction_attempt a USING (chain_transaction_id) JOIN sender_wallet w ON w.chain = t.chain AND w.address = t.wallet
    WHERE p.payment_id = '${settled.payment_id}' AND t.state = 'FINALIZED' ORDER BY a.sequence DESC LIMIT 1`,
  );
  const wallet = privateKeyToAccount((await mesh.mesh.keys()).operator.key);
  const {r, s, v, yParity, ...signed} = parseTransaction(raw);
  const again = await wallet.signTransaction({...signed, nonce: Number(nonce)});
  const send = `
    UPDATE sender_wallet SET next_nonce = next_nonce + 1 WHERE chain = '${chain.chain}';
    INSERT INTO chain_transaction OVERRIDING USER VALUE
      SELECT (jsonb_populate_record(t, jsonb_build_object('chain_transaction_id', 'ctx_second', 'nonce', ${nonce}, 'state', 'BROADCAST',
        'included_hash', NULL, 'block_number', NULL, 'block_hash', NULL, 'block_time', NULL, 'success', NULL, 'gas_cost', NULL))).*
      FROM chain_transaction t WHERE t.chain_transaction_id = '${slot}';
    INSERT INTO chain_transaction_item
      SELECT (jsonb_populate_record(i, jsonb_build_object('chain_transaction_id', 'ctx_second', 'alive', true, 'outcome', ''))).*
      FROM chain_transaction_item i WHERE i.chain_transaction_id = '${slot}';
    INSERT INTO chain_transaction_attempt
      SELECT (jsonb_populate_record(a, jsonb_build_object('chain_transaction_id', 'ctx_second', 'sequence', 1,
        'transaction_hash', '${keccak256(again)}', 'raw', '\\x${again.slice(2)}'))).*
      FROM chain_transaction_attempt a WHERE a.chain_transaction_id = '${slot}' ORDER BY a.sequence DESC LIMIT 1;`;
  return {slot, payout, send};
}

test('a second nonce on retry, the unique key of slots dropped, is told of', async () => {
  const {payout, send} = await secondNonce();
  refuses('settlement', send, 'chain_transaction_item_payout');
  const told = await toldOf('settlement', () => sql('settlement', `DROP INDEX chain_transaction_item_payout; ${send}`));
  includes(told, 'I15', 'I16', 'I25');
  assert.deepEqual(told.get('I15'), [{payout_id: payout, slots: 2}]);
  assert.deepEqual(told.get('I16'), [{payout_id: payout, nonces: 2}]);
  await nothingElse();
});

test('a second nonce on retry that withdraws signed bytes, with every key in place, is told of', async () => {
  const {slot, payout, send} = await secondNonce();
  const withdraw = `UPDATE chain_transaction_item SET alive = false WHERE chain_transaction_id = '${slot}';`;
  const told = await toldOf('settlement', () => sql('settlement', `${withdraw} ${send}`));
  includes(told, 'I16');
  assert.deepEqual(told.get('I16'), [{payout_id: payout, nonces: 2}]);
  await nothingElse();
});

test('a skipped parent-hash check is told of', async () => {
  const [transfer] = fresh.transfers;
  // The newest block, which pays, is replaced by one that does not, and another one follows.
  await rpc(chain, 'anvil_reorg', [1, []]);
  await mesh.mine(chain);
  const block = await rpc(chain, 'eth_getBlockByNumber', ['latest', false]);
  const bytes = (hex) => `decode('${hex.slice(2)}', 'hex')`;
  const [[head]] = sql('watcher', `SELECT head_number FROM chain WHERE chain = '${chain.chain}'`);
  assert.equal(Number(block.number), Number(head) + 1);
  // What a follower that does not compare parents does: the next number is the next block.
  const told = await toldOf('watcher', () =>
    sql(
      'watcher',
      `
    INSERT INTO block (chain, number, hash, parent_hash, block_time)
      VALUES ('${chain.chain}', ${Number(block.number)}, ${bytes(block.hash)}, ${bytes(block.parentHash)}, to_timestamp(${Number(block.timestamp)}));
    UPDATE chain SET head_number = ${Number(block.number)}, head_hash = ${bytes(block.hash)} WHERE chain = '${chain.chain}';`,
    ),
  );
  includes(told, 'I7', 'I11', 'I12');
  assert.deepEqual(
    told.get('I12').map((row) => [row.chain, row.number, row.parent_hash]),
    [[chain.chain, Number(block.number), block.parentHash]],
  );
  assert.ok(told.get('I7').some((row) => row.source === 'settlement' && row.transfer_id === transfer.transfer_id));
});

test('the services, which do check, find the fork and take the credit back', async () => {
  await mesh.mesh.startServices();
  await mesh.mineByItself(chain);
  const payment = await mesh.until(fresh, (p) => p.transfers[0].orphaned);
  assert.equal(payment.finality, 'FINALITY_NONE');
  await mesh.agree();
  assert.ok(services.every((service) => mesh.mesh.processes.pid(service)));
});
