// What watches the pods: probes, Services, monitors, rules, dashboards and the pod of `helm test`.
import assert from 'node:assert/strict';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML,
  chart,
  component,
  hookOf,
  named,
  namespace,
  ofKind,
  ofService,
  pods,
  refusal,
  render,
  rendered,
  selects,
  services,
  valueFiles,
} from './chart.mjs';

const everyFile = (check) => {
  for (const file of valueFiles) check(rendered(file), file);
};

test('each service has exactly one Service with the metrics port, and a headless one of ready pods', () => {
  everyFile((objects, file) => {
    for (const deployment of ofKind(objects, 'Deployment')) {
      const own = ofService(objects, 'Service', component(deployment));
      const withMetrics = own.filter((service) => service.spec.ports.some((port) => port.name === 'metrics'));
      assert.equal(withMetrics.length, 1, file);
      assert.equal(withMetrics[0].metadata.labels['paymesh.dev/metrics'], 'true');
      assert.equal(withMetrics[0].spec.type, 'ClusterIP', 'never shown by a load balancer');
      for (const service of own) {
        for (const port of service.spec.ports) {
          assert.ok(
            deployment.spec.template.spec.containers[0].ports.some((each) => each.name === port.targetPort),
            file,
          );
        }
        assert.ok(!service.spec.ports.some((port) => port.name === 'health'), 'health is for the kubelet');
      }
      const headless = own.filter((service) => service.metadata.name.endsWith('-headless'));
      assert.equal(headless.length, file === 'everything-off.yaml' ? 0 : 1, file);
      for (const service of headless) {
        assert.equal(service.spec.publishNotReadyAddresses, false);
        assert.equal(service.spec.clusterIP, 'None');
        assert.deepEqual(
          service.spec.ports.map((port) => port.name),
          ['grpc'],
        );
      }
    }
  });
});

test('a ServiceMonitor finds exactly that Service, a PodMonitor the pods, and never both', () => {
  for (const file of ['production.yaml', 'monitoring.yaml']) {
    const objects = rendered(file);
    assert.equal(ofKind(objects, 'ServiceMonitor').length, 4);
    for (const monitor of ofKind(objects, 'ServiceMonitor')) {
      const found = ofKind(objects, 'Service').filter((service) =>
        selects(monitor.spec.selector.matchLabels, service.metadata.labels),
      );
      assert.deepEqual(
        found.map((service) => service.metadata.name),
        [`${monitor.metadata.name}-metrics`],
      );
      const [endpoint] = monitor.spec.endpoints;
      assert.ok(found[0].spec.ports.some((port) => port.name === endpoint.port));
      assert.equal(endpoint.honorLabels, false);
      assert.deepEqual(monitor.spec.namespaceSelector.matchNames, [namespace]);
      assert.equal(endpoint.relabelings[0].replacement, component(monitor));
    }
  }
  assert.equal(
    ofKind(rendered('production.yaml'), 'ServiceMonitor')[0].metadata.labels.release,
    'kube-prometheus-stack',
  );
  const objects = rendered('irsa-podmonitor.yaml');
  assert.equal(ofKind(objects, 'ServiceMonitor').length, 0);
  for (const monitor of ofKind(objects, 'PodMonitor')) {
    const found = pods(objects).filter((pod) => selects(monitor.spec.selector.matchLabels, pod.labels));
    assert.deepEqual(
      found.map((pod) => pod.owner.metadata.name),
      [monitor.metadata.name],
    );
    assert.ok(found[0].spec.containers[0].ports.some((port) => port.name === monitor.spec.podMetricsEndpoints[0].port));
  }
  assert.match(
    refusal({set: ['metrics.serviceMonitor.enabled=true', 'metrics.podMonitor.enabled=true']}),
    /scrape each pod twice/,
  );
});

test('probes are native gRPC on the plaintext health port, by the names that the health server serves', () => {
  const served = readFileSync(join(chart, '..', '..', 'common', 'rpc', 'server', 'health.h'), 'utf8');
  for (const deployment of ofKind(rendered('minimal.yaml'), 'Deployment')) {
    const [container] = deployment.spec.template.spec.containers;
    for (const probe of ['startup', 'liveness', 'readiness']) {
      const {grpc, periodSeconds, failureThreshold, timeoutSeconds} = container[`${probe}Probe`];
      assert.deepEqual(grpc, {port: 50052, service: probe});
      assert.ok(served.includes(`"${probe}"`), probe);
      assert.ok(timeoutSeconds <= periodSeconds * 2 && failureThreshold >= 2);
    }
    assert.ok(container.ports.some((port) => port.name === 'health' && port.containerPort === 50052));
  }
});

