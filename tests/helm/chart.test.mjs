// What goes wrong with charts of this kind, each as an assertion over every value file that it can show in.
import assert from 'node:assert/strict';
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML, chart, component, hookOf, hookWeight, named, namespace, ofKind, ofService, pods, readChart, refusal, render, rendered, runHelm,
  selects, services, valueFiles,
} from './chart.mjs';

const everyFile = (check) => {
  for (const file of valueFiles) check(rendered(file), file);
};
const kSecretWords = /password|passwd|secret_?key|private key|BEGIN |mnemonic|api_?key/i;

test('a scaled Deployment has no replicas of its own, and every other has', () => {
  let scaled = 0;
  everyFile((objects, file) => {
    for (const deployment of ofKind(objects, 'Deployment')) {
      const scalers = objects.filter((object) => object.spec?.scaleTargetRef?.name === deployment.metadata.name);
      assert.ok(scalers.length <= 1, file);
      assert.equal('replicas' in deployment.spec, scalers.length === 0, `${file}: ${deployment.metadata.name}`);
      scaled += scalers.length;
    }
  });
  assert.ok(scaled >= 5);
});

test('a PodDisruptionBudget is there from two pods on, and never for one', () => {
  assert.equal(ofKind(rendered('minimal.yaml'), 'PodDisruptionBudget').length, 4);
  assert.equal(ofKind(rendered('single-pod.yaml'), 'PodDisruptionBudget').length, 0);
  assert.equal(ofService(rendered('autoscaling.yaml'), 'PodDisruptionBudget', 'settlement').length, 0);
  assert.equal(ofService(rendered('autoscaling.yaml'), 'PodDisruptionBudget', 'routing').length, 1);
  everyFile((objects, file) => {
    for (const budget of ofKind(objects, 'PodDisruptionBudget')) {
      assert.equal(('maxUnavailable' in budget.spec) + ('minAvailable' in budget.spec), 1, file);
      assert.equal(budget.spec.unhealthyPodEvictionPolicy, 'AlwaysAllow');
    }
  });
});

test('selectors hold nothing that a new version changes, and match their pods and no others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-chart-'));
  try {
    cpSync(chart, folder, {recursive: true});
    const meta = YAML.parse(readChart('Chart.yaml'));
    writeFileSync(join(folder, 'Chart.yaml'), YAML.stringify({...meta, version: '9.9.9', appVersion: '9.9.9'}));
    const before = rendered('minimal.yaml');
    const after = render({folder, setJson: ['defaults.podLabels={"a":"b"}'], set: ['defaults.image.tag=other']});
    for (const kind of ['Deployment', 'Service', 'PodDisruptionBudget', 'NetworkPolicy']) {
      for (const object of ofKind(before, kind)) {
        const selector = (each) => each.spec.selector ?? each.spec.podSelector;
        const other = named(after, kind, object.metadata.name);
        assert.deepEqual(selector(other), selector(object), `${kind} ${object.metadata.name}`);
        assert.notEqual(other.metadata.labels['helm.sh/chart'], object.metadata.labels['helm.sh/chart']);
      }
    }
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
  everyFile((objects, file) => {
    for (const object of objects) {
      const selector = object.spec?.selector?.matchLabels ?? (object.kind === 'Service' ? object.spec.selector : undefined);
      if (!selector || /Monitor$/.test(object.kind)) continue;
      const chosen = pods(objects).filter((pod) => selects(selector, pod.labels));
      assert.deepEqual(chosen.map((pod) => pod.owner.kind), ['Deployment'], `${file}: ${object.kind} ${object.metadata.name}`);
      assert.equal(component(chosen[0].owner), component(object), file);
    }
  });
});

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
          assert.ok(deployment.spec.template.spec.containers[0].ports.some((each) => each.name === port.targetPort), file);
        }
        assert.ok(!service.spec.ports.some((port) => port.name === 'health'), 'health is for the kubelet');
      }
      const headless = own.filter((service) => service.metadata.name.endsWith('-headless'));
      assert.equal(headless.length, file === 'everything-off.yaml' ? 0 : 1, file);
      for (const service of headless) {
        assert.equal(service.spec.publishNotReadyAddresses, false);
        assert.equal(service.spec.clusterIP, 'None');
        assert.deepEqual(service.spec.ports.map((port) => port.name), ['grpc']);
      }
    }
  });
});

