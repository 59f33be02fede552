// The network policies, evaluated as the cluster would: who may open a connection to whom, compared with the architecture's table,
// with the method tables in the services' own code and with the peers in their configuration.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML,
  calls,
  component,
  named,
  ofKind,
  ofService,
  pods,
  render,
  rendered,
  root,
  selects,
  services,
  valueFiles,
} from './chart.mjs';

const kPorts = {grpc: 50051, health: 50052, metrics: 9464};

const policiesOf = (objects, labels) =>
  ofKind(objects, 'NetworkPolicy').filter((policy) => selects(policy.spec.podSelector.matchLabels, labels));
const admitsPod = (peers, labels) =>
  peers === undefined ||
  peers.some(
    (peer) => !peer.ipBlock && !peer.namespaceSelector && selects(peer.podSelector?.matchLabels ?? {}, labels),
  );
const admitsPort = (ports, port) =>
  ports === undefined || ports.some((each) => each.port === port && each.protocol === 'TCP');

/** Whether a pod may reach another in the same namespace: egress of one and ingress of the other. */
function connects(objects, from, to, port) {
  const direction = (labels, type, key, peer) => {
    const policies = policiesOf(objects, labels).filter((policy) => policy.spec.policyTypes.includes(type));
    return (
      policies.length === 0 ||
      policies.some((policy) =>
        (policy.spec[key === 'to' ? 'egress' : 'ingress'] ?? []).some(
          (rule) => admitsPort(rule.ports, port) && admitsPod(rule[key], peer),
        ),
      )
    );
  };
  return direction(from, 'Egress', 'to', to) && direction(to, 'Ingress', 'from', from);
}

const inNumber = (address) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
function within(cidr, address) {
  const [base, bits] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(inNumber(base) / size) === Math.floor(inNumber(address) / size);
}
/** Whether a pod may reach an address at a port. */
const reaches = (objects, labels, address, port, protocol = 'TCP') =>
  policiesOf(objects, labels).some((policy) =>
    (policy.spec.egress ?? []).some(
      (rule) =>
        rule.ports.some((each) => each.port === port && each.protocol === protocol) &&
        (rule.to === undefined ||
          rule.to.some(
            ({ipBlock}) =>
              ipBlock && within(ipBlock.cidr, address) && !(ipBlock.except ?? []).some((cidr) => within(cidr, address)),
          )),
    ),
  );

const podsByName = (objects) =>
  Object.fromEntries(pods(objects).map((pod) => [pod.labels['app.kubernetes.io/component'], pod.labels]));

const withPolicies = valueFiles.filter((file) => ofKind(rendered(file), 'NetworkPolicy').length > 0);

test("pods reach one another exactly as the architecture's table says", () => {
  for (const file of withPolicies) {
    const objects = rendered(file);
    const labels = podsByName(objects);
    for (const from of Object.keys(labels)) {
      for (const to of services.filter((service) => labels[service])) {
        for (const [name, port] of Object.entries(kPorts)) {
          const tested = from === 'health-test' && (name === 'health' || (name === 'grpc' && to === 'watcher'));
          const expected = (name === 'grpc' && from !== to && (calls[from] ?? []).includes(to)) || tested;
          assert.equal(
            connects(objects, labels[from], labels[to], port),
            expected,
            `${file}: ${from} to ${to} at ${name}`,
          );
        }
      }
    }
  }
});

test('every pod is behind a policy of both directions', () => {
  for (const file of withPolicies) {
    for (const {owner, labels} of pods(rendered(file))) {
      const found = policiesOf(rendered(file), labels);
      assert.equal(found.length, 1, `${file}: ${owner.metadata.name}`);
      assert.deepEqual(found[0].spec.policyTypes, ['Ingress', 'Egress']);
    }
  }
  assert.equal(ofKind(rendered('everything-off.yaml'), 'NetworkPolicy').length, 0);
});

test('no rule has an empty list of peers, which would admit everybody', () => {
  const bare = render({
    setJson: [
      'networkPolicy.metricsFrom=[]',
      'networkPolicy.databaseCidrs=[]',
      'networkPolicy.otelTo=[]',
      'networkPolicy.internet.cidrs=[]',
    ],
    set: ['global.otel.endpoint=http://x:4317'],
  });
  for (const objects of [bare, ...withPolicies.map(rendered)]) {
    for (const policy of ofKind(objects, 'NetworkPolicy')) {
      for (const rule of [...(policy.spec.ingress ?? []), ...(policy.spec.egress ?? [])]) {
        const peers = rule.from ?? rule.to;
        assert.ok(Array.isArray(peers) && peers.length > 0, policy.metadata.name);
        assert.ok(rule.ports.length > 0, policy.metadata.name);
        for (const peer of peers)
          assert.ok(Object.keys(peer).length > 0 && Object.values(peer).every((each) => Object.keys(each).length > 0));
      }
    }
  }
});

test('only the watcher leaves the cluster, and checkout where its webhooks may', () => {
  const outside = (objects) =>
    services.filter((service) => {
      const labels = podsByName(objects)[service];
      return labels && [443, 80, 22, 5432, 50051].some((port) => reaches(objects, labels, '8.8.8.8', port));
    });
  for (const file of withPolicies) {
    const expected =
      file === 'extras.yaml' ? ['checkout', 'watcher'] : file === 'settlement-alone.yaml' ? [] : ['watcher'];
    assert.deepEqual(outside(rendered(file)), expected, file);
    for (const {labels, owner} of pods(rendered(file))) {
      for (const address of ['169.254.169.254', '10.1.2.3', '172.20.0.1', '192.168.1.1']) {
        for (const port of [80, 443])
          assert.ok(
            !reaches(rendered(file), labels, address, port),
            `${file}: ${owner.metadata.name} reaches ${address}:${port}`,
          );
      }
    }
  }
});