test("rules and dashboards come from the chart's own folders, with or without any", () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-rules-'));
  try {
    cpSync(chart, folder, {recursive: true});
    for (const name of ['alerts', 'dashboards']) rmSync(join(folder, name), {recursive: true, force: true});
    const none = render({folder, file: 'production.yaml'});
    assert.equal(ofKind(none, 'PrometheusRule').length, 0);
    assert.equal(ofKind(none, 'ConfigMap').filter((object) => component(object) === 'dashboards').length, 0);

    mkdirSync(join(folder, 'alerts'));
    mkdirSync(join(folder, 'dashboards'));
    const rules = [
      {
        alert: 'Kept',
        expr: 'up == 0',
        labels: {severity: 'critical'},
        annotations: {summary: '{{ $labels.service }} is away', runbook_url: 'runbooks/kept.md'},
      },
      {alert: 'Dropped', expr: 'up == 1'},
      {record: 'a:b', expr: 'sum(up)'},
    ];
    writeFileSync(join(folder, 'alerts', 'a.yaml'), YAML.stringify({groups: [{name: 'one', interval: '30s', rules}]}));
    writeFileSync(join(folder, 'alerts', 'b.yaml'), YAML.stringify({groups: [{name: 'empty', rules: [rules[1]]}]}));
    writeFileSync(join(folder, 'alerts', 'a.test.yaml'), 'rule_files: [a.yaml]\n');
    const dashboard = {uid: 'x', title: '{{ not a template }}'};
    writeFileSync(join(folder, 'dashboards', 'mesh_overview.json'), JSON.stringify(dashboard));
    const objects = render({
      folder,
      setJson: ['metrics.prometheusRule.overrides={"Kept":{"for":"9m","labels":{"page":"yes"}}}'],
      set: [
        'metrics.prometheusRule.enabled=true',
        'metrics.prometheusRule.disabled.Dropped=true',
        'metrics.dashboards.enabled=true',
        'metrics.prometheusRule.runbookBaseUrl=https://example.com/r/',
        'metrics.prometheusRule.alertLabels.team=pay',
      ],
    });
    const [rule] = ofKind(objects, 'PrometheusRule');
    assert.deepEqual(rule.spec.groups, [
      {
        name: 'one',
        interval: '30s',
        rules: [
          {
            ...rules[0],
            for: '9m',
            labels: {severity: 'critical', team: 'pay', page: 'yes'},
            annotations: {...rules[0].annotations, runbook_url: 'https://example.com/r/kept.md'},
          },
          rules[2],
        ],
      },
    ]);
    const [bare] = ofKind(render({folder, set: ['metrics.prometheusRule.enabled=true']}), 'PrometheusRule');
    assert.deepEqual(
      bare.spec.groups[0].rules[0].annotations,
      {summary: '{{ $labels.service }} is away', runbook: 'runbooks/kept.md'},
      'a path is not passed off as a link',
    );
    const configMap = named(objects, 'ConfigMap', 'paymesh-dashboard-mesh-overview');
    assert.deepEqual(JSON.parse(configMap.data['mesh_overview.json']), dashboard);
    assert.equal(configMap.metadata.labels.grafana_dashboard, '1');
    assert.equal(configMap.metadata.annotations.grafana_folder, 'Paymesh');
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});

test('the absence of a service is an alert where it is expected: installed, or named', () => {
  const absences = (values) => {
    const rules = ofKind(render({set: ['metrics.prometheusRule.enabled=true'], ...values}), 'PrometheusRule')
      .flatMap((object) => object.spec.groups)
      .flatMap((group) => group.rules);
    return rules
      .filter(({alert}) => alert === 'PaymeshMetricsAbsent')
      .map(({expr, labels}) => `${labels.service}: ${expr}`);
  };
  const absence = (service) => `${service}: absent(up{job="${service}",namespace="${namespace}"})`;
  assert.deepEqual(absences({file: 'minimal.yaml'}), services.map(absence));
  assert.deepEqual(absences({file: 'settlement-alone.yaml'}), [absence('settlement')]);
  assert.deepEqual(
    absences({
      file: 'settlement-alone.yaml',
      setJson: [`metrics.prometheusRule.expectedServices=${JSON.stringify(services)}`],
    }),
    services.map(absence),
  );
});

