// The configuration files that the chart renders, read by the services' own programs where they have been built.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {YAML, component, named, ofKind, render, rendered, root, services, valueFiles} from './chart.mjs';

const preset = ['release', 'dev', 'asan'].sort((a, b) => (b === process.env.PAYMESH_PRESET) - (a === process.env.PAYMESH_PRESET))
  .find((each) => services.every((service) => existsSync(join(root, 'build', each, 'bin', service))));
const program = (service) => join(root, 'build', preset, 'bin', service);

const kChains = {chains: [{chain: 'eip155:1', name: 'one', block_time: '12s', finality: {safe_min_depth: 1, finalized_min_depth: 2},
                           contracts: {}, native: {symbol: 'ETH', decimals: 18}, tokens: []}]};

let made;
/** A certificate with its key, made once: the content of a TLS Secret. */
function pair() {
  if (made) return made;
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-pair-'));
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate,
                           '-subj', '/CN=test', '-days', '2'], {stdio: 'ignore'});
  const text = readFileSync(certificate, 'utf8');
  made = {'tls.crt': text, 'tls.key': readFileSync(key, 'utf8'), 'ca.crt': text};
  rmSync(folder, {recursive: true, force: true});
  return made;
}

/** Lays out a pod's mounts below a folder, the folder standing for its root; nothing else may be needed. */
function mount(folder, objects, owner, {secrets = true} = {}) {
  const {volumes, containers: [container]} = owner.spec.template.spec;
  const put = (path, text) => {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
  };
  for (const {name, mountPath} of container.volumeMounts) {
    const volume = volumes.find((each) => each.name === name);
    for (const source of volume.projected?.sources ?? [volume]) {
      const {configMap, secret} = source;
      const data = configMap ? named(objects, 'ConfigMap', configMap.name)?.data : undefined;
      for (const {key, path} of (configMap ?? secret)?.items ?? []) {
        const chains = name === 'chains' ? YAML.stringify(kChains) : undefined;
        put(join(folder, mountPath, path), data?.[key] ?? chains ?? (secrets ? 'host=127.0.0.1 dbname=paymesh user=paymesh password=x' : ''));
      }
    }
    if (name === 'tls') {
      for (const [file, text] of Object.entries(pair())) put(join(folder, mountPath, file), text);
    }
  }
  const config = join(folder, 'etc/paymesh/config/config.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll('/etc/paymesh/', join(folder, 'etc/paymesh/')));
  return config;
}

function check(objects, owner, service) {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-config-'));
  try {
    return spawnSync(program(service), ['--config', mount(folder, objects, owner), '--check-config'], {encoding: 'utf8'});
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

test('the services accept every rendered file, with exactly what their pods mount', {skip: !preset && 'the services are not built'}, () => {
  let checked = 0;
  const seen = new Set();
  for (const file of valueFiles) {
    const objects = rendered(file);
    for (const deployment of ofKind(objects, 'Deployment')) {
      const service = component(deployment);
      const {volumes} = deployment.spec.template.spec;
      const same = JSON.stringify([named(objects, 'ConfigMap', deployment.metadata.name).data, volumes.find((each) => each.name === 'secrets')]);
      if (seen.has(same)) continue;
      seen.add(same);
      const {status, stderr} = check(objects, deployment, service);
      assert.equal(status, 0, `${file}, ${service}: ${stderr}`);
      checked++;
    }
  }
  assert.ok(checked >= 25, `${checked} files`);
});

test('a migration needs no certificate, no page token and no key: only the connection', {skip: !preset && 'the services are not built'}, () => {
  for (const file of ['minimal.yaml', 'production.yaml', 'external-secrets.yaml', 'inline-chains.yaml']) {
    const objects = rendered(file);
    for (const job of ofKind(objects, 'Job')) {
      const {volumes, containers: [container]} = job.spec.template.spec;
      assert.deepEqual(volumes.map((volume) => volume.name), ['config', 'chains', 'secrets', 'database-ca']);
      assert.equal(volumes[2].projected.sources.length, 1);
      const folder = mkdtempSync(join(tmpdir(), 'paymesh-migrate-'));
      try {
        const config = mount(folder, objects, job);
        const {status, stderr} = spawnSync(program(component(job).replace('-migration', '')), ['--config', config, 'migrate'], {
          encoding: 'utf8', timeout: 60_000,
          env: {...process.env, ...Object.fromEntries(container.env.map(({name, value}) => [name, value.replace('/etc/paymesh', `${folder}/etc/paymesh`)])),
                PGHOST: '127.0.0.1', PGPORT: '1', PGSSLMODE: 'disable'},
        });
        // There is no database here: the attempt to connect is what proves that the file was accepted.
        assert.equal(status, 2, stderr);
        assert.match(stderr, /DATABASE|connect|definition of service/i, `${file}: ${stderr}`);
        assert.doesNotMatch(stderr, /INVALID_CONFIG|unknown key|config\.yaml:/, `${file}: ${stderr}`);
      } finally {
        rmSync(folder, {recursive: true, force: true});
      }
    }
  }
});

test('a misspelt key in a service\'s own configuration is found before any pod starts', {skip: !preset && 'the services are not built'}, () => {
  const objects = render({setJson: ['services.watcher.config={"follow":{"pol_interval":"1s"}}']});
  const {status, stderr} = check(objects, named(objects, 'Deployment', 'paymesh-watcher'), 'watcher');
  assert.equal(status, 2);
  assert.match(stderr, /pol_interval/);
});

test('identities are the four services and the people of the values, each once', () => {
  const config = YAML.parse(named(rendered('production.yaml'), 'ConfigMap', 'paymesh-routing').data['config.yaml']);
  assert.deepEqual(config.identities.map(({role, name}) => `${role} ${name}`), [
    'service checkout', 'service routing', 'service watcher', 'service settlement', 'edge edge', 'operator olivia', 'approver anna', 'finance frank', 'reader rita']);
  assert.equal(config.identities[0].uri, 'spiffe://pay.example.com/ns/pay/sa/paymesh-checkout');
  assert.equal(config.reflection, false);
  assert.equal(config.environment, 'production');
  assert.deepEqual(config.rates.static, [{base: 'USD', quote: 'EUR', price: '0.92'}]);
  assert.equal(config.database.conninfo, 'service=paymesh');
});
