// The configuration files that the chart renders, read by the services' own programs where they have been built.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {YAML, component, named, ofKind, render, rendered, root, services, valueFiles} from './chart.mjs';
import {mount, preset, program} from './pod.mjs';

function check(objects, owner, service, content) {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-config-'));
  try {
    return spawnSync(program(service), ['--config', mount(folder, objects, owner, content), '--check-config'], {
      encoding: 'utf8',
    });
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

test(
  'the services accept every rendered file, with exactly what their pods mount',
  {skip: !preset && 'the services are not built'},
  () => {
    let checked = 0;
    const seen = new Set();
    for (const file of valueFiles) {
      const objects = rendered(file);
      for (const deployment of ofKind(objects, 'Deployment')) {
        const service = component(deployment);
        const {volumes} = deployment.spec.template.spec;
        const same = JSON.stringify([
          named(objects, 'ConfigMap', deployment.metadata.name).data,
          volumes.find((each) => each.name === 'secrets'),
        ]);
        if (seen.has(same)) continue;
        seen.add(same);
        const {status, stderr} = check(objects, deployment, service);
        assert.equal(status, 0, `${file}, ${service}: ${stderr}`);
        checked++;
      }
    }
    assert.ok(checked >= 25, `${checked} files`);
  },
);

test(
  'a migration needs no certificate, no page token and no key: only the connection',
  {skip: !preset && 'the services are not built'},
  () => {
    for (const file of ['minimal.yaml', 'production.yaml', 'external-secrets.yaml', 'inline-chains.yaml']) {
      const objects = rendered(file);
      for (const job of ofKind(objects, 'Job')) {
        const {
          volumes,
          containers: [container],
        } = job.spec.template.spec;
        assert.deepEqual(
          volumes.map((volume) => volume.name),
          ['config', 'chains', 'secrets', 'database-ca'],
        );
        assert.equal(volumes[2].projected.sources.length, 1);
        const folder = mkdtempSync(join(tmpdir(), 'paymesh-migrate-'));
        try {
          const config = mount(folder, objects, job);
          const {status, stderr} = spawnSync(
            program(component(job).replace('-migration', '')),
            ['--config', config, 'migrate'],
            {
              encoding: 'utf8',
              timeout: 60_000,
              env: {
                ...process.env,
                ...Object.fromEntries(
                  container.env.map(({name, value}) => [name, value.replace('/etc/paymesh', `${folder}/etc/paymesh`)]),
                ),
                PGHOST: '127.0.0.1',
                PGPORT: '1',
                PGSSLMODE: 'disable',
              },
            },
          );
          // There is no database here: the attempt to connect is what proves that the file was accepted.
          assert.equal(status, 2, stderr);
          assert.match(stderr, /DATABASE|connect|definition of service/i, `${file}: ${stderr}`);
          assert.doesNotMatch(stderr, /INVALID_CONFIG|unknown key|config\.yaml:/, `${file}: ${stderr}`);
        } finally {
          rmSync(folder, {recursive: true, force: true});
        }
      }
    }
  },
);

test(
  'the services accept the example of chains.yaml, which has every key that their reader knows',
  {skip: !preset && 'the services are not built'},
  () => {
    const text = readFileSync(join(root, 'deploy', 'chains.example.yaml'), 'utf8');
    const objects = rendered('minimal.yaml');
    for (const service of services) {
      const content = (chains) =>
        check(objects, named(objects, 'Deployment', `paymesh-${service}`), service, {'chains.yaml': chains});
      assert.equal(content(text).status, 0, content(text).stderr);
      assert.match(
        content(text.replace('start_block', 'start_blok')).stderr,
        /chains\.yaml:\d+: unknown key chains\[0\]\.start_blok/,
      );
    }
    const reader = readFileSync(join(root, 'common', 'config', 'chains.cc'), 'utf8');
    const known = new Set(
      [
        ...reader.matchAll(
          /(?:Required<[^)]*?>|Optional(?:<[^)]*?>)?|Child|List|Has)\("([a-z_]+)"|Read(?:Hex|Depth)\(\w+, "([a-z_]+)"/g,
        ),
      ].map(([, direct, through]) => direct ?? through),
    );
    assert.ok(known.size >= 18, [...known].join(' '));
    const given = new Set();
    const walk = (node) => {
      if (Array.isArray(node)) node.forEach(walk);
      else if (node && typeof node === 'object')
        for (const [key, value] of Object.entries(node)) {
          given.add(key);
          walk(value);
        }
    };
    walk(YAML.parse(text));
    assert.deepEqual([...given].sort(), [...known].sort());
  },
);

test(
  "a misspelt key in a service's own configuration is found before any pod starts",
  {skip: !preset && 'the services are not built'},
  () => {
    const objects = render({setJson: ['services.watcher.config={"follow":{"pol_interval":"1s"}}']});
    const {status, stderr} = check(objects, named(objects, 'Deployment', 'paymesh-watcher'), 'watcher');
    assert.equal(status, 2);
    assert.match(stderr, /pol_interval/);
  },
);

test('identities are the four services and the people of the values, each once', () => {
  const config = YAML.parse(named(rendered('production.yaml'), 'ConfigMap', 'paymesh-routing').data['config.yaml']);
  assert.deepEqual(
    config.identities.map(({role, name}) => `${role} ${name}`),
    [
      'service checkout',
      'service routing',
      'service watcher',
      'service settlement',
      'edge edge',
      'operator olivia',
      'approver anna',
      'finance frank',
      'reader rita',
    ],
  );
  assert.equal(config.identities[0].uri, 'spiffe://pay.example.com/ns/pay/sa/paymesh-checkout');
  assert.equal(config.reflection, false);
  assert.equal(config.environment, 'production');
  assert.deepEqual(config.rates.static, [{base: 'USD', quote: 'EUR', price: '0.92'}]);
  assert.equal(config.database.conninfo, 'service=paymesh');
});

test('IPv6 addresses are written as each listener reads them', () => {
  const config = YAML.parse(
    named(rendered('extras.yaml'), 'ConfigMap', 'paymesh-payments-checkout').data['config.yaml'],
  );
  assert.deepEqual(config.listen, {grpc: '[::]:50051', health: '[::]:50052', metrics: ':::9464'});
});