test('a ServiceMonitor finds exactly that Service, a PodMonitor the pods, and never both', () => {
  for (const file of ['production.yaml', 'monitoring.yaml']) {
    const objects = rendered(file);
    assert.equal(ofKind(objects, 'ServiceMonitor').length, 4);
    for (const monitor of ofKind(objects, 'ServiceMonitor')) {
      const found = ofKind(objects, 'Service').filter((service) => selects(monitor.spec.selector.matchLabels, service.metadata.labels));
      assert.deepEqual(found.map((service) => service.metadata.name), [`${monitor.metadata.name}-metrics`]);
      const [endpoint] = monitor.spec.endpoints;
      assert.ok(found[0].spec.ports.some((port) => port.name === endpoint.port));
      assert.equal(endpoint.honorLabels, false);
      assert.deepEqual(monitor.spec.namespaceSelector.matchNames, [namespace]);
      assert.equal(endpoint.relabelings[0].replacement, component(monitor));
    }
  }
  assert.equal(ofKind(rendered('production.yaml'), 'ServiceMonitor')[0].metadata.labels.release, 'kube-prometheus-stack');
  const objects = rendered('irsa-podmonitor.yaml');
  assert.equal(ofKind(objects, 'ServiceMonitor').length, 0);
  for (const monitor of ofKind(objects, 'PodMonitor')) {
    const found = pods(objects).filter((pod) => selects(monitor.spec.selector.matchLabels, pod.labels));
    assert.deepEqual(found.map((pod) => pod.owner.metadata.name), [monitor.metadata.name]);
    assert.ok(found[0].spec.containers[0].ports.some((port) => port.name === monitor.spec.podMetricsEndpoints[0].port));
  }
  assert.match(refusal({set: ['metrics.serviceMonitor.enabled=true', 'metrics.podMonitor.enabled=true']}), /scrape each pod twice/);
});

test('a migration rests on nothing but hooks of lower weight and what the cluster has', () => {
  let jobs = 0;
  everyFile((objects, file) => {
    const ordinary = objects.filter((object) => !hookOf(object));
    for (const job of ofKind(objects, 'Job')) {
      jobs++;
      const {spec} = job.spec.template;
      if (file === 'no-hooks.yaml') {
        assert.equal(hookOf(job), undefined);
        continue;
      }
      assert.equal(hookOf(job), 'pre-install,pre-upgrade', file);
      const needs = [['ServiceAccount', spec.serviceAccountName]];
      for (const volume of spec.volumes) {
        const sources = volume.projected?.sources ?? [volume];
        for (const {configMap, secret} of sources) {
          if (configMap) needs.push(['ConfigMap', configMap.name]);
          if (secret) needs.push(['ExternalSecret', secret.name ?? secret.secretName]);
        }
      }
      for (const [kind, name] of needs) {
        assert.equal(named(ordinary, kind, name), undefined, `${file}: ${job.metadata.name} needs ${kind} ${name}, which comes later`);
        const hook = named(objects, kind, name);
        if (hook) assert.ok(hookWeight(hook) < hookWeight(job), `${file}: ${kind} ${name}`);
        if (!hook && kind === 'ServiceAccount') assert.fail(`${file}: no account ${name}`);
      }
      const deployment = ofService(objects, 'Deployment', component(job).replace('-migration', ''))[0];
      assert.equal(spec.containers[0].image, deployment.spec.template.spec.containers[0].image, 'the image of the service');
      assert.deepEqual(spec.containers[0].args.at(-1), 'migrate');
      assert.equal(spec.restartPolicy, 'Never');
    }
  });
  assert.ok(jobs >= 40);
  assert.equal(ofKind(rendered('everything-off.yaml'), 'Job').length, 0);
});

test('without hooks a migration is a new object for each image and a good one for the same', () => {
  const name = (set) => ofKind(render({file: 'no-hooks.yaml', set}), 'Job').map((job) => job.metadata.name);
  assert.deepEqual(name([]), name([]));
  for (const each of name(['defaults.image.tag=v2'])) assert.ok(!name([]).includes(each));
});

