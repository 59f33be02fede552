// For each alert the series that make it fire and those that do not. generate.mjs makes promtool's tests of them.
// Values are promtool's notation, one sample a minute (two minutes in slo).
import {objectives} from './slo.mjs';

const target = (service) => `job="${service}",service="${service}",instance="${service}-0",namespace="pay"`;
const everyService = ['checkout', 'routing', 'watcher', 'settlement'];
const pay = (labels) => ({namespace: 'pay', ...labels});
const chain = 'chain="eip155:1"';
const self = (service) => ({job: service, service, instance: `${service}-0`, namespace: 'pay'});
const eth = pay({chain: 'eip155:1'});

/** One case that fires and one that does not, for the same series with other values. */
function pair(alert, {at, fires, firing, quiet, firingName = 'fires', quietName = 'does not fire'}) {
  return [
    {alert, name: firingName, at, series: firing, fires},
    {alert, name: quietName, at, series: quiet, fires: []},
  ];
}
/** The same, for one series. */
const one = (alert, series, bad, good, at, fires) =>
  pair(alert, {at, fires, firing: {[series]: bad}, quiet: {[series]: good}});
/** A figure of a chain that counts only where `leader` is 1. */
const led = (alert, metric, leader, service, bad, good, at) => [
  ...pair(alert, {
    at,
    fires: [eth],
    firing: {[`${metric}{${chain},${target(service)}}`]: bad, [`${leader}{${chain},${target(service)}}`]: '1x400'},
    quiet: {[`${metric}{${chain},${target(service)}}`]: good, [`${leader}{${chain},${target(service)}}`]: '1x400'},
  }),
  {
    alert,
    name: 'does not fire for what a replica remembers that no longer leads',
    at,
    series: {[`${metric}{${chain},${target(service)}}`]: bad, [`${leader}{${chain},${target(service)}}`]: '0x400'},
  },
];

