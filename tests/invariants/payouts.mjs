// Money out: one nonce for one intent, bytes before broadcasts, what was approved is what was signed, and
// what left the vault is what the books and the payouts say.
import {load} from '../../deploy/local/node/modules.mjs';
import {artifact} from '../../deploy/contracts/deploy.mjs';
import {hashOfId} from './context.mjs';

const {decodeEventLog, decodeFunctionData, parseTransaction, recoverTransactionAddress, toEventSelector} =
  await load('viem');
const vaultAbi = artifact('Vault').abi;
const factoryAbi = artifact('DepositFactory').abi;
const kTransferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const kPaidTopic = toEventSelector(vaultAbi.find((item) => item.type === 'event' && item.name === 'Paid'));

const kSlots = `
  SELECT t.chain_transaction_id, t.chain, t.wallet, t.nonce, t.purpose, t.state, lower(t.to_address) AS to_address,
         '0x' || encode(t.call_data, 'hex') AS call_data, t.gas_limit::text, t.unit, t.included_hash, t.block_hash, t.epoch
  FROM chain_transaction t`;
const kAttempts = `
  SELECT a.transaction_hash, a.chain_transaction_id, a.sequence, '0x' || encode(a.raw, 'hex') AS raw, a.broadcast_count,
         a.max_fee::text, a.epoch, extract(epoch FROM a.sign_time)::float AS sign_time,
         extract(epoch FROM a.first_broadcast_time)::float AS first_broadcast_time
  FROM chain_transaction_attempt a`;
const kPayouts = `
  SELECT payout_id, chain, unit, lower(address) AS address, amount::text, state, transaction_hash FROM payout`;

/** Legal steps of a payout; the last four are ends. */
const kSteps = {
  awaiting_approval: ['reserved', 'rejected', 'canceled'],
  reserved: ['submitted', 'canceled'],
  submitted: ['reserved', 'included', 'failed'],
  included: ['submitted', 'finalized'],
  finalized: [],
  failed: [],
  canceled: [],
  rejected: [],
};
/** States that can follow within one transaction, which tells of the last alone. */
function reachable(from) {
  const seen = new Set([from]);
  for (const state of seen) for (const next of kSteps[state] ?? []) seen.add(next);
  return seen;
}

/** Every Paid event of a vault. */
async function paidEvents(ctx, chain) {
  const head = (await ctx.heads()).get(chain.chain);
  const logs = await chain.logs({
    address: chain.vault,
    topics: [kPaidTopic],
    fromBlock: 0,
    toBlock: Number((await chain.block('latest')).number),
  });
  return logs.map((log) => {
    const {args} = decodeEventLog({abi: vaultAbi, data: log.data, topics: log.topics});
    return {
      ...args,
      token: args.token.toLowerCase(),
      to: args.to.toLowerCase(),
      block: Number(log.blockNumber),
      hash: log.transactionHash,
      final: head ? Number(log.blockNumber) <= head.finalized_number : false,
    };
  });
}

