// What callers were told against what is there. An entry of the history is {caller, call, requestId, ok, response, request}:
// `caller` whoever has request ids of its own, `call` as 'PaymentService.CreatePayment', `ok` true for an answer, false for
// a refusal, null when nobody knows (a time-out, UNAVAILABLE); `request` and `response` as sent and received.

/** What a call makes: where it lies and how its id is found. */
const kMakes = {
  'PaymentService.CreatePayment': {
    service: 'checkout',
    table: 'payment',
    id: (response) => response.payment.payment_id,
    key: 'payment_id',
  },
  'MerchantService.CreateMerchant': {
    service: 'checkout',
    table: 'merchant',
    id: (response) => response.merchant.merchant_id,
    key: 'merchant_id',
  },
  'MerchantService.CreateApiKey': {
    service: 'checkout',
    table: 'api_key',
    id: (response) => response.api_key.api_key_id,
    key: 'api_key_id',
  },
  'PayoutService.CreatePayout': {
    service: 'settlement',
    table: 'payout',
    id: (response) => response.payout.payout_id,
    key: 'payout_id',
  },
  'PayoutService.CreatePayoutDestination': {
    service: 'settlement',
    table: 'payout_destination',
    id: (response) => response.destination.destination_id,
    key: 'destination_id',
  },
};
/** Unique keys that carry promises, as [service, table, columns]. */
const kUnique = [
  ...['checkout', 'settlement'].map((service) => [service, 'idempotency', ['caller', 'method', 'request_id']]),
  ['watcher', 'transfer', ['chain', 'transaction_hash', 'ordinal', 'variant']],
  ['watcher', 'transfer', ['chain', 'transaction_hash', 'ordinal']],
  ['settlement', 'ledger_journal', ['event_id', 'rule', 'incarnation']],
  ['settlement', 'ledger_journal', ['reverses_journal_id']],
  ['settlement', 'chain_transaction', ['chain', 'wallet', 'nonce']],
  ['settlement', 'chain_transaction_item', ['payout_id']],
  ['checkout', 'payment', ['deposit_address']],
  ['checkout', 'api_key', ['secret_hash']],
  ['routing', 'decision', ['payment_id']],
];

async function hasUnique(ctx, service, table, columns) {
  return (
    (
      await ctx.sql(
        service,
        `
    SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = '${table}'::regclass AND i.indisunique AND i.indisvalid AND (
      SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
      WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)) = ARRAY[${[...columns].sort().map((c) => `'${c}'`)}]`,
      )
    ).length > 0
  );
}

const byRequest = (history) => {
  const groups = new Map();
  for (const entry of history.filter((one) => one.requestId)) {
    const key = `${entry.caller} ${entry.call} ${entry.requestId}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(entry);
  }
  return groups;
};

export const history = [
  {
    id: 'I25',
    what: 'one request id has one effect and one answer',
    run: async (ctx) => {
      const rows = [];
      for (const [service, table, columns] of kUnique) {
        if (!(await hasUnique(ctx, service, table, columns)))
          rows.push({service, table, missing: `unique key on ${columns.join(', ')}`});
      }
      for (const [key, entries] of byRequest(ctx.history)) {
        const made = kMakes[entries[0].call];
        const answers = entries.filter((entry) => entry.ok);
        // A replay tells the secret of an API key no second time; everything else is as it was.
        const text = made ? (entry) => made.id(entry.response) : (entry) => JSON.stringify(entry.response);
        if (new Set(answers.map(text)).size > 1) rows.push({request: key, answers: answers.map(text)});
      }
      return rows;
    },
  },
  {
    id: 'I26',
    what: 'what was acknowledged is there',
    run: async (ctx) => {
      const rows = [];
      for (const [call, made] of Object.entries(kMakes)) {
        const acknowledged = ctx.history.filter((entry) => entry.call === call && entry.ok);
        if (acknowledged.length === 0) continue;
        const there = new Set(
          (await ctx.sql(made.service, `SELECT ${made.key} AS id FROM ${made.table}`)).map((row) => row.id),
        );
        for (const entry of acknowledged) {
          const id = made.id(entry.response);
          if (!there.has(id)) rows.push({call, requestId: entry.requestId, lost: id});
        }
      }
      return rows;
    },
  },
  {
    id: 'I27',
    what: 'a call whose outcome nobody knew happened once at most',
    run: async (ctx) => {
      const rows = [];
      const wanted = ctx.history.filter(
        (entry) => entry.call === 'PaymentService.CreatePayment' && entry.request?.reference,
      );
      const ids = new Map(); // reference -> requests that used it; an id belongs to its caller
      for (const entry of wanted) {
        const {reference} = entry.request;
        if (!ids.has(reference)) ids.set(reference, new Set());
        ids.get(reference).add(`${entry.caller} ${entry.requestId}`);
      }
      if (ids.size === 0) return rows;
      const counts = new Map(
        (
          await ctx.sql('checkout', `SELECT reference, count(*) AS n FROM payment WHERE reference <> '' GROUP BY 1`)
        ).map((row) => [row.reference, row.n]),
      );
      for (const [reference, requests] of ids) {
        const made = counts.get(reference) ?? 0;
        if (made > requests.size) rows.push({reference, requests: requests.size, payments: made});
      }
      return rows;
    },
  },
];