const services = [
  ...one('PaymeshTargetDown', `up{${target('routing')}}`, '0x10', '1 0 0 1 0 0 1 1 0 0 1', '8m', [self('routing')]),
  ...everyService.flatMap((service) =>
    pair('PaymeshMetricsAbsent', {
      at: '20m',
      fires: [{job: service, service}],
      firingName: `fires for ${service} alone`,
      quietName: `does not fire while ${service} is known, however ill`,
      firing: Object.fromEntries(
        everyService.map((each) => [`up{${target(each)}}`, each === service ? '1 1 _x30' : '1x40']),
      ),
      quiet: Object.fromEntries(
        everyService.map((each) => [`up{${target(each)}}`, each === service ? '0x40' : '1x40']),
      ),
    }),
  ),
  ...pair('PaymeshServiceNotReady', {
    at: '5m',
    fires: [pay({service: 'checkout'})],
    firing: {[`paymesh_ready{${target('checkout')}}`]: '0x10'},
    quiet: {
      [`paymesh_ready{${target('checkout')}}`]: '0x10',
      'paymesh_ready{service="checkout",instance="checkout-1",namespace="pay"}': '1x10',
    },
  }),
  ...one(
    'PaymeshServiceRestarting',
    `process_start_time_seconds{${target('watcher')}}`,
    '1 1 2 2 3 3 4 4 5 5 6',
    '1 1 2 2 2 2 2 2 2 2 2',
    '10m',
    [self('watcher')],
  ),
  ...pair('PaymeshSustainedErrorsLowTraffic', {
    at: '7h',
    fires: [pay({service: 'routing'})],
    firing: {
      [`grpc_server_handled_total{grpc_type="unary",grpc_code="Unavailable",${target('routing')}}`]: '0+0.2x420',
    },
    quiet: {
      [`grpc_server_handled_total{grpc_type="unary",grpc_code="Unavailable",${target('routing')}}`]: '0+0.2x420',
      [`grpc_server_handled_total{grpc_type="unary",grpc_code="OK",${target('routing')}}`]: '0+60x420',
    },
  }),
  ...one(
    'PaymeshInvariantViolated',
    `invariant_violations{id="I9",${target('watcher')}}`,
    '0 0 2x10',
    '0 0 2 0 0 0x10',
    '8m',
    [pay({service: 'watcher', id: 'I9'})],
  ),
  ...one(
    'PaymeshFollowerStalled',
    `journal_follower_failed_attempts{follower="settlement<-checkout.events",${target('settlement')}}`,
    '0+2x10',
    '0 1 2 0 1 2 3 0 0 0 0',
    '8m',
    [pay({service: 'settlement', follower: 'settlement<-checkout.events'})],
  ),
  ...one(
    'PaymeshTransfersFollowedLate',
    `journal_follower_last_entry_timestamp_seconds{follower="settlement<-watcher.transfers",${target('settlement')}}`,
    '60x10',
    '60 60 60 180+60x10',
    '9m',
    [pay({service: 'settlement', follower: 'settlement<-watcher.transfers'})],
  ),
  {
    alert: 'PaymeshTransfersFollowedLate',
    name: 'does not fire for a journal that may be idle, nor before the first entry',
    at: '9m',
    series: {
      [`journal_follower_last_entry_timestamp_seconds{follower="settlement<-checkout.events",${target('settlement')}}`]:
        '60x10',
      [`journal_follower_last_entry_timestamp_seconds{follower="settlement<-watcher.transfers",${target('settlement')}}`]:
        '0x10',
    },
  },
  ...one(
    'PaymeshFollowerBehind',
    `journal_follower_lag_seconds{follower="checkout<-settlement.events",${target('checkout')}}`,
    '0+60x20',
    '0 400 400 0x20',
    '14m',
    [pay({service: 'checkout', follower: 'checkout<-settlement.events'})],
  ),
  {
    alert: 'PaymeshFollowerBehind',
    name: 'does not fire for the replica that has not the cursor',
    at: '14m',
    series: {
      [`journal_follower_lag_seconds{follower="checkout<-settlement.events",${target('checkout')}}`]: '0+60x20',
      'journal_follower_lag_seconds{follower="checkout<-settlement.events",service="checkout",instance="checkout-1",namespace="pay"}':
        '0x20',
    },
  },
  ...pair('PaymeshChainsConfigMismatch', {
    at: '20m',
    fires: [pay({})],
    firing: {
      [`paymesh_chains_config_info{hash="a",${target('checkout')}}`]: '1x30',
      [`paymesh_chains_config_info{hash="b",${target('routing')}}`]: '1x30',
    },
    quiet: {
      [`paymesh_chains_config_info{hash="a",${target('checkout')}}`]: '1x30',
      [`paymesh_chains_config_info{hash="a",${target('routing')}}`]: '1x30',
    },
  }),
  ...pair('PaymeshFileDescriptorsLow', {
    at: '15m',
    fires: [self('checkout')],
    firing: {
      [`process_open_fds{${target('checkout')}}`]: '950x20',
      [`process_max_fds{${target('checkout')}}`]: '1000x20',
    },
    quiet: {
      [`process_open_fds{${target('checkout')}}`]: '100x20',
      [`process_max_fds{${target('checkout')}}`]: '1000x20',
    },
  }),
  ...one(
    'PaymeshLogLinesDropped',
    `paymesh_log_lines_dropped_total{${target('checkout')}}`,
    '0+3x40',
    '0 5x40',
    '35m',
    [pay({service: 'checkout'})],
  ),
  ...pair('DatabasePoolSaturated', {
    at: '15m',
    fires: [pay({service: 'checkout', instance: 'checkout-0'})],
    firing: {
      [`db_pool_connections{state="busy",${target('checkout')}}`]: '8x20',
      [`db_pool_connections_max{${target('checkout')}}`]: '8x20',
    },
    quiet: {
      [`db_pool_connections{state="busy",${target('checkout')}}`]: '8 8 3x20',
      [`db_pool_connections_max{${target('checkout')}}`]: '8x20',
    },
  }),
  ...pair('SchemaVersionMismatch', {
    at: '40m',
    fires: [pay({service: 'routing'})],
    firing: {
      [`db_schema_version{${target('routing')}}`]: '12x60',
      [`db_schema_version_known{${target('routing')}}`]: '11x60',
    },
    quiet: {
      [`db_schema_version{${target('routing')}}`]: '11 12x60',
      [`db_schema_version_known{${target('routing')}}`]: '11x9 12x60',
    },
  }),
  ...pair('TlsCertificateExpiringSoon', {
    at: '90m',
    fires: [pay({service: 'routing', instance: 'routing-0', cert: 'own'})],
    firing: {
      [`tls_certificate_not_after_timestamp_seconds{cert="own",${target('routing')}}`]: `${6 * 86_400}x120`,
      [`tls_certificate_not_after_timestamp_seconds{cert="ca",${target('routing')}}`]: `${60 * 86_400}x120`,
    },
    quiet: {
      [`tls_certificate_not_after_timestamp_seconds{cert="own",${target('routing')}}`]: `${6 * 86_400}x9 ${30 * 86_400}x120`,
    },
  }),
  ...pair('TlsCertificateExpiringImminent', {
    at: '12m',
    fires: [pay({service: 'checkout', instance: 'checkout-0', cert: 'ca'})],
    firing: {[`tls_certificate_not_after_timestamp_seconds{cert="ca",${target('checkout')}}`]: '50000x20'},
    quiet: {[`tls_certificate_not_after_timestamp_seconds{cert="ca",${target('checkout')}}`]: `${2 * 86_400}x20`},
  }),
  ...one('TraceSpansDropped', `otel_bsp_spans_dropped_total{${target('checkout')}}`, '0+3x60', '0 5x60', '50m', [
    pay({service: 'checkout'}),
  ]),
];