test("the chart's alerts arrive unchanged, save those that values leave out or change, and know targets by the labels that monitors set", () => {
  const folder = join(chart, 'alerts');
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
        .sort()
    : [];
  const shipped = files
    .flatMap((name) => YAML.parse(readFileSync(join(folder, name), 'utf8')).groups)
    .flatMap((group) => group.rules);
  const installed = (file) =>
    ofKind(rendered(file), 'PrometheusRule')
      .flatMap((rule) => rule.spec.groups)
      .flatMap((group) => group.rules);
  const production = installed('production.yaml');
  const here = (expr) => String(expr).trim().replaceAll('namespace=~".+"', `namespace="${namespace}"`);
  assert.deepEqual(
    production.map(({alert, record, expr}) => [alert ?? record, String(expr).trim()]),
    shipped.map(({alert, record, expr}) => [alert ?? record, here(expr)]),
  );
  for (const rule of production.filter((each) => each.alert)) assert.equal(rule.labels.team, 'payments');

  const {disabled} = YAML.parse(readFileSync(join(chart, 'ci', 'monitoring.yaml'), 'utf8')).metrics.prometheusRule;
  const changed = installed('monitoring.yaml');
  assert.deepEqual(
    changed.map((rule) => rule.alert ?? rule.record),
    [...shipped.map((rule) => rule.alert ?? rule.record).filter((name) => !disabled[name]), 'PaymeshNobodyPays'],
  );
  for (const rule of changed) {
    if (rule.alert === 'WatcherHeadStale') assert.deepEqual([rule.for, rule.labels.severity], ['10m', 'warning']);
    const url = rule.annotations?.runbook_url;
    if (url) assert.match(url, /^https:\/\/runbooks\.example\.com\/paymesh\/[^/]+\.md$/);
  }
  const jobs = ofKind(rendered('monitoring.yaml'), 'ServiceMonitor').map((monitor) => {
    const service = named(rendered('monitoring.yaml'), 'Service', `${monitor.metadata.name}-metrics`);
    return service.metadata.labels[monitor.spec.jobLabel];
  });
  assert.deepEqual(jobs, services);
  for (const {expr} of shipped) {
    for (const [, pattern] of String(expr).matchAll(/\b(?:job|service)=~?"([^"]+)"/g)) {
      for (const name of pattern.split('|')) assert.ok(services.includes(name), `${name} in ${expr}`);
    }
  }
});

test("of the alerts that share a budget's name one is left out or changed by its window, and all by the name", () => {
  const name = 'PaymeshCheckoutAvailabilityBudgetBurn';
  const burn = (values) =>
    ofKind(
      render({set: ['metrics.prometheusRule.enabled=true'], setJson: [`metrics.prometheusRule.${values}`]}),
      'PrometheusRule',
    )
      .flatMap((rule) => rule.spec.groups)
      .flatMap((group) => group.rules)
      .filter((rule) => rule.alert === name)
      .map(({labels, for: patience}) => `${labels.long} ${labels.severity} ${patience}`);
  const all = ['1h critical 2m', '6h critical 15m', '1d warning 1h', '3d warning 3h'];
  assert.deepEqual(burn('disabled={}'), all);
  assert.deepEqual(burn(`disabled={"${name}/3d":true}`), all.slice(0, 3));
  assert.deepEqual(burn(`disabled={"${name}":true}`), []);
  assert.deepEqual(burn(`overrides={"${name}":{"for":"5m"},"${name}/1d":{"for":"9m","labels":{"severity":"info"}}}`), [
    '1h critical 5m',
    '6h critical 5m',
    '1d info 9m',
    '3d warning 5m',
  ]);
});

test('`helm test` asks every installed service for its health, and calls the watcher as another service of the release', () => {
  const pod = (file) => rendered(file).find((object) => hookOf(object) === 'test');
  assert.deepEqual(
    pod('minimal.yaml').spec.containers[0].args.map((each) => each.replace(/=.*/, '')),
    ['health', ...services.map(() => '--health-address')],
  );
  assert.deepEqual(pod('settlement-alone.yaml').spec.containers[0].args, [
    'health',
    '--health-address=settlement=dns:///paymesh-settlement-headless.pay.svc.cluster.local:50052',
  ]);
  const call = (objects) => objects.find((object) => hookOf(object) === 'test').spec.containers[1];
  assert.deepEqual(call(rendered('minimal.yaml')).args, [
    'chains',
    '--address=watcher=dns:///paymesh-watcher-headless.pay.svc.cluster.local:50051',
    '--identity=watcher=spiffe://paymesh.internal/ns/pay/sa/paymesh-watcher',
    '--ca=/etc/paymesh/tls/ca.crt',
    '--cert=/etc/paymesh/tls/tls.crt',
    '--key=/etc/paymesh/tls/tls.key',
  ]);
  assert.equal(call(rendered('settlement-alone.yaml')), undefined);
  assert.equal(
    call(render({set: services.filter((each) => each !== 'watcher').map((each) => `services.${each}.enabled=false`)})),
    undefined,
  );
  const {spec} = pod('extras.yaml');
  assert.deepEqual(
    [spec.nodeSelector, spec.tolerations[0].key],
    [{'kubernetes.io/arch': 'amd64'}, 'payments'],
    'where the services run, it can run',
  );
});
