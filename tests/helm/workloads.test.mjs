// What goes wrong with workloads in charts of this kind, each as an assertion over every value file that it can show in.
import assert from 'node:assert/strict';
import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML,
  chart,
  component,
  hookOf,
  hookWeight,
  named,
  ofKind,
  ofService,
  pods,
  readChart,
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
    const before = rendered('minimal.yaml');
    const template = (objects) => ofKind(objects, 'Deployment').map((deployment) => deployment.spec.template);
    writeFileSync(join(folder, 'Chart.yaml'), YAML.stringify({...meta, version: '9.9.9'}));
    assert.deepEqual(template(render({folder})), template(before), 'a new chart alone restarts nothing');
    writeFileSync(join(folder, 'Chart.yaml'), YAML.stringify({...meta, version: '9.9.9', appVersion: '9.9.9'}));
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
      const selector =
        object.spec?.selector?.matchLabels ?? (object.kind === 'Service' ? object.spec.selector : undefined);
      if (!selector || /Monitor$/.test(object.kind)) continue;
      const chosen = pods(objects).filter((pod) => selects(selector, pod.labels));
      assert.deepEqual(
        chosen.map((pod) => pod.owner.kind),
        ['Deployment'],
        `${file}: ${object.kind} ${object.metadata.name}`,
      );
      assert.equal(component(chosen[0].owner), component(object), file);
    }
  });
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
        assert.equal(
          named(ordinary, kind, name),
          undefined,
          `${file}: ${job.metadata.name} needs ${kind} ${name}, which comes later`,
        );
        const hook = named(objects, kind, name);
        if (hook) assert.ok(hookWeight(hook) < hookWeight(job), `${file}: ${kind} ${name}`);
        if (!hook && kind === 'ServiceAccount') assert.fail(`${file}: no account ${name}`);
      }
      const deployment = ofService(objects, 'Deployment', component(job).replace('-migration', ''))[0];
      assert.equal(
        spec.containers[0].image,
        deployment.spec.template.spec.containers[0].image,
        'the image of the service',
      );
      assert.deepEqual(spec.containers[0].args.at(-1), 'migrate');
      assert.equal(spec.restartPolicy, 'Never');
    }
  });
  assert.ok(jobs >= 40);
  assert.equal(ofKind(rendered('everything-off.yaml'), 'Job').length, 0);
});

test('a migration runs where its service runs, with the environment and volumes that values add', () => {
  for (const job of ofKind(rendered('extras.yaml'), 'Job')) {
    const own = job.spec.template.spec;
    const {spec} = ofService(rendered('extras.yaml'), 'Deployment', component(job).replace('-migration', ''))[0].spec
      .template;
    for (const key of ['nodeSelector', 'tolerations', 'affinity', 'priorityClassName']) {
      assert.ok(own[key]);
      assert.deepEqual(own[key], spec[key], key);
    }
    const [container] = own.containers;
    assert.ok(container.env.some(({name}) => name === 'GRPC_VERBOSITY'));
    assert.deepEqual(container.envFrom, spec.containers[0].envFrom);
    assert.ok(
      own.volumes.some(({name}) => name === 'scratch') && container.volumeMounts.some(({name}) => name === 'scratch'),
    );
  }
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
      for (const volume of spec.volumes ?? []) {
        assert.ok(
          kinds.some((kind) => volume[kind]),
          where,
        );
        const source = volume.secret ?? volume.projected;
        if (source) assert.equal(source.defaultMode, 0o440, `${where}: ${volume.name}`);
      }
    }
  });
});

test('a pod ends within its grace period: away from endpoints, drained, then ended', () => {
  everyFile((objects, file) => {
    for (const deployment of ofKind(objects, 'Deployment')) {
      const {spec} = deployment.spec.template;
      const config = YAML.parse(named(objects, 'ConfigMap', deployment.metadata.name).data['config.yaml']);
      const seconds =
        (spec.containers[0].lifecycle?.preStop.sleep.seconds ?? 0) +
        parseInt(config.drain_delay) +
        parseInt(config.shutdown_grace);
      assert.ok(seconds + 8 <= spec.terminationGracePeriodSeconds, file);
      assert.deepEqual(deployment.spec.strategy.rollingUpdate.maxUnavailable, 0, file);
    }
  });
  assert.match(
    refusal({set: ['defaults.terminationGracePeriodSeconds=30']}),
    /more than terminationGracePeriodSeconds/,
  );
});

test("a change of a service's configuration restarts its pods, and only its", () => {
  const sums = (objects) =>
    Object.fromEntries(
      ofKind(objects, 'Deployment').map((deployment) => [
        component(deployment),
        deployment.spec.template.metadata.annotations['checksum/config'],
      ]),
    );
  const before = sums(rendered('minimal.yaml'));
  const after = sums(render({setJson: ['services.watcher.config={"follow":{"poll_interval":"1s"}}']}));
  assert.deepEqual(
    services.filter((service) => before[service] !== after[service]),
    ['watcher'],
  );
});

test('pods are spread over zones and nodes by their own labels and revision', () => {
  for (const deployment of ofKind(rendered('minimal.yaml'), 'Deployment')) {
    const constraints = deployment.spec.template.spec.topologySpreadConstraints;
    assert.deepEqual(
      constraints.map((each) => each.topologyKey),
      ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'],
    );
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
      assert.match(
        identity.uri,
        new RegExp(`^spiffe://[^/]+/ns/pay/sa/${deployment.spec.template.spec.serviceAccountName}$`),
      );
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
  const role = (objects, service) =>
    ofService(objects, 'ServiceAccount', service)[0].metadata.annotations?.['eks.amazonaws.com/role-arn'];
  const irsa = rendered('irsa-podmonitor.yaml');
  assert.match(role(irsa, 'settlement'), /^arn:aws:iam::/);
  for (const service of ['checkout', 'routing', 'watcher']) assert.equal(role(irsa, service), undefined);
  assert.equal(role(rendered('production.yaml'), 'settlement'), undefined);
  assert.match(refusal({set: ['services.settlement.aws.identity.mode=irsa']}), /roleArn is required/);
});

test("the wallet's key is a keystore from its Secret, or in KMS, and then no keystore is mounted", () => {
  const settlement = (file) => ofService(rendered(file), 'Deployment', 'settlement')[0];
  const mounted = (file) =>
    settlement(file)
      .spec.template.spec.volumes.flatMap(({projected}) => projected?.sources ?? [])
      .filter(({secret}) => secret?.items?.some(({path}) => path.startsWith('operator-keystore')))
      .map(({secret}) => secret.name);
  const signer = (file) =>
    YAML.parse(named(rendered(file), 'ConfigMap', settlement(file).metadata.name).data['config.yaml']).signer;
  const region = (file) =>
    settlement(file).spec.template.spec.containers[0].env.find(({name}) => name === 'AWS_REGION')?.value;
  assert.deepEqual(mounted('minimal.yaml'), ['paymesh-settlement']);
  assert.deepEqual(mounted('single-pod.yaml'), ['operator-wallet']);
  assert.deepEqual(Object.keys(signer('minimal.yaml')), ['keystore_file', 'password_file']);
  for (const file of ['production.yaml', 'irsa-podmonitor.yaml']) {
    assert.deepEqual(mounted(file), [], file);
    assert.deepEqual(Object.keys(signer(file)), ['kms'], file);
    assert.equal(region(file), 'eu-central-1', file);
  }
});