const watcher = [
  ...one(
    'WatcherHeadStale',
    `watcher_head_block_timestamp_seconds{${chain},${target('watcher')}}`,
    '0 60 60x10',
    '0+60x20',
    '8m',
    [eth],
  ),
  {
    alert: 'WatcherHeadStale',
    name: 'does not fire for a replica that does not lead',
    at: '8m',
    series: {
      [`watcher_head_block_timestamp_seconds{${chain},${target('watcher')}}`]: '0x20',
      [`watcher_head_block_timestamp_seconds{${chain},service="watcher",instance="watcher-1",namespace="pay"}`]:
        '0+60x20',
    },
  },
  ...led('WatcherIndexLag', 'watcher_head_lag_blocks', 'watcher_leader', 'watcher', '30x20', '5x20', '8m'),
  ...led('WatcherIndexLagCritical', 'watcher_head_lag_blocks', 'watcher_leader', 'watcher', '130x20', '30x20', '8m'),
  ...one(
    'WatcherDeepReorg',
    `watcher_reorgs_beyond_finality_total{${chain},${target('watcher')}}`,
    '0 0 1x10',
    '1x10',
    '5m',
    [eth],
  ),
  ...led('WatcherChainHalted', 'watcher_chain_halted', 'watcher_leader', 'watcher', '1x10', '0x10', '2m'),
  ...led(
    'WatcherChainUnreachable',
    'watcher_chain_unreachable',
    'watcher_leader',
    'watcher',
    '1x10',
    '0 1 0 1 0 0 0 0',
    '4m',
  ),
  ...one(
    'WatcherProvidersDisagree',
    `watcher_provider_disagreements_total{${chain},${target('watcher')}}`,
    '0',
    '0',
    '5m',
    [eth],
  ).map((test, index) => ({
    ...test,
    series: {
      [`watcher_provider_disagreements_total{${chain},${target('watcher')}}`]: index === 0 ? '0+2x10' : '0 0 1x10',
      [`watcher_missed_log_total{${chain},${target('watcher')}}`]: '0x10',
    },
  })),
  ...pair('WatcherProviderErrors', {
    at: '20m',
    fires: [pay({chain: 'eip155:1', provider: 'node-a'})],
    firing: {
      [`watcher_rpc_requests_total{${chain},provider="node-a",outcome="error",${target('watcher')}}`]: '0+50x30',
      [`watcher_rpc_requests_total{${chain},provider="node-a",outcome="ok",${target('watcher')}}`]: '0+100x30',
    },
    quiet: {
      [`watcher_rpc_requests_total{${chain},provider="node-a",outcome="error",${target('watcher')}}`]: '0+5x30',
      [`watcher_rpc_requests_total{${chain},provider="node-a",outcome="ok",${target('watcher')}}`]: '0+100x30',
    },
  }),
  ...pair('WatcherNoLeader', {
    at: '5m',
    fires: [eth],
    firing: {
      [`watcher_leader{${chain},${target('watcher')}}`]: '0x10',
      [`watcher_leader{${chain},service="watcher",instance="watcher-1",namespace="pay"}`]: '0x10',
    },
    quiet: {
      [`watcher_leader{${chain},${target('watcher')}}`]: '0x10',
      [`watcher_leader{${chain},service="watcher",instance="watcher-1",namespace="pay"}`]: '1x10',
    },
  }),
  ...led(
    'WatcherFinalityTagMissing',
    'watcher_finality_tag_missing',
    'watcher_leader',
    'watcher',
    '1x30',
    '0x30',
    '20m',
  ),
  ...one(
    'WatcherInvariantsNotCounted',
    `invariants_last_success_timestamp_seconds{${target('watcher')}}`,
    '0x60',
    '0+60x60',
    '50m',
    [pay({})],
  ),
];

