// What the services believe of the chains against the chains themselves: each transfer that was credited
// happened, each that happened is known, nothing is final too early, heads are linked.
const kTransferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const addressOfTopic = (topic) => `0x${topic.slice(26)}`;

const kLiveEvidence = `
  SELECT transfer_id, chain, transaction_hash, ordinal, unit, amount::text, from_address, to_address, block_number, block_hash, state
  FROM transfer_evidence WHERE state <> 'ORPHANED'`;
const kTransfers = `
  SELECT transfer_id, chain, '0x' || encode(transaction_hash, 'hex') AS transaction_hash, ordinal, log_index,
         '0x' || encode(token, 'hex') AS token, '0x' || encode(from_address, 'hex') AS from_address,
         '0x' || encode(to_address, 'hex') AS to_address, amount::text, block_number,
         '0x' || encode(block_hash, 'hex') AS block_hash, state, revision
  FROM transfer`;

/** What a chain's receipt says against a stored transfer: null when they agree. */
function contradiction(transfer, receipt) {
  if (!receipt) return 'its transaction is in no block';
  if (receipt.status !== '0x1') return 'its transaction failed';
  if (receipt.blockHash !== transfer.block_hash) return `its block is ${receipt.blockHash}`;
  if (Number(receipt.blockNumber) !== transfer.block_number)
    return `its block's number is ${Number(receipt.blockNumber)}`;
  const log = receipt.logs[transfer.ordinal];
  if (!log || log.topics[0] !== kTransferTopic || log.topics.length !== 3) return 'there is no Transfer at its ordinal';
  const said = [transfer.token, transfer.from_address, transfer.to_address, BigInt(transfer.amount)].join(' ');
  const found = [
    log.address.toLowerCase(),
    addressOfTopic(log.topics[1]),
    addressOfTopic(log.topics[2]),
    BigInt(log.data),
  ].join(' ');
  return said === found ? null : `its log says ${found}`;
}

async function compareWithReceipts(ctx, transfers, source) {
  const rows = [];
  for (const chain of await ctx.chains()) {
    const here = transfers.filter((transfer) => transfer.chain === chain.chain);
    const receipts = await chain.receiptsOf(here.map((transfer) => transfer.transaction_hash));
    for (const transfer of here) {
      const why = contradiction(transfer, receipts.get(transfer.transaction_hash));
      if (why)
        rows.push({
          source,
          transfer_id: transfer.transfer_id,
          chain: transfer.chain,
          transaction_hash: transfer.transaction_hash,
          why,
        });
    }
  }
  return rows;
}

/** Every Transfer of more than nothing of a listed token to a watched address in final blocks, by a fresh scan. */
async function scan(ctx, chain, head) {
  const watched = new Map(
    (
      await ctx.sql(
        'watcher',
        `
    SELECT '0x' || encode(address, 'hex') AS address, extract(epoch FROM create_time)::float AS since FROM watched_address`,
      )
    ).map((row) => [row.address, row.since]),
  );
  const found = new Map();
  if (chain.tokens.length === 0 || head.finalized_number <= head.anchor_number) return {found, watched};
  const logs = (
    await chain.logs({
      address: chain.tokens,
      topics: [kTransferTopic],
      fromBlock: head.anchor_number + 1,
      toBlock: head.finalized_number,
    })
  ).filter((log) => log.topics.length === 3 && watched.has(addressOfTopic(log.topics[2])) && BigInt(log.data) > 0n);
  const numbers = [...new Set(logs.map((log) => Number(log.blockNumber)))];
  const times = new Map((await chain.blocks(numbers)).map((block) => [Number(block.number), Number(block.timestamp)]));
  for (const log of logs) {
    const to = addressOfTopic(log.topics[2]);
    const key = [
      log.transactionHash,
      Number(log.logIndex),
      log.blockHash,
      log.address.toLowerCase(),
      addressOfTopic(log.topics[1]),
      to,
      BigInt(log.data),
    ].join(' ');
    found.set(key, {watchedBefore: times.get(Number(log.blockNumber)) > watched.get(to) + 1, to});
  }
  return {found, watched};
}

