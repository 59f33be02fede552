// The objectives, and the rules that follow from them: recording rules for each window and burn-rate
// alerts. `node tests/observability/generate.mjs` writes them to helm/paymesh/alerts/slo.yaml.
export const objectives = [
  {service: 'checkout', slo: 'availability', objective: 0.999, name: 'PaymeshCheckoutAvailabilityBudgetBurn'},
  {service: 'checkout', slo: 'latency', objective: 0.99, below: '0.25', name: 'PaymeshCheckoutLatencyBudgetBurn'},
  {service: 'routing', slo: 'availability', objective: 0.999, name: 'PaymeshRoutingAvailabilityBudgetBurn'},
  {service: 'routing', slo: 'latency', objective: 0.99, below: '0.05', name: 'PaymeshRoutingLatencyBudgetBurn'},
  {service: 'settlement', slo: 'availability', objective: 0.995, name: 'PaymeshSettlementAvailabilityBudgetBurn'},
  {service: 'settlement', slo: 'latency', objective: 0.99, below: '1.0', name: 'PaymeshSettlementLatencyBudgetBurn'},
  {service: 'watcher', slo: 'availability', objective: 0.995, name: 'PaymeshWatcherAvailabilityBudgetBurn'},
  {service: 'watcher', slo: 'freshness', objective: 0.99, name: 'PaymeshWatcherFreshnessBudgetBurn'},
];
export const windows = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];
export const burns = [
  {long: '1h', short: '5m', factor: 14.4, for: '2m', severity: 'critical'},
  {long: '6h', short: '30m', factor: 6, for: '15m', severity: 'critical'},
  {long: '1d', short: '2h', factor: 3, for: '1h', severity: 'warning'},
  {long: '3d', short: '6h', factor: 1, for: '3h', severity: 'warning'},
];
const fewCalls = 20; // below it, a ratio says nothing
const badCodes = 'Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss';
const by = 'sum by (namespace, service)';

function errorRatio({service, slo, below}, window) {
  const of = (more = '') => `{service="${service}",grpc_type="unary"${more}}[${window}]`;
  if (slo === 'availability') {
    return (
      `${by} (rate(grpc_server_handled_total${of(`,grpc_code=~"${badCodes}"`)}))\n` +
      `  / ${by} (rate(grpc_server_handled_total${of()}))\n`
    );
  }
  if (slo === 'latency') {
    return (
      `1 - ${by} (rate(grpc_server_handling_seconds_bucket${of(`,le="${below}"`)}))\n` +
      `  / ${by} (rate(grpc_server_handling_seconds_count${of()}))\n`
    );
  }
  return `avg_over_time(paymesh:chain_stale:bool[${window}])\n`;
}

const round = (value) => Number(value.toPrecision(6));
const percent = (value) => `${round(value * 100)} %`;

function recordings(objective) {
  return windows.map((window) => ({
    record: `slo:sli_error:ratio_rate${window}`,
    expr: errorRatio(objective, window),
    labels: {service: objective.service, slo: objective.slo, window},
  }));
}

function alert(objective, burn) {
  const {service, slo, name} = objective;
  const limit = round(burn.factor * (1 - objective.objective));
  const ratio = (window) =>
    `max without (window) (slo:sli_error:ratio_rate${window}{service="${service}",slo="${slo}"}) > ${limit}`;
  const enough = `slo:sli_calls:increase${burn.long}{service="${service}"} > ${fewCalls}`;
  const whose = slo === 'freshness' ? `${service} ({{ $labels.chain }})` : service;
  const promise = {
    availability: `${percent(objective.objective)} of the calls are answered without a fault of ours`,
    latency: `${percent(objective.objective)} of the calls are answered within ${Number(objective.below) * 1000} ms`,
    freshness: `${percent(objective.objective)} of the time the newest block read is less than a minute old`,
  }[slo];
  return {
    alert: name,
    expr:
      `${ratio(burn.long)}\nand ${ratio(burn.short)}\n` +
      (slo === 'freshness' ? '' : `and on (namespace, service) ${enough}\n`),
    for: burn.for,
    labels: {severity: burn.severity, long: burn.long, short: burn.short},
    annotations: {
      summary: `${whose} spends its ${slo} budget ${burn.factor} times too fast`,
      description: `Promised over 30 days: ${promise}. At the pace of the last ${burn.long} the budget is spent before the 30 days are over.`,
      runbook_url: `deploy/runbooks/${name.toLowerCase()}.md`,
    },
  };
}

export function sloRules() {
  const calls = burns.map(({long}) => ({
    record: `slo:sli_calls:increase${long}`,
    expr: `${by} (increase(grpc_server_handled_total{grpc_type="unary"}[${long}]))\n`,
  }));
  const stale = {
    record: 'paymesh:chain_stale:bool',
    expr: 'time() - max by (namespace, chain) (watcher_head_block_timestamp_seconds)\n  > bool 60 # seconds\n',
  };
  return {
    groups: [
      {name: 'paymesh-slo-records', rules: [...calls, stale, ...objectives.flatMap(recordings)]},
      {
        name: 'paymesh-slo-alerts',
        rules: objectives.flatMap((objective) => burns.map((burn) => alert(objective, burn))),
      },
    ],
  };
}
