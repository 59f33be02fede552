// The Grafana dashboards as short tables: rows of panels, each with its expressions. generate.mjs writes them to
// helm/paymesh/dashboards. A namespace of All is ".*", so series without one count too.
const n = 'namespace=~"$namespace"';
const bad = 'grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"';

const variables = (service) => [
  {name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0},
  {
    name: 'namespace',
    label: 'Namespace',
    type: 'query',
    datasource: {type: 'prometheus', uid: '$datasource'},
    query: {query: 'label_values(paymesh_build_info, namespace)', refId: 'namespace'},
    definition: 'label_values(paymesh_build_info, namespace)',
    includeAll: true,
    allValue: '.*',
    multi: false,
    refresh: 2,
    sort: 1,
    current: {text: 'All', value: '$__all'},
    hide: 0,
  },
  service
    ? {
        name: 'service',
        label: 'Service',
        type: 'constant',
        query: service,
        current: {text: service, value: service},
        hide: 2,
      }
    : {
        name: 'service',
        label: 'Service',
        type: 'query',
        datasource: {type: 'prometheus', uid: '$datasource'},
        query: {query: 'label_values(paymesh_build_info, service)', refId: 'service'},
        definition: 'label_values(paymesh_build_info, service)',
        includeAll: true,
        allValue: '.*',
        multi: true,
        refresh: 2,
        sort: 1,
        current: {text: 'All', value: '$__all'},
        hide: 0,
      },
];

/** A panel: title, {expr: legend} or [[expr, legend]], unit, kind. */
const graph = (title, targets, unit = 'short', description = '') => ({
  title,
  targets,
  unit,
  description,
  type: 'timeseries',
  w: 12,
  h: 8,
});
const stat = (title, targets, unit = 'short', description = '') => ({
  title,
  targets,
  unit,
  description,
  type: 'stat',
  w: 6,
  h: 4,
});
const must = (title, targets, unit = 'short', description = 'Must be 0.') => ({
  ...stat(title, targets, unit, description),
  zero: true,
});

function dashboard(uid, title, panels, service) {
  let x = 0,
    y = 0,
    rowHeight = 0;
  const placed = panels.map((panel, index) => {
    if (x + panel.w > 24) {
      x = 0;
      y += rowHeight;
      rowHeight = 0;
    }
    const gridPos = {x, y, w: panel.w, h: panel.h};
    x += panel.w;
    rowHeight = Math.max(rowHeight, panel.h);
    return {
      id: index + 1,
      title: panel.title,
      type: panel.type,
      gridPos,
      ...(panel.description ? {description: panel.description} : {}),
      datasource: {type: 'prometheus', uid: '$datasource'},
      fieldConfig: {
        defaults: {
          unit: panel.unit,
          ...(panel.zero
            ? {
                color: {mode: 'thresholds'},
                thresholds: {
                  mode: 'absolute',
                  steps: [
                    {color: 'green', value: null},
                    {color: 'red', value: 1},
                  ],
                },
              }
            : {}),
        },
        overrides: [],
      },
      options:
        panel.type === 'stat'
          ? {reduceOptions: {calcs: ['lastNotNull']}, colorMode: panel.zero ? 'background' : 'value', graphMode: 'none'}
          : {legend: {displayMode: 'list', placement: 'bottom'}, tooltip: {mode: 'multi', sort: 'desc'}},
      targets: panel.targets.map(([expr, legendFormat], target) => ({
        refId: String.fromCharCode(65 + target),
        expr,
        legendFormat,
        ...(expr.includes('grpc_server_handling_seconds_bucket') ? {exemplar: true} : {}),
        datasource: {type: 'prometheus', uid: '$datasource'},
      })),
    };
  });
  return {
    uid,
    title: `Paymesh / ${title}`,
    tags: ['paymesh'],
    schemaVersion: 38,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    time: {from: 'now-3h', to: 'now'},
    timezone: 'browser',
    annotations: {list: []},
    templating: {list: variables(service)},
    links: [
      {title: 'Paymesh', type: 'dashboards', tags: ['paymesh'], asDropdown: true, includeVars: true, keepTime: true},
    ],
    panels: placed,
  };
}