test('pods and containers satisfy the restricted standard, and nothing can be written', () => {
  everyFile((objects, file) => {
    for (const {owner, spec} of pods(objects)) {
      const where = `${file}: ${owner.kind} ${owner.metadata.name}`;
      assert.equal(spec.securityContext.runAsNonRoot, true, where);
      assert.ok(spec.securityContext.runAsUser > 0, where);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault', where);
      assert.equal(spec.automountServiceAccountToken, false, where);
      for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace']) assert.ok(!spec[key], where);
      for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
        const context = container.securityContext;
        assert.equal(context.allowPrivilegeEscalation, false, where);
        assert.equal(context.readOnlyRootFilesystem, true, where);
        assert.deepEqual(context.capabilities, {drop: ['ALL']}, where);
        assert.ok(!context.privileged && !(container.ports ?? []).some((port) => port.hostPort), where);
        assert.ok(!container.resources?.limits?.cpu, `${where}: no CPU limit`);
        for (const mount of container.volumeMounts ?? []) {
          assert.equal(mount.subPath, undefined, `${where}: a subPath is never updated`);
        }
      }
      const kinds = ['configMap', 'secret', 'projected', 'emptyDir'];
      for (const volume of spec.volumes ?? []) assert.ok(kinds.some((kind) => volume[kind]), where);
    }
  });
});

