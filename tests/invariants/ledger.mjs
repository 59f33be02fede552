// The books in themselves: balanced, append-only, never short, each thing posted once and taken back once.
const kSigned = 'CASE WHEN l.debit THEN l.amount ELSE -l.amount END';
const kStanding = `j.reverses_journal_id IS NULL AND NOT EXISTS (
  SELECT FROM ledger_journal r WHERE r.reverses_journal_id = j.journal_id)`;

/** Triggers that make a table append-only, as [service, table]. */
const kAppendOnly = [
  ['settlement', 'ledger_journal'],
  ['settlement', 'ledger_leg'],
  ['settlement', 'audit'],
  ['settlement', 'journal_entry'],
  ['checkout', 'audit'],
  ['checkout', 'journal_entry'],
  ['watcher', 'journal_entry'],
  ['routing', 'decision'],
];

async function missingTriggers(ctx) {
  const rows = [];
  for (const [service, table] of kAppendOnly) {
    const found = await ctx.sql(
      service,
      `
      SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
      WHERE t.tgrelid = '${table}'::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D'
        AND p.proname = 'forbid_update_delete' AND t.tgtype & 8 = 8 AND t.tgtype & 16 = 16`,
    );
    if (found.length === 0) rows.push({service, table, missing: 'append-only trigger'});
  }
  return rows;
}

export const ledger = [
  {
    id: 'I1',
    what: 'the sum of all legs of each unit is zero',
    run: (ctx) =>
      ctx.sql(
        'settlement',
        `
      SELECT a.unit, sum(${kSigned})::text AS difference
      FROM ledger_leg l JOIN ledger_account a USING (account_number) GROUP BY a.unit HAVING sum(${kSigned}) <> 0`,
      ),
  },
  {
    id: 'I2',
    what: 'each journal balances in each unit and has two legs or more',
    run: (ctx) =>
      ctx.sql(
        'settlement',
        `
      SELECT j.journal_id, a.unit, count(l.position) AS legs, coalesce(sum(${kSigned}), 0)::text AS difference
      FROM ledger_journal j LEFT JOIN ledger_leg l USING (sequence) LEFT JOIN ledger_account a USING (account_number)
      GROUP BY j.journal_id, a.unit HAVING count(l.position) < 2 OR sum(${kSigned}) <> 0`,
      ),
  },
  {
    id: 'I3',
    what: 'the sums of each account are those of its legs',
    run: (ctx) =>
      ctx.sql(
        'settlement',
        `
      SELECT a.account_id, a.debits::text, a.credits::text, coalesce(l.debits, 0)::text AS leg_debits,
             coalesce(l.credits, 0)::text AS leg_credits
      FROM ledger_account a LEFT JOIN (
        SELECT account_number, coalesce(sum(amount) FILTER (WHERE debit), 0) AS debits,
               coalesce(sum(amount) FILTER (WHERE NOT debit), 0) AS credits, count(*) AS legs
        FROM ledger_leg GROUP BY account_number) l USING (account_number)
      WHERE (a.debits, a.credits, a.leg_count) IS DISTINCT FROM
            (coalesce(l.debits, 0), coalesce(l.credits, 0), coalesce(l.legs, 0))`,
      ),
  },
  {
    id: 'I4',
    what: 'no liability and no holding was below zero after any journal',
    run: (ctx) =>
      ctx.sql(
        'settlement',
        `
      SELECT DISTINCT ON (account_id) account_id, sequence, balance::text FROM (
        SELECT a.account_id, a.code, s.sequence,
               sum(s.moved) OVER (PARTITION BY s.account_number ORDER BY s.sequence) AS balance
        FROM (SELECT l.account_number, l.sequence,
                     sum(CASE WHEN l.debit = (x.code < 2000) THEN l.amount ELSE -l.amount END) AS moved
              FROM ledger_leg l JOIN ledger_account x USING (account_number)
              WHERE x.code BETWEEN 2000 AND 2999 OR x.code IN (1100, 1120, 1300)
              GROUP BY l.account_number, l.sequence) s
        JOIN ledger_account a USING (account_number)) b
      WHERE balance < 0 ORDER BY account_id, sequence`,
      ),
  },
  {
    id: 'I5',
    what: 'journals, legs and audit rows can only be appended, and the sequence has no gap',
    run: async (ctx) => [
      ...(await missingTriggers(ctx)),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT h.sequence AS head, coalesce(max(j.sequence), 0) AS last, count(j.sequence) AS journals
        FROM ledger_head h LEFT JOIN ledger_journal j ON true GROUP BY h.sequence
        HAVING h.sequence <> coalesce(max(j.sequence), 0) OR count(j.sequence) <> h.sequence`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT j.journal_id, j.rule, j.reverses_journal_id, a.account_id FROM ledger_journal j JOIN ledger_leg l USING (sequence)
        JOIN ledger_account a USING (account_number) JOIN ledger_journal o ON o.journal_id = j.reverses_journal_id
        WHERE NOT EXISTS (SELECT FROM ledger_leg m WHERE m.sequence = o.sequence AND m.account_number = l.account_number
                            AND m.debit <> l.debit AND m.amount = l.amount)`,
      )),
    ],
  },
  {
    id: 'I6',
    what: 'a transfer is credited once at most',
    run: async (ctx) => [
      ...(await ctx.sql(
        'settlement',
        `
        SELECT j.event_id, count(*) AS standing FROM ledger_journal j
        JOIN ledger_leg l ON l.sequence = j.sequence AND l.debit JOIN ledger_account a USING (account_number)
        WHERE a.code IN (1100, 1120) AND j.event_id LIKE 'trf\\_%' AND ${kStanding} GROUP BY j.event_id HAVING count(*) > 1`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT e.chain, e.transaction_hash, e.ordinal, count(*) AS live FROM transfer_evidence e
        WHERE e.state <> 'ORPHANED' GROUP BY 1, 2, 3 HAVING count(*) > 1`,
      )),
      ...(await ctx.sql(
        'watcher',
        `
        SELECT chain, '0x' || encode(transaction_hash, 'hex') AS transaction_hash, ordinal, count(*) AS live FROM transfer
        WHERE state <> 'ORPHANED' GROUP BY 1, 2, 3 HAVING count(*) > 1`,
      )),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT transfer_id, count(*) AS payments FROM payment_transfer WHERE NOT orphaned GROUP BY 1 HAVING count(*) > 1`,
      )),
    ],
  },
  {
    id: 'I10',
    what: 'what an orphaned transfer posted is reversed, once, and a live one stands on the books',
    run: async (ctx) => [
      ...(await ctx.sql(
        'settlement',
        `
        SELECT e.transfer_id, j.journal_id, j.rule FROM transfer_evidence e JOIN ledger_journal j ON j.event_id = e.transfer_id
        WHERE e.state = 'ORPHANED' AND ${kStanding}`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT reverses_journal_id, count(*) AS reversals FROM ledger_journal WHERE reverses_journal_id IS NOT NULL
        GROUP BY 1 HAVING count(*) > 1`,
      )),
      ...(await ctx.sql(
        'settlement',
        `
        SELECT e.transfer_id, e.state FROM transfer_evidence e WHERE e.state <> 'ORPHANED' AND e.amount > 0 AND NOT EXISTS (
          SELECT FROM ledger_journal j WHERE j.event_id = e.transfer_id AND ${kStanding})`,
      )),
    ],
  },
];