test('DNS and the database are reachable for all, migrations included; AWS only for whom it is', () => {
  for (const file of withPolicies) {
    const objects = rendered(file);
    for (const {labels, owner} of pods(objects)) {
      const where = `${file}: ${owner.metadata.name}`;
      for (const protocol of ['UDP', 'TCP'])
        assert.ok(reaches(objects, labels, '169.254.20.10', 53, protocol), `${where} asks DNS`);
      const database = file === 'production.yaml' ? '10.20.17.5' : '10.1.2.3';
      assert.equal(reaches(objects, labels, database, 5432), owner.kind !== 'Pod', `${where} reaches the database`);
    }
  }
  const agent = (file) =>
    services.filter((service) => reaches(rendered(file), podsByName(rendered(file))[service], '169.254.170.23', 80));
  assert.deepEqual(agent('production.yaml'), ['settlement']);
  assert.deepEqual(agent('irsa-podmonitor.yaml'), []);
  const endpoints = (file) =>
    services.filter((service) => reaches(rendered(file), podsByName(rendered(file))[service], '10.20.32.7', 443));
  assert.deepEqual(endpoints('production.yaml'), ['settlement']);
  assert.deepEqual(endpoints('irsa-podmonitor.yaml'), ['settlement']);
  assert.ok(
    !reaches(rendered('production.yaml'), podsByName(rendered('production.yaml')).checkout, '10.1.2.3', 5432),
    "only the database's subnets",
  );
});

test('traces leave only when they are exported, and metrics are scraped from where values say', () => {
  const rules = (file) => ofService(rendered(file), 'NetworkPolicy', 'checkout')[0].spec;
  assert.ok(rules('production.yaml').egress.some((rule) => rule.ports[0].port === 4317));
  assert.ok(!rules('minimal.yaml').egress.some((rule) => rule.ports[0].port === 4317));
  const otelPort = (...set) =>
    ofService(render({set: ['networkPolicy.internet.ports[0]=8443', ...set]}), 'NetworkPolicy', 'checkout')[0]
      .spec.egress.flatMap((rule) => rule.ports)
      .map(({port}) => port)
      .filter((port) => ![53, 5432, kPorts.grpc].includes(port));
  const endpoint = (url) => `global.otel.endpoint=${url}`;
  assert.deepEqual(otelPort(endpoint('http://otel.monitoring:14317')), [14317], "the endpoint's own port");
  assert.deepEqual(otelPort(endpoint('http://[fd00::1]:14317/')), [14317]);
  for (const bare of ['http://otel.monitoring', 'https://[fd00::1]'])
    assert.deepEqual(otelPort(endpoint(bare)), [4317], bare);
  assert.deepEqual(
    otelPort(endpoint('http://otel.monitoring:14317'), 'networkPolicy.otelPort=4319'),
    [4319],
    'values win',
  );
  const scrape = rules('minimal.yaml').ingress.filter((rule) =>
    rule.ports.some((port) => port.port === kPorts.metrics),
  );
  assert.deepEqual(
    scrape.map((rule) => rule.from),
    [[{namespaceSelector: {matchLabels: {'kubernetes.io/metadata.name': 'monitoring'}}}]],
  );
});

test('the edge reaches checkout alone, by values', () => {
  const edge = (service) =>
    ofService(rendered('production.yaml'), 'NetworkPolicy', service)[0]
      .spec.ingress.flatMap((rule) => rule.from)
      .some((peer) => peer.namespaceSelector?.matchLabels['kubernetes.io/metadata.name'] === 'edge');
  assert.deepEqual(services.filter(edge), ['checkout']);
});

test("configured peers are the table's callees, behind Services that exist", () => {
  const objects = rendered('minimal.yaml');
  for (const service of services) {
    const config = YAML.parse(named(objects, 'ConfigMap', `paymesh-${service}`).data['config.yaml']);
    assert.deepEqual(Object.keys(config.peers ?? {}).sort(), [...calls[service]].sort());
    for (const [peer, address] of Object.entries(config.peers ?? {})) {
      const [, host, port] = /^dns:\/\/\/([^.]+)\.pay\.svc\.cluster\.local:(\d+)$/.exec(address);
      const target = named(objects, 'Service', host);
      assert.equal(component(target), peer);
      assert.equal(target.spec.clusterIP, 'None');
      assert.ok(target.spec.ports.some((each) => each.port === Number(port)));
    }
  }
});

test("the services' own method tables admit exactly these callers", () => {
  const sources = (folder) =>
    readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return ['testing', 'domain', 'store'].includes(entry.name) ? [] : sources(path);
      return entry.name.endsWith('.cc') && !entry.name.endsWith('_test.cc') ? [path] : [];
    });
  for (const callee of services) {
    const folder = join(root, 'services', callee);
    assert.ok(existsSync(folder));
    const admitted = new Set(
      sources(folder).flatMap((path) =>
        [...readFileSync(path, 'utf8').matchAll(/"service:(\w+)"/g)].map((match) => match[1]),
      ),
    );
    const callers = services.filter((caller) => calls[caller].includes(callee));
    assert.deepEqual([...admitted].sort(), callers.sort(), `callers of ${callee}`);
  }
});
