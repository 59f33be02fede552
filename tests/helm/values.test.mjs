// What values may say: what is refused and with what words, what wins over what, and where secrets never go.
import assert from 'node:assert/strict';
import {cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML,
  chart,
  component,
  named,
  notes,
  ofKind,
  ofService,
  pods,
  refusal,
  render,
  rendered,
  runHelm,
  services,
  valueFiles,
} from './chart.mjs';

const everyFile = (check) => {
  for (const file of valueFiles) check(rendered(file), file);
};
const kSecretWords = /password|passwd|secret_?key|private key|BEGIN |mnemonic|api_?key/i;

test('no secret is in a ConfigMap or an environment variable', () => {
  everyFile((objects, file) => {
    for (const object of ofKind(objects, 'ConfigMap')) {
      if (component(object) === 'dashboards') continue;
      for (const [key, text] of Object.entries(object.data)) {
        const suspicious = text
          .split('\n')
          .filter((line) => kSecretWords.test(line) && !/_file: \/etc\/paymesh\/secrets\//.test(line));
        assert.deepEqual(suspicious, [], `${file}: ${object.metadata.name} ${key}`);
        assert.doesNotMatch(text, /^\s*conninfo: (?!service=paymesh$)/m);
      }
    }
    for (const {owner, spec} of pods(objects)) {
      for (const container of spec.containers) {
        for (const variable of container.env ?? []) {
          assert.ok(
            !variable.valueFrom?.secretKeyRef && !kSecretWords.test(variable.name),
            `${file}: ${owner.metadata.name}`,
          );
        }
      }
    }
    assert.equal(ofKind(objects, 'Secret').length, 0, `${file}: the chart makes no Secret`);
  });
  assert.match(
    refusal({setJson: ['services.checkout.config={"database":{"conninfo":"host=x password=y"}}']}),
    /comes from database.secret/,
  );
  const chain = (url) => ({
    set: ['chains.existingSecret='],
    setJson: [`chains.inline=[{"chain":"eip155:1","endpoints":["${url}"]}]`],
  });
  for (const url of [
    'https://mainnet.example.com/v3/0123456789abcdef0123456789abcdef',
    'https://user:word@node.example.com',
  ]) {
    assert.match(refusal(chain(url)), /seems to carry a key/, url);
  }
});

test("an external secret is the service's own, with the store's template left as it is, and migrations have one of theirs", () => {
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
    assert.equal(
      job.spec.template.spec.volumes.find((volume) => volume.name === 'secrets').projected.sources[0].secret.name,
      migration.spec.target.name,
    );
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
  const misspelt = {
    // where, the misspelt key
    '': 'replicaCout',
    '/defaults': 'replicaCout',
    '/services': 'chekout',
    '/services/checkout': 'signer',
    '/networkPolicy': 'enabeld',
    '/metrics/serviceMonitor': 'enable',
    '/defaults/podDisruptionBudget': 'maxUnavailble',
    '/services/settlement/aws/identity': 'rolearn',
    '/migration': 'hooks',
    '/defaults/database/secret': 'nam',
    '/ports': 'grcp',
  };
  const places = Object.entries(misspelt);
  const words = refusal({set: places.map(([place, key]) => `${[...place.split('/').slice(1), key].join('.')}=1`)});
  for (const [place, key] of places)
    assert.ok(words.includes(`at '${place}': additional properties '${key}' not allowed`), `${place} ${key}`);
  const wrong = [
    'defaults.replicaCount=many',
    'global.tls.mode=disabled',
    'defaults.log.level=loud',
    'ports.grpc=70000',
    'defaults.image.pullPolicy=Often',
    'defaults.image.digest=latest',
    'services.settlement.aws.identity.mode=keys',
    'defaults.database.sslMode=prefer',
    'networkPolicy.databaseCidrs[0]=10.0.0.1',
    'identities[0].role=service',
  ];
  const said = refusal({set: wrong});
  for (const each of wrong)
    assert.ok(
      said.includes(
        `'/${each
          .split('=')[0]
          .replace(/\[(\d)\]/, '/$1')
          .replaceAll('.', '/')}'`,
      ),
      each,
    );
});

test('the chart works as a part of another: global keys of others and the condition are accepted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-parent-'));
  try {
    mkdirSync(join(folder, 'charts'));
    mkdirSync(join(folder, 'templates'));
    cpSync(chart, join(folder, 'charts', 'paymesh'), {recursive: true});
    writeFileSync(
      join(folder, 'Chart.yaml'),
      YAML.stringify({
        apiVersion: 'v2',
        name: 'parent',
        version: '1.0.0',
        dependencies: [{name: 'paymesh', version: '0.1.0', condition: 'paymesh.enabled'}],
      }),
    );
    const values = {
      global: {
        storageClass: 'gp3',
        imageRegistry: 'registry.example.com',
        postgresql: {host: 'x'},
        tls: {enabled: true},
        otel: {collector: {x: 1}},
      },
      paymesh: {enabled: true, certManager: {issuerRef: {name: 'ca'}}, chains: {existingSecret: 'chains'}},
    };
    writeFileSync(join(folder, 'values.yaml'), YAML.stringify(values));
    const {status, stdout, stderr} = runHelm('template', 'shop', folder);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /image: registry\.example\.com\/paymesh\/checkout:0\.1\.0/);
    for (const wrong of ['global.tls.mode=none', 'global.otel.endpoint=4317', 'global.trustDomain=Not A Domain']) {
      const refused = runHelm('template', 'shop', folder, '--set', wrong);
      assert.ok(
        refused.status !== 0 && refused.stderr.includes(`'/${wrong.split('=')[0].replaceAll('.', '/')}'`),
        wrong,
      );
    }
    writeFileSync(
      join(folder, 'values.yaml'),
      YAML.stringify({...values, paymesh: {...values.paymesh, enabled: false}}),
    );
    assert.doesNotMatch(runHelm('template', 'shop', folder).stdout, /kind: Deployment/);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});