const s = `${n},service=~"$service"`;
const calls = [
  graph(
    'Calls by method',
    [
      [
        `sum by (service, grpc_method) (rate(grpc_server_handled_total{${s}}[$__rate_interval]))`,
        '{{service}} {{grpc_method}}',
      ],
    ],
    'reqps',
  ),
  graph(
    'Failed calls',
    [
      [
        `sum by (service, grpc_method, grpc_code) (rate(grpc_server_handled_total{${s},${bad}}[$__rate_interval])) > 0`,
        '{{service}} {{grpc_method}} {{grpc_code}}',
      ],
    ],
    'reqps',
    'Faults of ours; what a client did wrong is not here.',
  ),
  graph(
    'Duration, 99th percentile',
    [
      [
        `histogram_quantile(0.99, sum by (service, grpc_method, le) (rate(grpc_server_handling_seconds_bucket{${s},grpc_type="unary"}[$__rate_interval])))`,
        '{{service}} {{grpc_method}}',
      ],
    ],
    's',
  ),
  graph(
    'Messages',
    [
      [`sum by (service) (rate(grpc_server_msg_received_total{${s}}[$__rate_interval]))`, '{{service}} received'],
      [`sum by (service) (rate(grpc_server_msg_sent_total{${s}}[$__rate_interval]))`, '{{service}} sent'],
    ],
    'ops',
  ),
  graph(
    'Repeated and unknown calls',
    [
      [
        `sum by (service, grpc_method) (rate(grpc_server_retries_total{${s}}[$__rate_interval])) > 0`,
        '{{service}} {{grpc_method}} again',
      ],
      [
        `sum by (service) (rate(grpc_server_started_total{${s},grpc_type="other"}[$__rate_interval]))`,
        '{{service}} unknown',
      ],
    ],
    'reqps',
  ),
  graph('Calls being served', [
    [`sum by (service, grpc_type) (grpc_server_in_flight{${s}})`, '{{service}} {{grpc_type}}'],
  ]),
];
const process = [
  graph(
    'CPU',
    [
      [
        `sum by (service, instance) (rate(process_cpu_seconds_total{${s}}[$__rate_interval]))`,
        '{{service}} {{instance}}',
      ],
    ],
    'none',
    'Cores.',
  ),
  graph('Resident memory', [[`process_resident_memory_bytes{${s}}`, '{{service}} {{instance}}']], 'bytes'),
  graph('Open files', [[`process_open_fds{${s}} / process_max_fds{${s}}`, '{{service}} {{instance}}']], 'percentunit'),
  graph('Threads', [[`process_threads{${s}}`, '{{service}} {{instance}}']]),
  graph('Virtual memory', [[`process_virtual_memory_bytes{${s}}`, '{{service}} {{instance}}']], 'bytes'),
  graph('Age of the processes', [[`time() - process_start_time_seconds{${s}}`, '{{service}} {{instance}}']], 's'),
];
const state = [
  stat('Ready replicas', [[`sum by (service) (paymesh_ready{${s}})`, '{{service}}']]),
  must('Broken invariants', [[`sum(invariant_violations{${s}})`, 'rows']]),
  must('Alerts', [[`count(ALERTS{alertstate="firing",service=~"$service"}) or vector(0)`, 'firing']]),
  stat('Versions', [
    [`count by (service, version, revision) (paymesh_build_info{${s}})`, '{{service}} {{version}} {{revision}}'],
  ]),
  stat(
    'Certificates end in',
    [[`min by (service, cert) (tls_certificate_not_after_timestamp_seconds{${s}}) - time()`, '{{service}} {{cert}}']],
    's',
  ),
];
const follower = [
  graph('Followers: failed attempts in a row', [
    [`max by (service, follower) (journal_follower_failed_attempts{${s}})`, '{{follower}}'],
  ]),
  graph(
    'Followers: entries applied',
    [[`sum by (service, follower) (rate(journal_follower_applied_total{${s}}[$__rate_interval]))`, '{{follower}}']],
    'ops',
  ),
  graph(
    'Followers: behind by',
    [
      [`min by (service, follower) (journal_follower_lag_seconds{${s}})`, '{{follower}}'],
      [
        `time() - max by (service, follower) (journal_follower_last_entry_timestamp_seconds{${s}} > 0)`,
        '{{follower}} last entry',
      ],
    ],
    's',
  ),
  graph('Followers: connected', [
    [`max by (service, follower) (journal_follower_connected{${s}})`, '{{follower}}'],
    [`max by (service, follower) (deriv(journal_follower_position{${s}}[5m]))`, '{{follower}} positions a second'],
  ]),
];
const heads = graph(
  'Journals: entries written',
  [[`max by (service, journal) (deriv(journal_head_position{${s}}[5m]))`, '{{journal}}']],
  'ops',
);
const leases = graph(
  'Leases held',
  [[`sum by (lease) (lease_held{${s}})`, '{{lease}}']],
  'short',
  'One each over all replicas.',
);
const peers = [
  graph(
    'Calls to peers',
    [
      [
        `sum by (service, grpc_service, grpc_method) (rate(grpc_client_started_total{${s}}[$__rate_interval]))`,
        '{{service}} {{grpc_method}}',
      ],
    ],
    'reqps',
  ),
  graph(
    'Calls to peers that failed',
    [
      [
        `sum by (service, grpc_method, grpc_code) (rate(grpc_client_handled_total{${s},grpc_code!="OK"}[$__rate_interval])) > 0`,
        '{{service}} {{grpc_method}} {{grpc_code}}',
      ],
    ],
    'reqps',
  ),
  graph(
    'Calls to peers, 99th percentile',
    [
      [
        `histogram_quantile(0.99, sum by (service, grpc_method, le) (rate(grpc_client_handling_seconds_bucket{${s},grpc_type="unary"}[$__rate_interval])))`,
        '{{service}} {{grpc_method}}',
      ],
    ],
    's',
  ),
  graph(
    'Messages with peers',
    [
      [`sum by (service) (rate(grpc_client_msg_received_total{${s}}[$__rate_interval]))`, '{{service}} received'],
      [`sum by (service) (rate(grpc_client_msg_sent_total{${s}}[$__rate_interval]))`, '{{service}} sent'],
    ],
    'ops',
  ),
];
const budget = graph(
  'Errors against the objectives',
  [[`max without (window) (slo:sli_error:ratio_rate1h{service=~"$service"})`, '{{service}} {{slo}}']],
  'percentunit',
  'Share of bad calls, or of time, in the last hour.',
);