/** Why signed bytes are not what was approved, or null. */
async function difference(slot, attempt, items, chain) {
  const signed = parseTransaction(attempt.raw);
  if (signed.chainId !== chain.chainId) return `chain ${signed.chainId}`;
  if ((signed.nonce ?? 0) !== slot.nonce) return `nonce ${signed.nonce}`;
  if ((signed.to ?? '').toLowerCase() !== slot.to_address) return `to ${signed.to}`;
  if ((signed.data ?? '0x') !== slot.call_data) return 'call data';
  if ((signed.value ?? 0n) !== 0n) return `value ${signed.value}`;
  if (String(signed.gas) !== slot.gas_limit) return `gas ${signed.gas}`;
  if (String(signed.maxFeePerGas) !== attempt.max_fee) return `fee ${signed.maxFeePerGas}`;
  const sender = await recoverTransactionAddress({serializedTransaction: attempt.raw});
  if (sender.toLowerCase() !== slot.wallet) return `sender ${sender}`;
  if (slot.purpose === 'PAYOUT') {
    if (slot.to_address !== chain.vault) return `contract ${slot.to_address}`;
    const {functionName, args} = decodeFunctionData({abi: vaultAbi, data: slot.call_data});
    const said = functionName === 'pay' ? [{payoutId: args[0], token: args[1], to: args[2], amount: args[3]}] : args[0];
    const text = (item) => `${item.payoutId} ${item.token.toLowerCase()} ${item.to.toLowerCase()} ${item.amount}`;
    const approved = items.map(
      (item) => `${hashOfId(item.payout_id)} ${item.unit.split('/erc20:')[1]} ${item.address} ${item.amount}`,
    );
    if (said.map(text).join() !== approved.join())
      return `payouts ${said.map(text).join()}, approved ${approved.join()}`;
  }
  if (slot.purpose === 'SWEEP') {
    if (slot.to_address !== chain.factory) return `contract ${slot.to_address}`;
    const {
      args: [salts, token],
    } = decodeFunctionData({abi: factoryAbi, data: slot.call_data});
    if (`caip19/${chain.chain}/erc20:${token.toLowerCase()}` !== slot.unit) return `token ${token}`;
    if (salts.join() !== items.map((item) => hashOfId(item.payment_id)).join()) return 'salts';
  }
  return null;
}