const settlement = [
  ...pair('LedgerUnbalanced', {
    at: '3m',
    fires: [pay({service: 'settlement'})],
    firing: {[`ledger_unbalanced_postings_total{${target('settlement')}}`]: '0 0 1 1 1'},
    quiet: {
      [`ledger_unbalanced_postings_total{${target('settlement')}}`]: '0x5',
      [`invariant_violations{id="I15",${target('settlement')}}`]: '1x5',
    },
  }),
  {
    alert: 'LedgerUnbalanced',
    name: 'fires for rows that somebody planted',
    at: '3m',
    series: {[`invariant_violations{id="I1",${target('settlement')}}`]: '0 0 1 1 1'},
    fires: [pay({service: 'settlement'})],
  },
  ...one(
    'SettlementReconciliationBreak',
    `settlement_signer_unexplained_native{${chain},${target('settlement')}}`,
    '1000x30',
    '0 1000 0x30',
    '20m',
    [eth],
  ),
  {
    alert: 'SettlementReconciliationBreak',
    name: 'fires once for all accounts of a chain',
    at: '20m',
    fires: [eth],
    series: {
      [`settlement_reconciliation_difference_minor_units{${chain},account="vault",symbol="USDC",${target('settlement')}}`]:
        '0 5x30',
      [`settlement_reconciliation_difference_minor_units{${chain},account="deposits",symbol="USDC",${target('settlement')}}`]:
        '0 7x30',
    },
  },
  ...one(
    'SettlementReconciliationOverdue',
    `settlement_reconciliation_last_success_timestamp_seconds{${target('settlement')}}`,
    '60x60',
    '60+60x60',
    '50m',
    [pay({})],
  ),
  ...led(
    'SettlementSignerBalanceLow',
    'settlement_signer_balance_native',
    'settlement_sender_leader',
    'settlement',
    '5x30',
    '50x30',
    '15m',
  ).map((test) => ({
    ...test,
    series: {...test.series, [`settlement_signer_balance_min_native{${chain},${target('settlement')}}`]: '10x30'},
  })),
  ...led(
    'SettlementTransactionStuck',
    'settlement_pending_tx_oldest_age_seconds',
    'settlement_sender_leader',
    'settlement',
    '0+60x40',
    '0 60 0x40',
    '25m',
  ),
  ...led(
    'SettlementNonceGap',
    'settlement_signer_nonce_gap',
    'settlement_sender_leader',
    'settlement',
    '1x20',
    '0 1 0x20',
    '10m',
  ),
  ...one(
    'SettlementForeignNonce',
    `settlement_foreign_nonces_total{${chain},${target('settlement')}}`,
    '_ _ 1x10',
    '1x120',
    '5m',
    [eth],
  ).map((test, index) =>
    index === 0
      ? {...test, name: 'fires at the first event, with which the counter begins'}
      : {...test, at: '100m', name: 'does not fire for an event of long ago'},
  ),
  ...pair('SettlementNoSender', {
    at: '5m',
    fires: [eth],
    firing: {[`settlement_sender_leader{${chain},${target('settlement')}}`]: '0x10'},
    quiet: {[`settlement_sender_leader{${chain},${target('settlement')}}`]: '1 0 1x10'},
  }),
  ...pair('SettlementSigningFailing', {
    at: '12m',
    fires: [eth],
    firing: {
      [`settlement_signature_requests_total{${chain},outcome="failed",${target('settlement')}}`]: '0+2x20',
      [`settlement_signature_requests_total{${chain},outcome="ok",${target('settlement')}}`]: '0+1x20',
    },
    quiet: {
      [`settlement_signature_requests_total{${chain},outcome="failed",${target('settlement')}}`]: '0+1x20',
      [`settlement_signature_requests_total{${chain},outcome="ok",${target('settlement')}}`]: '0+9x20',
    },
  }),
  ...one(
    'SettlementTransactionAlarm',
    `settlement_transaction_alarms_total{${chain},alarm="already_paid",${target('settlement')}}`,
    '_ _ 1x10',
    '1x120',
    '5m',
    [pay({chain: 'eip155:1', alarm: 'already_paid'})],
  ).map((test, index) => (index === 0 ? test : {...test, at: '100m', name: 'does not fire for an event of long ago'})),
  ...one(
    'SettlementSenderAlarm',
    `settlement_sender_alarms_total{${chain},alarm="fee_ceiling",${target('settlement')}}`,
    '0+5x30',
    '0 2x30',
    '18m',
    [pay({chain: 'eip155:1', alarm: 'fee_ceiling'})],
  ),
  ...one(
    'SettlementContradiction',
    `settlement_contradictions_total{${target('settlement')}}`,
    '0 0 1x5',
    '1x5',
    '4m',
    [pay({})],
  ),
];