const payments = [
  graph(
    'Payments by outcome',
    [[`sum by (outcome) (rate(checkout_payments_total{${n}}[$__rate_interval]))`, '{{outcome}}']],
    'ops',
  ),
  graph(
    'Paid, by asset and network',
    [
      [
        `sum by (asset, network) (rate(checkout_payments_total{${n},outcome="SUCCEEDED"}[$__rate_interval]))`,
        '{{asset}} {{network}}',
      ],
    ],
    'ops',
  ),
  graph(
    'From creation to success',
    [
      [
        `histogram_quantile(0.5, sum by (network, le) (rate(checkout_payment_duration_seconds_bucket{${n}}[15m])))`,
        '{{network}} median',
      ],
      [
        `histogram_quantile(0.95, sum by (network, le) (rate(checkout_payment_duration_seconds_bucket{${n}}[15m])))`,
        '{{network}} 95 %',
      ],
    ],
    's',
  ),
  graph(
    'Changes of state',
    [[`sum by (from, to) (rate(checkout_state_transitions_total{${n}}[$__rate_interval]))`, '{{from}} to {{to}}']],
    'ops',
  ),
  graph(
    'Requests with a request id',
    [[`sum by (result) (rate(checkout_idempotency_total{${n}}[$__rate_interval]))`, '{{result}}']],
    'reqps',
  ),
  graph('Payments in one commit', [
    [
      `sum(rate(checkout_create_batch_size_sum{${n}}[$__rate_interval])) / sum(rate(checkout_create_batch_size_count{${n}}[$__rate_interval]))`,
      'mean',
    ],
  ]),
];
const database = [
  graph('Database connections', [
    [`sum by (instance, state) (db_pool_connections{${s}})`, '{{instance}} {{state}}'],
    [`max(db_pool_connections_max{${s}})`, 'limit a process'],
    [`sum by (instance) (db_pool_waiting{${s}})`, '{{instance}} waiting'],
  ]),
  graph(
    'Transactions',
    [
      [`sum by (outcome) (rate(db_transactions_total{${s}}[$__rate_interval]))`, '{{outcome}}'],
      [`sum(rate(db_connections_opened_total{${s}}[$__rate_interval]))`, 'connections made'],
    ],
    'ops',
  ),
  graph(
    'Waiting for a connection, 99th percentile',
    [
      [
        `histogram_quantile(0.99, sum by (instance, le) (rate(db_pool_wait_seconds_bucket{${s}}[$__rate_interval])))`,
        '{{instance}}',
      ],
    ],
    's',
  ),
  graph(
    'Transactions, 99th percentile',
    [
      [
        `histogram_quantile(0.99, sum by (name, le) (rate(db_transaction_seconds_bucket{${s}}[$__rate_interval])))`,
        '{{name}}',
      ],
    ],
    's',
  ),
  graph(
    'Database errors by class',
    [[`sum by (sqlstate_class) (rate(db_errors_total{${s}}[$__rate_interval]))`, '{{sqlstate_class}}']],
    'ops',
  ),
  stat('Schema', [
    [`max by (instance) (db_schema_version{${s}})`, '{{instance}} has'],
    [`max by (instance) (db_schema_version_known{${s}})`, '{{instance}} knows'],
  ]),
];
const chains = [
  stat(
    'Age of the newest block',
    [[`time() - max by (chain) (watcher_head_block_timestamp_seconds{${n}})`, '{{chain}}']],
    's',
  ),
  must('Halted', [[`sum(watcher_chain_halted{${n}})`, 'chains']]),
  must('Unreachable', [[`sum(watcher_chain_unreachable{${n}})`, 'chains']]),
  stat('Leaders', [[`sum by (chain) (watcher_leader{${n}})`, '{{chain}}']], 'short', 'One each.'),
  graph('Blocks not read yet', [[`max by (chain) (watcher_head_lag_blocks{${n}})`, '{{chain}}']]),
  graph(
    'Read, safe and final',
    [
      [
        `max by (chain) (watcher_head_block{${n}}) - max by (chain) (watcher_indexed_block{${n}})`,
        '{{chain}} not read',
      ],
      [
        `max by (chain) (watcher_indexed_block{${n}}) - max by (chain) (watcher_safe_block{${n}})`,
        '{{chain}} not safe',
      ],
      [
        `max by (chain) (watcher_indexed_block{${n}}) - max by (chain) (watcher_finalized_block{${n}})`,
        '{{chain}} not final',
      ],
    ],
    'short',
    'Blocks.',
  ),
  graph(
    'From a block to its finality',
    [
      [
        `histogram_quantile(0.9, sum by (chain, le) (rate(watcher_confirmation_seconds_bucket{${n}}[15m])))`,
        '{{chain}} 90 %',
      ],
    ],
    's',
  ),
  graph(
    'From a head to having stored it',
    [
      [
        `histogram_quantile(0.99, sum by (chain, le) (rate(watcher_block_commit_seconds_bucket{${n}}[$__rate_interval])))`,
        '{{chain}} 99 %',
      ],
    ],
    's',
  ),
  graph(
    'Duration of requests to nodes',
    [
      [
        `histogram_quantile(0.99, sum by (chain, provider, le) (rate(watcher_rpc_request_seconds_bucket{${n}}[$__rate_interval])))`,
        '{{chain}} {{provider}} 99 %',
      ],
    ],
    's',
  ),
  graph(
    'Failed requests',
    [
      [
        `sum by (chain, provider, outcome) (rate(watcher_rpc_requests_total{${n},outcome!="ok"}[$__rate_interval]))`,
        '{{chain}} {{provider}} {{outcome}}',
      ],
    ],
    'reqps',
  ),
  graph(
    'Requests to nodes',
    [[`sum by (chain, method) (rate(watcher_rpc_requests_total{${n}}[$__rate_interval]))`, '{{chain}} {{method}}']],
    'reqps',
  ),
  graph(
    'Transfers',
    [
      [`sum by (chain) (rate(watcher_transfers_total{${n}}[$__rate_interval]))`, '{{chain}} recorded'],
      [`sum by (chain) (rate(watcher_transfers_orphaned_total{${n}}[$__rate_interval]))`, '{{chain}} orphaned'],
    ],
    'ops',
  ),
  graph('Reorganisations', [
    [`sum by (chain) (increase(watcher_reorgs_total{${n}}[1h]))`, '{{chain}} in an hour'],
    [
      `histogram_quantile(0.9, sum by (chain, le) (increase(watcher_reorg_depth_blocks_bucket{${n}}[1h])))`,
      '{{chain}} depth',
    ],
    [`sum by (chain) (increase(watcher_reorgs_beyond_finality_total{${n}}[1h]))`, '{{chain}} beyond finality'],
  ]),
  graph(
    'Second looks',
    [
      [`sum by (chain) (increase(watcher_missed_log_total{${n}}[1h]))`, '{{chain}} missed before'],
      [`sum by (chain) (increase(watcher_provider_disagreements_total{${n}}[1h]))`, '{{chain}} gone since'],
    ],
    'short',
    'In an hour.',
  ),
  stat('Watched addresses', [[`max by (chain) (watcher_watched_addresses{${n}})`, '{{chain}}']]),
  must('Without finality tags', [[`sum(watcher_finality_tag_missing{${n}})`, 'chains']]),
];
const money = [
  must('Unbalanced postings', [[`sum(increase(ledger_unbalanced_postings_total{${n}}[1d]))`, 'in a day']]),
  must('Not believed', [[`sum(increase(settlement_contradictions_total{${n}}[1d]))`, 'in a day']]),
  must('Nonce gap', [[`max(settlement_signer_nonce_gap{${n}})`, 'nonces']]),
  must(
    'Books and chains differ by',
    [
      [
        `max by (chain, account, symbol) (settlement_reconciliation_difference_minor_units{${n}})`,
        '{{chain}} {{account}} {{symbol}}',
      ],
    ],
    'short',
    'Minor units. Must be 0.',
  ),
  stat(
    'Held against the chains',
    [[`time() - max(settlement_reconciliation_last_success_timestamp_seconds{${n}})`, 'ago']],
    's',
  ),
  must('Gas that is missing', [[`max(settlement_signer_unexplained_native{${n}})`, 'wei']]),
  graph(
    'Postings by rule',
    [[`sum by (rule) (rate(ledger_postings_total{${n}}[$__rate_interval])) > 0`, '{{rule}}']],
    'ops',
  ),
  graph('Broken invariants by id', [[`max by (id) (invariant_violations{${n},service="settlement"})`, '{{id}}']]),
  graph('Transactions that are not mined', [[`max by (chain) (settlement_pending_tx{${n}})`, '{{chain}}']]),
  graph(
    'Age of the oldest of them',
    [[`max by (chain) (settlement_pending_tx_oldest_age_seconds{${n}})`, '{{chain}}']],
    's',
  ),
  graph(
    'Broadcasts',
    [[`sum by (chain, outcome) (rate(settlement_broadcasts_total{${n}}[$__rate_interval]))`, '{{chain}} {{outcome}}']],
    'ops',
  ),
  graph(
    'Signatures',
    [
      [
        `sum by (chain, outcome) (rate(settlement_signature_requests_total{${n}}[$__rate_interval]))`,
        '{{chain}} {{outcome}}',
      ],
    ],
    'ops',
  ),
  graph('Native coin of the wallets', [
    [`max by (chain) (settlement_signer_balance_native{${n}}) / 1e18`, '{{chain}}'],
    [`max by (chain) (settlement_signer_balance_min_native{${n}}) / 1e18`, '{{chain}} minimum'],
  ]),
  graph('Alarms', [
    [`sum by (chain, alarm) (increase(settlement_sender_alarms_total{${n}}[$__rate_interval]))`, '{{chain}} {{alarm}}'],
    [`sum by (chain, alarm) (increase(settlement_transaction_alarms_total{${n}}[1h]))`, '{{chain}} {{alarm}}'],
    [`sum by (chain) (increase(settlement_foreign_nonces_total{${n}}[1h]))`, '{{chain}} foreign nonce'],
  ]),
  stat('Senders', [[`sum by (chain) (settlement_sender_leader{${n}})`, '{{chain}}']], 'short', 'One a chain.'),
];
const routing = [
  graph(
    'Decisions',
    [[`sum by (outcome) (rate(routing_decisions_total{${n}}[$__rate_interval]))`, '{{outcome}}']],
    'ops',
  ),
  graph('Age of prices', [[`min by (pair) (routing_quote_age_seconds{${n}})`, '{{pair}}']], 's'),
];
const fallback = graph(
  'Payments without routing',
  [[`sum(rate(checkout_routing_fallback_total{${n}}[$__rate_interval]))`, 'from the last options']],
  'ops',
);