export const payouts = [
  {
    id: 'I14',
    what: 'epochs only grow, and none is ahead of the leases',
    run: async (ctx) => [
      ...(await ctx.sql(
        'settlement',
        `
        SELECT t.chain_transaction_id, t.epoch, (SELECT max(epoch) FROM lease) AS lease FROM chain_transaction t
        WHERE t.epoch > coalesce((SELECT max(epoch) FROM lease), 0)`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT a.transaction_hash, a.epoch, b.epoch AS earlier FROM chain_transaction_attempt a JOIN chain_transaction_attempt b
          ON b.chain_transaction_id = a.chain_transaction_id AND b.sequence < a.sequence WHERE b.epoch > a.epoch`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT guard AS missing FROM unnest(ARRAY['chain_transaction_guard', 'chain_transaction_attempt_guard', 'payout_guard']) guard
        WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = guard AND tgenabled <> 'D')`,
      )),
    ],
  },
  {
    id: 'I15',
    what: 'a payout has one slot that could pay it, and a nonce belongs to one slot',
    run: async (ctx) => [
      ...(await ctx.sql(
        'settlement',
        `
        SELECT payout_id, count(*) AS slots FROM chain_transaction_item WHERE alive AND payout_id IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT chain, wallet, nonce, count(*) AS slots FROM chain_transaction GROUP BY 1, 2, 3 HAVING count(*) > 1`,
      )),
    ],
  },
  {
    id: 'I16',
    what: 'a payout goes out under a second nonce only when somebody else finally used the first',
    run: async (ctx) => {
      const rows = await ctx.sql(
        'settlement',
        `
        SELECT i.payout_id, count(DISTINCT t.nonce) AS nonces FROM chain_transaction_item i JOIN chain_transaction t USING (chain_transaction_id)
        WHERE i.payout_id IS NOT NULL AND t.state <> 'REPLACED'
          AND EXISTS (SELECT FROM chain_transaction_attempt a WHERE a.chain_transaction_id = t.chain_transaction_id)
        GROUP BY 1 HAVING count(DISTINCT t.nonce) > 1`,
      );
      const lost = await ctx.sql(
        'settlement',
        `
        SELECT t.chain, t.wallet, t.nonce, a.transaction_hash FROM chain_transaction t LEFT JOIN chain_transaction_attempt a
          USING (chain_transaction_id) WHERE t.state = 'REPLACED'`,
      );
      for (const chain of await ctx.chains()) {
        const here = lost.filter((row) => row.chain === chain.chain);
        if (here.length === 0) continue;
        const final = Number((await chain.block('finalized')).number);
        const receipts = await chain.receiptsOf(here.map((row) => row.transaction_hash).filter(Boolean));
        for (const row of here) {
          if ((await chain.nonce(row.wallet, final)) <= row.nonce)
            rows.push({...row, why: 'given up although its nonce is not used finally'});
          if (receipts.get(row.transaction_hash)) rows.push({...row, why: 'given up although it is mined'});
        }
      }
      return rows;
    },
  },
  {
    id: 'I17',
    what: 'each payout is paid once at most, as agreed, and the vault pays nothing else',
    run: async (ctx) => {
      const rows = [];
      const known = await ctx.sql('settlement', kPayouts);
      for (const chain of await ctx.chains()) {
        const byHash = new Map(
          known.filter((row) => row.chain === chain.chain).map((row) => [hashOfId(row.payout_id), row]),
        );
        const paid = await paidEvents(ctx, chain);
        const count = new Map();
        for (const event of paid) {
          count.set(event.payoutId, (count.get(event.payoutId) ?? 0) + 1);
          const payout = byHash.get(event.payoutId);
          if (!payout) {
            rows.push({chain: chain.chain, unknown: event.payoutId, hash: event.hash});
          } else if (
            payout.unit !== chain.unit(event.token) ||
            payout.address !== event.to ||
            payout.amount !== String(event.amount)
          ) {
            rows.push({
              chain: chain.chain,
              payout_id: payout.payout_id,
              paid: `${event.amount} ${event.token} to ${event.to}`,
            });
          } else if (event.final && !['INCLUDED', 'FINALIZED'].includes(payout.state)) {
            rows.push({chain: chain.chain, payout_id: payout.payout_id, state: payout.state, why: 'paid finally'});
          }
        }
        for (const [id, times] of count)
          if (times > 1) rows.push({chain: chain.chain, payout: byHash.get(id)?.payout_id ?? id, times});
        for (const [id, payout] of byHash) {
          if (
            payout.state === 'FINALIZED' &&
            !paid.some((event) => event.payoutId === id && event.hash === payout.transaction_hash)
          ) {
            rows.push({chain: chain.chain, payout_id: payout.payout_id, why: 'FINALIZED without its Paid event'});
          }
        }
        // Every token that leaves the vault is one of these.
        const latest = Number((await chain.block('latest')).number);
        const out = await chain.logs({
          address: chain.tokens,
          topics: [kTransferTopic, `0x${chain.vault.slice(2).padStart(64, '0')}`],
          fromBlock: 0,
          toBlock: latest,
        });
        const key = (hash, token, to, amount) => `${hash} ${token} ${to} ${amount}`;
        const expected = paid
          .map((event) => key(event.hash, event.token, event.to, event.amount))
          .filter((text) => chain.tokens.some((token) => text.includes(token)));
        const left = out.map((log) =>
          key(log.transactionHash, log.address.toLowerCase(), `0x${log.topics[2].slice(26)}`, BigInt(log.data)),
        );
        for (const text of left) {
          const index = expected.indexOf(text);
          if (index < 0) rows.push({chain: chain.chain, left_the_vault: text});
          else expected.splice(index, 1);
        }
        for (const text of expected) rows.push({chain: chain.chain, paid_without_transfer: text});
      }
      return rows;
    },
  },
  {
    id: 'I18',
    what: 'signed bytes are stored before they are first sent, and nothing else is sent',
    run: async (ctx) => {
      const slots = new Map((await ctx.sql('settlement', kSlots)).map((slot) => [slot.chain_transaction_id, slot]));
      const attempts = new Map(
        (await ctx.sql('settlement', kAttempts)).map((attempt) => [attempt.transaction_hash, attempt]),
      );
      const rows = [...attempts.values()].filter(
        (attempt) =>
          attempt.raw === '0x' ||
          (attempt.first_broadcast_time !== null && attempt.first_broadcast_time < attempt.sign_time),
      );
      const sent = await ctx.sql(
        'watcher',
        `
        SELECT chain, '0x' || encode(hash, 'hex') AS hash, '0x' || encode(raw, 'hex') AS raw,
               '0x' || encode(from_address, 'hex') AS from_address, nonce, extract(epoch FROM create_time)::float AS create_time
        FROM tracked_transaction`,
      );
      for (const {raw, ...transaction} of sent) {
        const attempt = attempts.get(transaction.hash);
        if (!attempt) rows.push({...transaction, why: 'sent, and never stored as signed'});
        else if (attempt.raw !== raw) rows.push({...transaction, why: 'other bytes than those stored'});
        else if (attempt.sign_time > transaction.create_time)
          rows.push({...transaction, why: 'sent before it was stored'});
      }
      for (const slot of slots.values()) {
        const bytes = [...attempts.values()].some(
          (attempt) => attempt.chain_transaction_id === slot.chain_transaction_id,
        );
        if (
          ['SIGNED', 'BROADCAST', 'INCLUDED', 'FINALIZED'].includes(slot.state) &&
          slot.purpose !== 'FOREIGN' &&
          !bytes
        ) {
          rows.push({chain_transaction_id: slot.chain_transaction_id, state: slot.state, why: 'no bytes are stored'});
        }
      }
      return rows;
    },
  },
  {
    id: 'I19',
    what: 'signed bytes say what was approved',
    run: async (ctx) => {
      const rows = [];
      const slots = new Map((await ctx.sql('settlement', kSlots)).map((slot) => [slot.chain_transaction_id, slot]));
      const items = await ctx.sql(
        'settlement',
        `
        SELECT i.chain_transaction_id, i.payout_id, i.payment_id, p.unit, lower(p.address) AS address, p.amount::text
        FROM chain_transaction_item i LEFT JOIN payout p USING (payout_id) ORDER BY i.chain_transaction_id, i.position`,
      );
      for (const attempt of await ctx.sql('settlement', kAttempts)) {
        const slot = slots.get(attempt.chain_transaction_id);
        const chain = ctx.allChains.find((one) => one.chain === slot.chain);
        const own = items.filter((item) => item.chain_transaction_id === slot.chain_transaction_id);
        const why = await difference(slot, attempt, own, chain);
        if (why)
          rows.push({
            transaction_hash: attempt.transaction_hash,
            chain_transaction_id: slot.chain_transaction_id,
            differs: why,
          });
      }
      return rows;
    },
  },
  {
    id: 'I20',
    what: "the wallet's nonce is the count of its finished slots, without a hole",
    run: async (ctx) => {
      const rows = [];
      const slots = await ctx.sql('settlement', kSlots);
      for (const wallet of await ctx.sql(
        'settlement',
        'SELECT chain, address, initial_nonce, next_nonce FROM sender_wallet',
      )) {
        const own = slots.filter(
          (slot) => slot.chain === wallet.chain && slot.wallet === wallet.address && slot.nonce >= wallet.initial_nonce,
        );
        if (own.length !== wallet.next_nonce - wallet.initial_nonce) rows.push({...wallet, slots: own.length});
        const chain = (await ctx.chains()).find((one) => one.chain === wallet.chain);
        const head = (await ctx.heads()).get(wallet.chain);
        if (!chain || !head) continue;
        const mined = await chain.nonce(wallet.address, head.finalized_number);
        const finished = own.filter((slot) => ['FINALIZED', 'REPLACED'].includes(slot.state));
        if (mined - wallet.initial_nonce !== finished.length) {
          rows.push({
            chain: wallet.chain,
            wallet: wallet.address,
            initial_nonce: wallet.initial_nonce,
            final_nonce: mined,
            finished: finished.length,
          });
        }
        for (const slot of finished)
          if (slot.nonce >= mined) rows.push({...slot, call_data: undefined, final_nonce: mined});
      }
      return rows;
    },
  },
  {
    id: 'I21',
    what: 'vault, deposits and gas on chain are what the books say at the final block',
    run: async (ctx) => {
      const rows = [];
      const watched = (
        await ctx.sql('watcher', `SELECT '0x' || encode(address, 'hex') AS address FROM watched_address`)
      ).map((row) => row.address);
      for (const chain of await ctx.chains()) {
        const [progress] = await ctx.sql(
          'settlement',
          `SELECT finalized_number FROM chain_progress WHERE chain = '${chain.chain}'`,
        );
        if (!progress) continue;
        const block = progress.finalized_number;
        const book = new Map(
          (
            await ctx.sql(
              'settlement',
              `
          SELECT a.code, a.owner, a.unit, sum(CASE WHEN l.debit THEN l.amount ELSE -l.amount END)::text AS balance
          FROM ledger_leg l JOIN ledger_journal j USING (sequence) JOIN ledger_account a USING (account_number)
          WHERE a.code IN (1100, 1120, 1160) AND j.chain = '${chain.chain}' AND j.block_number <= ${block} GROUP BY 1, 2, 3`,
            )
          ).map((row) => [`${row.code} ${row.owner.toLowerCase()} ${row.unit}`, BigInt(row.balance)]),
        );
        const compare = (code, owner, unit, held) => {
          const said = book.get(`${code} ${owner} ${unit}`) ?? 0n;
          if (said !== held)
            rows.push({
              chain: chain.chain,
              block,
              account: `${code} ${owner}`,
              unit,
              book: String(said),
              on_chain: String(held),
            });
        };
        const deposits = watched.filter((address) => address !== chain.vault);
        for (const token of chain.tokens) {
          const [vault, ...held] = await chain.tokenBalances(token, [chain.vault, ...deposits], block);
          compare(1120, chain.vault, chain.unit(token), vault);
          compare(
            1100,
            chain.chain,
            chain.unit(token),
            held.reduce((sum, one) => sum + one, 0n),
          );
        }
        for (const {address} of await ctx.sql(
          'settlement',
          `SELECT address FROM sender_wallet WHERE chain = '${chain.chain}'`,
        )) {
          compare(1160, address, `caip19/${chain.chain}/slip44:60`, await chain.coins(address, block));
        }
      }
      // What payouts hold and have under way is what 2130 and 1130 say.
      rows.push(
        ...(await ctx.sql(
          'settlement',
          `
        SELECT code, unit, a.held::text AS book, p.held::text AS payouts FROM (
          SELECT code, unit, sum(CASE WHEN code = 2130 THEN credits - debits ELSE debits - credits END) AS held FROM ledger_account
          WHERE code IN (2130, 1130) GROUP BY 1, 2) a
        FULL JOIN (
          SELECT 2130 AS code, unit, sum(amount) AS held FROM payout WHERE state IN ('RESERVED', 'SUBMITTED', 'INCLUDED') GROUP BY 2
          UNION ALL SELECT 1130, unit, sum(amount) FROM payout WHERE state = 'INCLUDED' GROUP BY 2) p USING (code, unit)
        WHERE coalesce(a.held, 0) <> coalesce(p.held, 0)`,
        )),
      );
      return rows;
    },
  },
  {
    id: 'I22',
    what: 'payouts move along their states only, and ends are ends',
    run: async (ctx) => {
      const rows = [];
      const events = await ctx.sql(
        'settlement',
        `
        SELECT subject, array_agg(substr(kind, 8) ORDER BY position) AS states FROM journal_entry
        WHERE journal = 'events' AND kind LIKE 'payout.%' GROUP BY subject`,
      );
      const stories = new Map(events.map((row) => [row.subject, row.states]));
      for (const {subject, states} of events) {
        for (let i = 1; i < states.length; i++) {
          if (!reachable(states[i - 1]).has(states[i]))
            rows.push({payout_id: subject, from: states[i - 1], to: states[i]});
        }
      }
      for (const payout of await ctx.sql('settlement', kPayouts)) {
        const last = stories.get(payout.payout_id)?.at(-1);
        if (last !== payout.state.toLowerCase())
          rows.push({payout_id: payout.payout_id, state: payout.state, last_event: last ?? null});
      }
      return rows;
    },
  },
];
