// Payments, events and followers: legal stories, one event a change, positions without a gap, and nothing
// applied twice or not at all.
const kStates = [
  '',
  'CREATED',
  'AWAITING_PAYMENT',
  'PARTIALLY_PAID',
  'PROCESSING',
  'REQUIRES_REVIEW',
  'SUCCEEDED',
  'EXPIRED',
  'CANCELED',
  'REVERSED',
];
/** Where each state may lead; written down apart from the service's own table. */
const kSteps = {
  '': ['CREATED', 'AWAITING_PAYMENT'],
  CREATED: ['AWAITING_PAYMENT', 'PARTIALLY_PAID', 'PROCESSING', 'SUCCEEDED', 'REQUIRES_REVIEW', 'EXPIRED', 'CANCELED'],
  AWAITING_PAYMENT: ['PARTIALLY_PAID', 'PROCESSING', 'SUCCEEDED', 'REQUIRES_REVIEW', 'EXPIRED', 'CANCELED'],
  PARTIALLY_PAID: ['AWAITING_PAYMENT', 'PROCESSING', 'SUCCEEDED', 'REQUIRES_REVIEW'],
  PROCESSING: ['AWAITING_PAYMENT', 'PARTIALLY_PAID', 'SUCCEEDED', 'REQUIRES_REVIEW', 'EXPIRED'],
  REQUIRES_REVIEW: [
    'CREATED',
    'AWAITING_PAYMENT',
    'PARTIALLY_PAID',
    'PROCESSING',
    'SUCCEEDED',
    'EXPIRED',
    'CANCELED',
    'REVERSED',
  ],
  SUCCEEDED: ['REQUIRES_REVIEW'],
  EXPIRED: ['PROCESSING', 'SUCCEEDED', 'REQUIRES_REVIEW'],
  CANCELED: ['REQUIRES_REVIEW'],
  REVERSED: ['REQUIRES_REVIEW'],
};

/** Which journal a follower reads: 'settlement<-watcher.transfers' reads transfers of the watcher. */
function sourceOf(follower) {
  const match = /<-(\w+)\.(\w+)$/.exec(follower);
  return match && {service: match[1], journal: match[2]};
}

const services = ['checkout', 'routing', 'watcher', 'settlement'];