export const dashboards = {
  mesh: dashboard('paymesh-mesh', 'Mesh', [
    ...state,
    ...calls,
    budget,
    ...peers,
    ...follower,
    ...process,
    must('Log lines lost', [[`sum(increase(paymesh_log_lines_dropped_total{${s}}[1h]))`, 'in an hour']]),
    must('Trace spans lost', [[`sum(increase(otel_bsp_spans_dropped_total{${s}}[1h]))`, 'in an hour']]),
    must('Trace exports failed', [[`sum(increase(otel_bsp_exports_failed_total{${s}}[1h]))`, 'in an hour']]),
    graph(
      'Trace spans sent',
      [[`sum by (service) (rate(otel_bsp_spans_exported_total{${s}}[$__rate_interval]))`, '{{service}}']],
      'ops',
    ),
    stat(
      'Different chains.yaml',
      [[`count(count by (hash) (paymesh_chains_config_info{${n}}))`, 'files']],
      'short',
      'Must be 1.',
    ),
  ]),
  payments: dashboard('paymesh-payments', 'Payments', [...payments, fallback, routing[0]]),
  chains: dashboard('paymesh-chains', 'Chains', chains),
  ledger_payouts: dashboard('paymesh-ledger-payouts', 'Ledger and payouts', money),
  checkout: dashboard(
    'paymesh-checkout',
    'checkout',
    [...state, ...calls, budget, ...payments, fallback, ...peers, ...database, heads, ...follower, ...process],
    'checkout',
  ),
  routing: dashboard(
    'paymesh-routing',
    'routing',
    [...state, ...calls, budget, ...routing, ...peers, ...database, ...follower, ...process],
    'routing',
  ),
  watcher: dashboard(
    'paymesh-watcher',
    'watcher',
    [
      ...state,
      ...calls,
      budget,
      ...chains,
      ...database,
      heads,
      leases,
      ...process,
      stat(
        'Invariants counted',
        [[`time() - max(invariants_last_success_timestamp_seconds{${n},service="watcher"})`, 'ago']],
        's',
      ),
    ],
    'watcher',
  ),
  settlement: dashboard(
    'paymesh-settlement',
    'settlement',
    [...state, ...calls, budget, ...money, ...peers, ...database, heads, leases, ...follower, ...process],
    'settlement',
  ),
};