test('no secret is in a ConfigMap or an environment variable', () => {
  everyFile((objects, file) => {
    for (const object of ofKind(objects, 'ConfigMap')) {
      if (component(object) === 'dashboards') continue;
      for (const [key, text] of Object.entries(object.data)) {
        const suspicious = text.split('\n').filter((line) => kSecretWords.test(line) && !/_file: \/etc\/paymesh\/secrets\//.test(line));
        assert.deepEqual(suspicious, [], `${file}: ${object.metadata.name} ${key}`);
        assert.doesNotMatch(text, /^\s*conninfo: (?!service=paymesh$)/m);
      }
    }
    for (const {owner, spec} of pods(objects)) {
      for (const container of spec.containers) {
        for (const variable of container.env ?? []) {
          assert.ok(!variable.valueFrom?.secretKeyRef && !kSecretWords.test(variable.name), `${file}: ${owner.metadata.name}`);
        }
      }
    }
    assert.equal(ofKind(objects, 'Secret').length, 0, `${file}: the chart makes no Secret`);
  });
  assert.match(refusal({setJson: ['services.checkout.config={"database":{"conninfo":"host=x password=y"}}']}), /comes from database.secret/);
  const chain = (url) => ({set: ['chains.existingSecret='], setJson: [`chains.inline=[{"chain":"eip155:1","endpoints":["${url}"]}]`]});
  for (const url of ['https://mainnet.example.com/v3/0123456789abcdef0123456789abcdef', 'https://user:word@node.example.com']) {
    assert.match(refusal(chain(url)), /seems to carry a key/, url);
  }
});

test('probes are native gRPC on the plaintext health port, by the names that the health server serves', () => {
  const served = readFileSync(join(chart, '..', '..', 'common', 'rpc', 'health.h'), 'utf8');
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

test('a pod ends within its grace period: away from endpoints, drained, then ended', () => {
  everyFile((objects, file) => {
    for (const deployment of ofKind(objects, 'Deployment')) {
      const {spec} = deployment.spec.template;
      const config = YAML.parse(named(objects, 'ConfigMap', deployment.metadata.name).data['config.yaml']);
      const seconds = spec.containers[0].lifecycle.preStop.sleep.seconds + parseInt(config.drain_delay) + parseInt(config.shutdown_grace);
      assert.ok(seconds + 8 <= spec.terminationGracePeriodSeconds, file);
      assert.deepEqual(deployment.spec.strategy.rollingUpdate.maxUnavailable, 0, file);
    }
  });
  assert.match(refusal({set: ['defaults.terminationGracePeriodSeconds=30']}), /more than terminationGracePeriodSeconds/);
});

test('a change of a service\'s configuration restarts its pods, and only its', () => {
  const sums = (objects) => Object.fromEntries(ofKind(objects, 'Deployment').map((deployment) =>
    [component(deployment), deployment.spec.template.metadata.annotations['checksum/config']]));
  const before = sums(rendered('minimal.yaml'));
  const after = sums(render({setJson: ['services.watcher.config={"follow":{"poll_interval":"1s"}}']}));
  assert.deepEqual(services.filter((service) => before[service] !== after[service]), ['watcher']);
});

test('pods are spread over zones and nodes by their own labels and revision', () => {
  for (const deployment of ofKind(rendered('minimal.yaml'), 'Deployment')) {
    const constraints = deployment.spec.template.spec.topologySpreadConstraints;
    assert.deepEqual(constraints.map((each) => each.topologyKey), ['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
    for (const constraint of constraints) {
      assert.deepEqual(constraint.labelSelector.matchLabels, deployment.spec.selector.matchLabels);
      assert.deepEqual(constraint.matchLabelKeys, ['pod-template-hash']);
    }
  }
});

test('a certificate names one identity, the one that peers expect, and the hosts that they ask for', () => {
  everyFile((objects, file) => {
    for (const certificate of ofKind(objects, 'Certificate')) {
      const service = component(certificate);
      const deployment = ofService(objects, 'Deployment', service)[0];
      const config = YAML.parse(named(objects, 'ConfigMap', deployment.metadata.name).data['config.yaml']);
      const identity = config.identities.find((each) => each.name === service);
      assert.deepEqual(certificate.spec.uris, [identity.uri], file);
      assert.match(identity.uri, new RegExp(`^spiffe://[^/]+/ns/pay/sa/${deployment.spec.template.spec.serviceAccountName}$`));
      assert.deepEqual(certificate.spec.usages, ['digital signature', 'server auth', 'client auth']);
      assert.equal(certificate.spec.privateKey.rotationPolicy, 'Always');
      const tls = deployment.spec.template.spec.volumes.find((volume) => volume.name === 'tls');
      assert.equal(tls.secret.secretName, certificate.spec.secretName);
      for (const suffix of ['', '.pay', '.pay.svc', '.pay.svc.cluster.local']) {
        assert.ok(certificate.spec.dnsNames.includes(`${deployment.metadata.name}-headless${suffix}`), file);
      }
    }
  });
  assert.equal(ofKind(rendered('minimal.yaml'), 'Certificate').length, 4);
  assert.equal(ofKind(rendered('existing-certificates.yaml'), 'Certificate').length, 0);
});

test('AWS identity: an annotation for irsa, none for Pod Identity, and only where asked', () => {
  const role = (objects, service) => ofService(objects, 'ServiceAccount', service)[0].metadata.annotations?.['eks.amazonaws.com/role-arn'];
  const irsa = rendered('irsa-podmonitor.yaml');
  assert.match(role(irsa, 'settlement'), /^arn:aws:iam::/);
  for (const service of ['checkout', 'routing', 'watcher']) assert.equal(role(irsa, service), undefined);
  assert.equal(role(rendered('production.yaml'), 'settlement'), undefined);
  assert.match(refusal({set: ['services.settlement.aws.identity.mode=irsa']}), /roleArn is required/);
});

test('an external secret is the service\'s own, with the store\'s template left as it is, and migrations have one of theirs', () => {
  const objects = rendered('production.yaml');
  for (const service of services) {
    const [own] = ofService(objects, 'ExternalSecret', service);
    const [migration] = ofService(objects, 'ExternalSecret', `${service}-migration`);
    assert.equal(own.spec.dataFrom[0].extract.key, `paymesh/${service}`);
    assert.equal(own.spec.target.name, `paymesh-${service}`);
    assert.match(own.spec.target.template.data['pg_service.conf'], /password=\{\{ \.password \}\}/);
    assert.deepEqual({...migration.spec, target: own.spec.target}, own.spec);
    assert.equal(migration.spec.target.name, `paymesh-${service}-migration`);
    const [job] = ofService(objects, 'Job', `${service}-migration`);
    assert.equal(job.spec.template.spec.volumes.find((volume) => volume.name === 'secrets').projected.sources[0].secret.name, migration.spec.target.name);
  }
});

test('Kubernetes is new enough for what the chart uses', () => {
  assert.equal(render({args: ['--kube-version', '1.30.0']}).length, rendered('minimal.yaml').length);
  assert.throws(() => render({args: ['--kube-version', '1.29.9']}), /kubeVersion/);
});

test('mistakes are refused with their remedy', () => {
  assert.match(refusal({set: ['certManager.issuerRef.name=']}), /issuerRef.name is required/);
  assert.match(refusal({set: ['chains.existingSecret=']}), /give the chains once/);
  assert.match(refusal({set: ['chains.existingConfigMap=x']}), /give the chains once/);
  assert.match(refusal({set: ['defaults.autoscaling.enabled=true', 'defaults.keda.enabled=true']}), /enable one/);
  assert.match(refusal({set: ['services.routing.keda.enabled=true']}), /triggers is empty/);
  assert.match(refusal({set: ['services.routing.serviceAccount.create=false']}), /serviceAccount.name is required/);
  assert.match(refusal({set: ['services.routing.internetEgress=true']}), /internetEgress/);
  assert.match(refusal({set: ['services.checkout.externalSecret.enabled=true']}), /secretStoreRef.name/);
});

test('the schema refuses misspelt keys at every depth and wrong values', () => {
  const misspelt = {  // where, the misspelt key
    '': 'replicaCout', '/defaults': 'replicaCout', '/services': 'chekout', '/services/checkout': 'signer', '/networkPolicy': 'enabeld',
    '/metrics/serviceMonitor': 'enable', '/defaults/podDisruptionBudget': 'maxUnavailble', '/services/settlement/aws/identity': 'rolearn',
    '/migration': 'hooks', '/defaults/database/secret': 'nam', '/ports': 'grcp',
  };
  const places = Object.entries(misspelt);
  const words = refusal({set: places.map(([place, key]) => `${[...place.split('/').slice(1), key].join('.')}=1`)});
  for (const [place, key] of places) assert.ok(words.includes(`at '${place}': additional properties '${key}' not allowed`), `${place} ${key}`);
  const wrong = [
    'defaults.replicaCount=many', 'global.tls.mode=disabled', 'defaults.log.level=loud', 'ports.grpc=70000', 'defaults.image.pullPolicy=Often',
    'defaults.image.digest=latest', 'services.settlement.aws.identity.mode=keys', 'defaults.database.sslMode=prefer',
    'networkPolicy.databaseCidrs[0]=10.0.0.1', 'identities[0].role=service',
  ];
  const said = refusal({set: wrong});
  for (const each of wrong) assert.ok(said.includes(`'/${each.split('=')[0].replace(/\[(\d)\]/, '/$1').replaceAll('.', '/')}'`), each);
});

test('the chart works as a part of another: global keys of others and the condition are accepted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-parent-'));
  try {
    mkdirSync(join(folder, 'charts'));
    mkdirSync(join(folder, 'templates'));
    cpSync(chart, join(folder, 'charts', 'paymesh'), {recursive: true});
    writeFileSync(join(folder, 'Chart.yaml'), YAML.stringify({
      apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies: [{name: 'paymesh', version: '0.1.0', condition: 'paymesh.enabled'}],
    }));
    const values = {
      global: {storageClass: 'gp3', imageRegistry: 'registry.example.com', postgresql: {host: 'x'}},
      paymesh: {enabled: true, certManager: {issuerRef: {name: 'ca'}}, chains: {existingSecret: 'chains'}},
    };
    writeFileSync(join(folder, 'values.yaml'), YAML.stringify(values));
    const {status, stdout, stderr} = runHelm('template', 'shop', folder);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /image: registry\.example\.com\/paymesh\/checkout:0\.1\.0/);
    writeFileSync(join(folder, 'values.yaml'), YAML.stringify({...values, paymesh: {...values.paymesh, enabled: false}}));
    assert.doesNotMatch(runHelm('template', 'shop', folder).stdout, /kind: Deployment/);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});

test('rules and dashboards come from the chart\'s own folders, with or without any', () => {
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
      {alert: 'Kept', expr: 'up == 0', labels: {severity: 'critical'}, annotations: {summary: '{{ $labels.service }} is away', runbook_url: 'runbooks/kept.md'}},
      {alert: 'Dropped', expr: 'up == 1'}, {record: 'a:b', expr: 'sum(up)'},
    ];
    writeFileSync(join(folder, 'alerts', 'a.yaml'), YAML.stringify({groups: [{name: 'one', interval: '30s', rules}]}));
    writeFileSync(join(folder, 'alerts', 'b.yaml'), YAML.stringify({groups: [{name: 'empty', rules: [rules[1]]}]}));
    writeFileSync(join(folder, 'alerts', 'a.test.yaml'), 'rule_files: [a.yaml]\n');
    const dashboard = {uid: 'x', title: '{{ not a template }}'};
    writeFileSync(join(folder, 'dashboards', 'mesh_overview.json'), JSON.stringify(dashboard));
    const objects = render({
      folder, set: ['metrics.prometheusRule.enabled=true', 'metrics.prometheusRule.disabled.Dropped=true', 'metrics.dashboards.enabled=true',
                    'metrics.prometheusRule.runbookBaseUrl=https://example.com/r/', 'metrics.prometheusRule.alertLabels.team=pay']});
    const [rule] = ofKind(objects, 'PrometheusRule');
    assert.deepEqual(rule.spec.groups, [{name: 'one', interval: '30s', rules: [
      {...rules[0], labels: {severity: 'critical', team: 'pay'}, annotations: {...rules[0].annotations, runbook_url: 'https://example.com/r/kept.md'}}, rules[2],
    ]}]);
    const configMap = named(objects, 'ConfigMap', 'paymesh-dashboard-mesh-overview');
    assert.deepEqual(JSON.parse(configMap.data['mesh_overview.json']), dashboard);
    assert.equal(configMap.metadata.labels.grafana_dashboard, '1');
    assert.equal(configMap.metadata.annotations.grafana_folder, 'Paymesh');
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});

test('`helm test` asks every installed service for its health', () => {
  const pod = (file) => rendered(file).find((object) => hookOf(object) === 'test');
  assert.deepEqual(pod('minimal.yaml').spec.containers[0].args.map((each) => each.replace(/=.*/, '')), ['health', ...services.map(() => '--health-address')]);
  assert.deepEqual(pod('settlement-alone.yaml').spec.containers[0].args,
    ['health', '--health-address=settlement=dns:///paymesh-settlement-headless.pay.svc.cluster.local:50052']);
});

test('every value in one service\'s release names its peers as the release of all would', () => {
  const config = (file) => YAML.parse(named(rendered(file), 'ConfigMap', 'paymesh-settlement').data['config.yaml']);
  const alone = config('settlement-alone.yaml');
  const together = config('minimal.yaml');
  assert.equal(alone.peers.checkout, together.peers.checkout);
  assert.equal(alone.peers.watcher, 'dns:///paymesh-watcher-headless.chains.svc.cluster.local:50051');
  assert.deepEqual(alone.identities.filter((each) => each.name !== 'watcher'), together.identities.filter((each) => each.name !== 'watcher'));
  const kinds = rendered('settlement-alone.yaml').filter((object) => component(object)?.startsWith('settlement')).map((object) => object.kind);
  assert.ok(kinds.includes('Deployment'));
  assert.equal(ofKind(rendered('settlement-alone.yaml'), 'Deployment').length, 1);
});

test('false, zero and emptiness of one service win over the defaults', () => {
  const objects = render({set: ['services.checkout.podDisruptionBudget.enabled=false', 'services.checkout.pageToken.enabled=false', 'defaults.replicaCount=5',
                                'services.watcher.replicaCount=0', 'services.watcher.lifecycle.preStopSleepSeconds=0']});
  assert.equal(ofService(objects, 'PodDisruptionBudget', 'checkout').length, 0);
  assert.equal(ofService(objects, 'PodDisruptionBudget', 'routing').length, 1);
  assert.equal(ofService(objects, 'Deployment', 'watcher')[0].spec.replicas, 0);
  assert.equal(ofService(objects, 'Deployment', 'watcher')[0].spec.template.spec.containers[0].lifecycle.preStop.sleep.seconds, 0);
  assert.equal(YAML.parse(named(objects, 'ConfigMap', 'paymesh-checkout').data['config.yaml']).page_token_key_file, undefined);
});

test('notes tell the next step and what is dangerous', () => {
  const notes = (...set) => {
    const {status, stdout, stderr} = runHelm('install', 'paymesh', chart, '--dry-run=client', '--namespace', namespace, '--values', join(chart, 'ci', 'minimal.yaml'),
      ...set.flatMap((each) => ['--set', each]));
    assert.equal(status, 0, stderr);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };
  const least = notes();
  for (const text of ['helm -n pay test paymesh', 'payctl', 'nothing scrapes the metrics', 'no alerts are installed', 'nobody can call the mesh']) {
    assert.ok(least.includes(text), text);
  }
  const risky = notes('networkPolicy.enabled=false', 'global.environment=prod', 'services.watcher.replicaCount=1', 'migration.enabled=false',
    'defaults.pageToken.enabled=false', 'metrics.serviceMonitor.enabled=true', 'metrics.serviceMonitor.labels.release=stack');
  for (const text of ['network policies are off', 'reflection is on', 'watcher runs a single pod', 'migrations are off', 'no shared page token key', '"release":"stack"']) {
    assert.ok(risky.includes(text), text);
  }
});