test("every value in one service's release names its peers as the release of all would", () => {
  const config = (file) => YAML.parse(named(rendered(file), 'ConfigMap', 'paymesh-settlement').data['config.yaml']);
  const alone = config('settlement-alone.yaml');
  const together = config('minimal.yaml');
  assert.equal(alone.peers.checkout, together.peers.checkout);
  assert.equal(alone.peers.watcher, 'dns:///paymesh-watcher-headless.chains.svc.cluster.local:50051');
  assert.deepEqual(
    alone.identities.filter((each) => each.name !== 'watcher'),
    together.identities.filter((each) => each.name !== 'watcher'),
  );
  const kinds = rendered('settlement-alone.yaml')
    .filter((object) => component(object)?.startsWith('settlement'))
    .map((object) => object.kind);
  assert.ok(kinds.includes('Deployment'));
  assert.equal(ofKind(rendered('settlement-alone.yaml'), 'Deployment').length, 1);
});

test('false, zero and emptiness of one service win over the defaults', () => {
  const objects = render({
    set: [
      'services.checkout.podDisruptionBudget.enabled=false',
      'services.checkout.pageToken.enabled=false',
      'defaults.replicaCount=5',
      'services.watcher.replicaCount=0',
      'services.watcher.lifecycle.preStopSleepSeconds=0',
    ],
  });
  assert.equal(ofService(objects, 'PodDisruptionBudget', 'checkout').length, 0);
  assert.equal(ofService(objects, 'PodDisruptionBudget', 'routing').length, 1);
  assert.equal(ofService(objects, 'Deployment', 'watcher')[0].spec.replicas, 0);
  const lifecycle = (service) =>
    ofService(objects, 'Deployment', service)[0].spec.template.spec.containers[0].lifecycle;
  assert.equal(lifecycle('watcher'), undefined, 'a sleep of nothing is refused by Kubernetes before 1.33');
  assert.equal(lifecycle('routing').preStop.sleep.seconds, 10);
  assert.equal(
    YAML.parse(named(objects, 'ConfigMap', 'paymesh-checkout').data['config.yaml']).page_token_key_file,
    undefined,
  );
});

test('notes tell the next step and what is dangerous', () => {
  const least = notes();
  for (const text of [
    'helm -n pay test paymesh',
    'port-forward deployment/paymesh-checkout 7101:50051',
    '--identity checkout=spiffe://paymesh.internal/ns/pay/sa/paymesh-checkout',
    'nothing scrapes the metrics',
    'no alerts are installed',
    'nobody can call the mesh',
  ]) {
    assert.ok(least.includes(text), text);
  }
  const others = ['services.checkout.enabled=false', 'services.settlement.enabled=false'];
  assert.match(notes(...others), /--identity watcher=[\s\S]* chains\n/);
  assert.doesNotMatch(notes(...others, 'services.watcher.enabled=false'), /payctl --address/);
  const alerts = (...set) => notes('metrics.prometheusRule.enabled=true', ...set).includes('no link to their runbooks');
  assert.ok(
    alerts() && !alerts('metrics.prometheusRule.runbookBaseUrl=https://wiki.example.com') && !least.includes('no link'),
  );
  const risky = notes(
    'networkPolicy.enabled=false',
    'global.environment=prod',
    'services.watcher.replicaCount=1',
    'migration.enabled=false',
    'defaults.pageToken.enabled=false',
    'metrics.serviceMonitor.enabled=true',
    'metrics.serviceMonitor.labels.release=stack',
  );
  for (const text of [
    'network policies are off',
    'reflection is on',
    'watcher runs a single pod',
    'migrations are off',
    'no shared page token key',
    '"release":"stack"',
  ]) {
    assert.ok(risky.includes(text), text);
  }
});