export const evidence = [
  {
    id: 'I7',
    what: 'every credited transfer stands on the followed chain as it was credited',
    run: async (ctx) => [
      ...(await compareWithReceipts(
        ctx,
        (await ctx.sql('settlement', kLiveEvidence)).map((row) => ({...row, token: row.unit.split('/erc20:')[1]})),
        'settlement',
      )),
      ...(await compareWithReceipts(
        ctx,
        await ctx.sql('watcher', `${kTransfers} WHERE state <> 'ORPHANED'`),
        'watcher',
      )),
    ],
  },
  {
    id: 'I8',
    what: 'every transfer to a watched address in final blocks is stored, and no other',
    run: async (ctx) => {
      const rows = [];
      for (const chain of await ctx.chains()) {
        const head = (await ctx.heads()).get(chain.chain);
        if (!head) continue;
        const stored = new Set(
          (
            await ctx.sql(
              'watcher',
              `${kTransfers} WHERE chain = '${chain.chain}' AND state <> 'ORPHANED'
            AND block_number <= ${head.finalized_number}`,
            )
          ).map((row) =>
            [
              row.transaction_hash,
              row.log_index,
              row.block_hash,
              row.token,
              row.from_address,
              row.to_address,
              row.amount,
            ].join(' '),
          ),
        );
        const {found} = await scan(ctx, chain, head);
        for (const [key, {watchedBefore}] of found)
          if (watchedBefore && !stored.has(key)) rows.push({chain: chain.chain, missing: key});
        for (const key of stored) if (!found.has(key)) rows.push({chain: chain.chain, invented: key});
      }
      return rows;
    },
  },
  {
    id: 'I9',
    what: 'nothing is final before its block is',
    run: async (ctx) => {
      const rows = [
        ...(await ctx.sql(
          'watcher',
          `
          SELECT t.transfer_id, t.state, t.block_number, c.finalized_number FROM transfer t JOIN chain c USING (chain)
          WHERE (t.state = 'FINALIZED' AND t.block_number > c.finalized_number)
             OR (t.state IN ('INCLUDED', 'SAFE') AND t.block_number <= c.finalized_number)`,
        )),
        ...(await ctx.sql(
          'watcher',
          `
          SELECT '0x' || encode(t.hash, 'hex') AS transaction_hash, t.state, t.block_number, c.finalized_number
          FROM tracked_transaction t JOIN chain c USING (chain) WHERE t.state = 'FINALIZED' AND t.block_number > c.finalized_number`,
        )),
        ...(await ctx.sql(
          'checkout',
          `
          SELECT t.payment_id, t.transfer_id, t.block_number FROM payment_transfer t
          WHERE t.finality = 5 AND t.block_number > coalesce((SELECT finalized_number FROM chain_progress c WHERE c.chain = t.chain), -1)`,
        )),
        ...(await ctx.sql(
          'settlement',
          `
          SELECT t.transfer_id, t.block_number FROM transfer_evidence t
          WHERE t.state = 'FINALIZED'
            AND t.block_number > coalesce((SELECT finalized_number FROM chain_progress c WHERE c.chain = t.chain), -1)`,
        )),
        // Available to a merchant (P4) is at most what has arrived finally.
        ...(await ctx.sql(
          'settlement',
          `
          SELECT m.payment_id, m.unit, m.net::text, coalesce(e.final, 0)::text AS final FROM payment_money m
          LEFT JOIN deposit d USING (payment_id) LEFT JOIN LATERAL (
            SELECT sum(amount) AS final FROM transfer_evidence t
            WHERE t.to_address = d.address AND t.unit = m.unit AND t.state = 'FINALIZED') e ON true
          WHERE m.net > coalesce(e.final, 0)`,
        )),
      ];
      for (const chain of await ctx.chains()) {
        const head = (await ctx.heads()).get(chain.chain);
        if (!head) continue;
        const [finalized, latest] = [await chain.block('finalized'), await chain.block('latest')];
        const most = Math.min(Number(finalized.number), Number(latest.number) - 2);
        if (head.finalized_number > most)
          rows.push({chain: chain.chain, finalized: head.finalized_number, node_allows: most});
        for (const {name, block_number: number} of await ctx.sql(
          'settlement',
          `
            SELECT chain_transaction_id AS name, block_number FROM chain_transaction
            WHERE state = 'FINALIZED' AND chain = '${chain.chain}' AND block_number > ${most}`,
        )) {
          rows.push({chain: chain.chain, chain_transaction_id: name, block_number: number, node_allows: most});
        }
      }
      return rows;
    },
  },
  {
    id: 'I11',
    what: 'the cursor and every kept header stand on the chain',
    run: async (ctx) => {
      const rows = [];
      for (const chain of await ctx.chains()) {
        const stored = await ctx.sql(
          'watcher',
          `
          SELECT b.number, '0x' || encode(b.hash, 'hex') AS hash, '0x' || encode(b.parent_hash, 'hex') AS parent_hash FROM block b
          WHERE b.chain = '${chain.chain}' ORDER BY b.number`,
        );
        const blocks = await chain.blocks(stored.map((row) => row.number));
        stored.forEach((row, index) => {
          if (blocks[index]?.hash !== row.hash || blocks[index]?.parentHash !== row.parent_hash) {
            rows.push({
              chain: chain.chain,
              number: row.number,
              stored: row.hash,
              on_chain: blocks[index]?.hash ?? null,
            });
          }
        });
      }
      rows.push(
        ...(await ctx.sql(
          'watcher',
          `
        SELECT c.chain, c.head_number, '0x' || encode(c.head_hash, 'hex') AS head_hash FROM chain c WHERE NOT EXISTS (
          SELECT FROM block b WHERE b.chain = c.chain AND b.number = c.head_number AND b.hash = c.head_hash)`,
        )),
      );
      return rows;
    },
  },
  {
    id: 'I12',
    what: 'kept headers are linked by hash',
    run: (ctx) =>
      ctx.sql(
        'watcher',
        `
      SELECT b.chain, b.number, '0x' || encode(b.parent_hash, 'hex') AS parent_hash, '0x' || encode(p.hash, 'hex') AS below
      FROM block b JOIN block p ON p.chain = b.chain AND p.number = b.number - 1 WHERE b.parent_hash <> p.hash`,
      ),
  },
  {
    id: 'I13',
    what: 'kept headers have no hole and reach from the final block to the cursor',
    run: (ctx) =>
      ctx.sql(
        'watcher',
        `
      SELECT c.chain, count(b.number) AS kept, min(b.number) AS lowest, max(b.number) AS highest, c.head_number, c.finalized_number
      FROM chain c LEFT JOIN block b USING (chain) GROUP BY c.chain, c.head_number, c.finalized_number
      HAVING count(b.number) <> max(b.number) - min(b.number) + 1 OR max(b.number) <> c.head_number
          OR min(b.number) > c.finalized_number`,
      ),
  },
  {
    id: 'I24',
    what: 'watcher, checkout and ledger agree on every transfer, and all of it is allotted',
    run: async (ctx) => {
      const rows = await ctx.sql(
        'checkout',
        `
        SELECT transfer_id, amount::text, accepted::text, refundable::text FROM payment_transfer
        WHERE decided AND accepted + refundable <> amount`,
      );
      const levels = {INCLUDED: 3, SAFE: 4, FINALIZED: 5, ORPHANED: 1};
      const seen = new Map((await ctx.sql('watcher', kTransfers)).map((row) => [row.transfer_id, row]));
      const compare = (source, row, facts) => {
        const transfer = seen.get(row.transfer_id);
        const expected = transfer && facts(transfer);
        if (!transfer || Object.entries(expected).some(([name, value]) => String(row[name]) !== String(value))) {
          rows.push({source, ...row, watcher: expected ?? null});
        }
      };
      const common = (transfer) => ({
        chain: transfer.chain,
        transaction_hash: transfer.transaction_hash,
        unit: `caip19/${transfer.chain}/erc20:${transfer.token}`,
        amount: transfer.amount,
        from_address: transfer.from_address,
        to_address: transfer.to_address,
      });
      const atCheckout = await ctx.sql(
        'checkout',
        `
        SELECT transfer_id, chain, transaction_hash, unit, amount::text, from_address, to_address, finality, orphaned, block_hash
        FROM payment_transfer`,
      );
      for (const row of atCheckout) {
        compare('checkout', row, (transfer) => ({
          ...common(transfer),
          finality: levels[transfer.state],
          orphaned: transfer.state === 'ORPHANED',
          block_hash: transfer.block_hash,
        }));
      }
      const atSettlement = await ctx.sql(
        'settlement',
        `
        SELECT transfer_id, chain, transaction_hash, unit, amount::text, from_address, to_address, state, block_hash
        FROM transfer_evidence`,
      );
      for (const row of atSettlement) {
        compare('settlement', row, (transfer) => ({
          ...common(transfer),
          state: transfer.state,
          block_hash: transfer.block_hash,
        }));
      }
      // Nobody misses one: to a payment's address in checkout, to any watched address in settlement.
      const deposits = new Set(
        (await ctx.sql('checkout', 'SELECT deposit_address FROM payment WHERE NOT transfers_left_out')).map((row) =>
          row.deposit_address.toLowerCase(),
        ),
      );
      const [checkout, settlement] = [atCheckout, atSettlement].map(
        (list) => new Set(list.map((row) => row.transfer_id)),
      );
      for (const transfer of seen.values()) {
        if (transfer.state === 'ORPHANED') continue;
        // A payment that more transfers came to than it takes says so itself.
        if (deposits.has(transfer.to_address) && !checkout.has(transfer.transfer_id))
          rows.push({unknown_to: 'checkout', ...transfer});
        if (!settlement.has(transfer.transfer_id)) rows.push({unknown_to: 'settlement', ...transfer});
      }
      // What was credited is what the log moved.
      rows.push(
        ...(await ctx.sql(
          'settlement',
          `
        SELECT e.transfer_id, e.amount::text, l.amount::text AS posted FROM transfer_evidence e
        JOIN ledger_journal j ON j.event_id = e.transfer_id AND j.reverses_journal_id IS NULL
        JOIN ledger_leg l ON l.sequence = j.sequence AND l.debit JOIN ledger_account a USING (account_number)
        WHERE e.state <> 'ORPHANED' AND a.code IN (1100, 1120) AND l.amount <> e.amount
          AND NOT EXISTS (SELECT FROM ledger_journal r WHERE r.reverses_journal_id = j.journal_id)`,
        )),
      );
      return rows;
    },
  },
];