export const payments = [
  {
    id: 'I23',
    what: 'payments move along their states only, and money in a closed one is never forgotten',
    run: async (ctx) => [
      ...(
        await ctx.sql(
          'checkout',
          'SELECT payment_id, revision, from_state, to_state FROM payment_transition WHERE from_state <> to_state',
        )
      ).filter((row) => !kSteps[kStates[row.from_state]]?.includes(kStates[row.to_state])),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT later.payment_id, later.revision, later.from_state FROM payment_transition later WHERE later.revision > 1 AND NOT EXISTS (
          SELECT FROM payment_transition earlier WHERE earlier.payment_id = later.payment_id
            AND earlier.revision = later.revision - 1 AND earlier.to_state = later.from_state)`,
      )),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT p.payment_id, p.state, t.to_state FROM payment p LEFT JOIN payment_transition t USING (payment_id, revision)
        WHERE t.to_state IS DISTINCT FROM p.state`,
      )),
      // Expired or cancelled with money there: it must be in review, or come to a success.
      ...(await ctx.sql(
        'checkout',
        `
        SELECT p.payment_id, p.state, t.transfer_id FROM payment p JOIN payment_transfer t USING (payment_id)
        WHERE p.state IN (7, 8) AND NOT t.orphaned`,
      )),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT p.payment_id, p.gross::text, p.fee::text, p.net::text FROM payment p
        WHERE p.state = 6 AND (p.net + p.fee <> p.gross OR p.gross <> (
          SELECT coalesce(sum(t.accepted), 0) FROM payment_transfer t WHERE t.payment_id = p.payment_id AND NOT t.orphaned))`,
      )),
    ],
  },
  {
    id: 'I28',
    what: 'journals and revisions have no gap',
    run: async (ctx) => [
      ...(
        await Promise.all(
          services.map((service) =>
            ctx.sql(
              service,
              `
        SELECT '${service}' AS service, h.journal, h.position AS head, count(e.position) AS entries, max(e.position) AS last
        FROM journal_head h LEFT JOIN journal_entry e USING (journal) GROUP BY h.journal, h.position
        HAVING count(e.position) <> h.position OR coalesce(max(e.position), 0) <> h.position`,
            ),
          ),
        )
      ).flat(),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT p.payment_id, p.revision, count(t.revision) AS steps FROM payment p LEFT JOIN payment_transition t USING (payment_id)
        GROUP BY p.payment_id, p.revision HAVING count(t.revision) <> p.revision OR max(t.revision) <> p.revision`,
      )),
    ],
  },
  {
    id: 'I29',
    what: 'each change has exactly one event, and each event a change',
    run: async (ctx) => [
      ...(await ctx.sql(
        'checkout',
        `
        SELECT p.payment_id, p.revision, e.events FROM payment p FULL JOIN (
          SELECT subject AS payment_id, count(*) AS events FROM journal_entry WHERE journal = 'events' AND kind LIKE 'payment.%'
          GROUP BY 1) e USING (payment_id)
        WHERE p.revision IS DISTINCT FROM e.events`,
      )),
      ...(await ctx.sql(
        'checkout',
        `
        SELECT m.merchant_id, m.revision, e.events FROM merchant m FULL JOIN (
          SELECT subject AS merchant_id, count(*) AS events FROM journal_entry WHERE journal = 'events' AND kind LIKE 'merchant.%'
          GROUP BY 1) e USING (merchant_id)
        WHERE m.revision IS DISTINCT FROM e.events`,
      )),
      ...(await ctx.sql(
        'watcher',
        `
        SELECT t.transfer_id, t.revision, e.events FROM transfer t FULL JOIN (
          SELECT subject AS transfer_id, count(*) AS events FROM journal_entry WHERE journal = 'transfers' AND kind LIKE 'transfer.%'
          GROUP BY 1) e USING (transfer_id)
        WHERE t.revision IS DISTINCT FROM e.events`,
      )),
      ...(await ctx.sql(
        'watcher',
        `
        SELECT hash, t.revision, e.events FROM (SELECT '0x' || encode(hash, 'hex') AS hash, revision FROM tracked_transaction) t FULL JOIN (
          SELECT subject AS hash, count(*) AS events FROM journal_entry WHERE journal = 'transactions' GROUP BY 1) e USING (hash)
        WHERE t.revision IS DISTINCT FROM e.events`,
      )),
      // Of a payment's money: as many as there are journals that make them.
      ...(await ctx.sql(
        'settlement',
        `
        SELECT kind, j.posted, e.events FROM (
          SELECT CASE WHEN rule IN ('P2', 'P7b', 'P8c') THEN 'payment.posted' WHEN rule = 'P4' THEN 'payment.available'
                      WHEN rule = 'P10' THEN 'payment.swept' END AS kind, count(*) AS posted
          FROM ledger_journal WHERE rule IN ('P2', 'P4', 'P7b', 'P8c', 'P10') GROUP BY 1) j
        FULL JOIN (
          SELECT kind, count(*) AS events FROM journal_entry
          WHERE journal = 'events' AND kind IN ('payment.posted', 'payment.available', 'payment.swept') GROUP BY 1) e USING (kind)
        WHERE j.posted IS DISTINCT FROM e.events`,
      )),
    ],
  },
  {
    id: 'I30',
    what: 'followers are never ahead of what they follow, and apply each transfer once',
    run: async (ctx) => {
      const rows = [];
      for (const service of services) {
        for (const {follower, position} of await ctx.sql(service, 'SELECT follower, position FROM journal_cursor')) {
          const source = sourceOf(follower);
          if (!source) {
            rows.push({service, follower, why: 'its name does not say what it follows'});
            continue;
          }
          const [head] = await ctx.sql(
            source.service,
            `SELECT position FROM journal_head WHERE journal = '${source.journal}'`,
          );
          if (position > (head?.position ?? 0)) rows.push({service, follower, position, head: head?.position ?? 0});
        }
      }
      rows.push(
        ...(await ctx.sql(
          'settlement',
          `
        SELECT event_id, rule, incarnation, count(*) AS journals FROM ledger_journal GROUP BY 1, 2, 3 HAVING count(*) > 1`,
        )),
      );
      rows.push(
        ...(await ctx.sql(
          'routing',
          `
        SELECT payment_id, lesson, count(*) AS times FROM payment_lesson GROUP BY 1, 2 HAVING count(*) > 1`,
        )),
      );
      // Every payment is known to the books, with the newest revision that was applied.
      const known = new Map(
        (await ctx.sql('settlement', 'SELECT payment_id, revision FROM deposit')).map((row) => [
          row.payment_id,
          row.revision,
        ]),
      );
      for (const {payment_id: id, revision} of await ctx.sql('checkout', 'SELECT payment_id, revision FROM payment')) {
        if (known.get(id) !== revision)
          rows.push({payment_id: id, checkout: revision, settlement: known.get(id) ?? null});
      }
      return rows;
    },
  },
];