const payments = [
  ...pair('RoutingNoOptions', {
    at: '15m',
    fires: [pay({})],
    firing: {
      [`routing_decisions_total{outcome="no_option",${target('routing')}}`]: '0+10x20',
      [`routing_decisions_total{outcome="offered",${target('routing')}}`]: '0+1x20',
    },
    quiet: {
      [`routing_decisions_total{outcome="no_option",${target('routing')}}`]: '0+10x20',
      [`routing_decisions_total{outcome="offered",${target('routing')}}`]: '0+90x20',
    },
  }),
  ...one(
    'CheckoutRoutingFallback',
    `checkout_routing_fallback_total{${target('checkout')}}`,
    '0+3x30',
    '0 3x30',
    '18m',
    [pay({})],
  ),
  ...one(
    'RoutingQuoteOld',
    `routing_quote_age_seconds{pair="EUR/USD",${target('routing')}}`,
    '95000x30',
    '3600x30',
    '15m',
    [pay({pair: 'EUR/USD'})],
  ),
  ...pair('CheckoutConflictsHigh', {
    at: '40m',
    fires: [pay({})],
    firing: {
      [`checkout_idempotency_total{result="conflict",${target('checkout')}}`]: '0+20x60',
      [`checkout_idempotency_total{result="new",${target('checkout')}}`]: '0+50x60',
    },
    quiet: {
      [`checkout_idempotency_total{result="conflict",${target('checkout')}}`]: '0+2x60',
      [`checkout_idempotency_total{result="new",${target('checkout')}}`]: '0+50x60',
    },
  }),
];

/** Good and bad minutes of an objective's calls, as its series. */
function traffic({service, slo, below}, good, bad, minutes) {
  const calls = `grpc_type="unary",${target(service)}`;
  if (slo === 'availability') {
    return {
      [`grpc_server_handled_total{grpc_code="OK",${calls}}`]: `0+${good}x${minutes}`,
      [`grpc_server_handled_total{grpc_code="Internal",${calls}}`]: `0+${bad}x${minutes}`,
    };
  }
  return {
    [`grpc_server_handled_total{grpc_code="OK",${calls}}`]: `0+${good + bad}x${minutes}`,
    [`grpc_server_handling_seconds_bucket{le="${below}",${calls}}`]: `0+${good}x${minutes}`,
    [`grpc_server_handling_seconds_count{${calls}}`]: `0+${good + bad}x${minutes}`,
  };
}
const head = `watcher_head_block_timestamp_seconds{${chain},${target('watcher')}}`;
const fast = [
  {long: '1h', short: '5m'},
  {long: '6h', short: '30m'},
];

const slo = objectives.flatMap((objective) => {
  const {name: alert, service, slo: kind} = objective;
  const labels = {slo: kind, service, namespace: 'pay'};
  if (kind === 'freshness') {
    return [
      {
        alert,
        name: 'pages when a chain stands still',
        at: '40m',
        series: {[head]: '0x60'},
        fires: fast.map((window) => ({...labels, chain: 'eip155:1', ...window})),
      },
      {alert, name: 'does not fire while blocks come', at: '4h', series: {[head]: '0+120x140'}},
    ];
  }
  const budget = 1 - objective.objective;
  const bad = (times) => Math.round(100_000 * budget * times);
  const at = (times, minutes) => traffic(objective, 100_000 - bad(times), bad(times), minutes);
  return [
    {
      alert,
      name: 'pages when the budget goes within two days',
      at: '40m',
      series: at(20, 30),
      fires: fast.map((window) => ({...labels, ...window})),
    },
    {
      alert,
      name: 'warns when it goes within days',
      at: '150m',
      series: at(4, 90),
      fires: [{...labels, long: '1d', short: '2h'}],
    },
    {alert, name: 'does not fire at half the pace that is allowed', at: '4h', series: at(0.5, 140)},
    {alert, name: 'does not fire for one failure of a few calls', at: '40m', series: traffic(objective, 0, 0.2, 30)},
  ];
});

export const cases = {slo, services, watcher, settlement, payments};
