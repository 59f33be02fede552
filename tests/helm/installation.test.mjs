// The chart's objects played on this machine: migrations as the Jobs say, services with the mounts, arguments and environment of their
// pods and certificates as cert-manager would issue them, on a real PostgreSQL and a real chain node. Only addresses are replaced.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {Certificates} from '../../deploy/local/mesh/certificates.mjs';
import {connect} from '../../deploy/local/mesh/clients.mjs';
import {keystoreFile, newKey} from '../../deploy/local/mesh/keystore.mjs';
import {Postgres} from '../../deploy/local/mesh/postgres.mjs';
import {waitFor} from '../../deploy/local/mesh/processes.mjs';
import {startAnvil} from '../../deploy/local/node/modules.mjs';
import {freePorts} from '../e2e/ports.mjs';
import {
  YAML,
  calls,
  component,
  hookOf,
  named,
  notes,
  ofKind,
  ofService,
  readChart,
  render,
  services,
} from './chart.mjs';
import {mount, preset, program} from './pod.mjs';

const people = {
  olivia: 'spiffe://paymesh.internal/person/olivia',
  stranger: 'spiffe://paymesh.internal/person/stranger',
};
const kToken = 'eip155:31337/erc20:0x00000000000000000000000000000000000000b1';
const skip = !preset && 'the services are not built';

const mesh = {processes: []};

/** Replaces what stands for the cluster's network: listening addresses and the peers' names. */
function localise(config, service) {
  const values = YAML.parse(readFileSync(config, 'utf8'));
  for (const kind of ['grpc', 'health', 'metrics']) values.listen[kind] = `127.0.0.1:${mesh.ports[service][kind]}`;
  for (const peer of Object.keys(values.peers ?? {})) values.peers[peer] = `127.0.0.1:${mesh.ports[peer].grpc}`;
  writeFileSync(config, YAML.stringify(values));
}

const environment = (container, folder) => ({
  PATH: process.env.PATH,
  ...Object.fromEntries(
    (container.env ?? [])
      .filter((each) => each.value)
      .map(({name, value}) => [name, value.replace('/etc/paymesh', `${folder}/etc/paymesh`)]),
  ),
});
const arguments_ = (container, folder) =>
  container.args.map((each) => each.replace('/etc/paymesh', `${folder}/etc/paymesh`));

async function counter(service, name, labels) {
  const response = await fetch(`http://127.0.0.1:${mesh.ports[service].metrics}/metrics`);
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

before(async () => {
  if (skip) return;
  mesh.folder = mkdtempSync(join(tmpdir(), 'paymesh-installation-'));
  const [postgresPort, ...rest] = await freePorts(13);
  mesh.ports = Object.fromEntries(
    services.map((service, index) => [
      service,
      {grpc: rest[index * 3], health: rest[index * 3 + 1], metrics: rest[index * 3 + 2]},
    ]),
  );
  mesh.postgres = new Postgres({folder: mesh.folder, port: postgresPort, services});
  [mesh.chain] = await Promise.all([
    startAnvil({args: ['--block-time', '1', '--slots-in-an-epoch', '1']}),
    mesh.postgres.start(),
  ]);
  mesh.objects = render({
    set: [
      'defaults.database.sslMode=disable',
      'defaults.lifecycle.preStopSleepSeconds=0',
      'services.routing.database.secret.format=serviceFile',
    ],
    setJson: [`identities=[{"name":"olivia","role":"operator","uri":"${people.olivia}"}]`],
  });
  mesh.certificates = new Certificates(mesh.folder);
  mesh.certificates.ensure();
  for (const certificate of ofKind(mesh.objects, 'Certificate')) {
    mesh.certificates.issue(component(certificate), certificate.spec.uris, {hosts: certificate.spec.dnsNames});
  }
  for (const [name, uri] of Object.entries(people)) mesh.certificates.issue(name, [uri]);
  const chains = YAML.stringify({
    chains: [
      {
        chain: 'eip155:31337',
        name: 'local',
        block_time: '1s',
        finality: {safe_min_depth: 1, finalized_min_depth: 2},
        endpoints: [mesh.chain.url],
        contracts: {
          vault: `0x${'00'.repeat(19)}a1`,
          factory: `0x${'00'.repeat(19)}a2`,
          factory_init_code_hash: `0x${'00'.repeat(31)}a3`,
        },
        start_block: 0,
        native: {symbol: 'ETH', decimals: 18},
        tokens: [{asset: kToken, symbol: 'tUSD', decimals: 6, currency: 'USD', accepted: true}],
      },
    ],
  });
  const password = randomUUID();
  const keystore = await keystoreFile(await newKey(), password);
  mesh.content = (service) => {
    const conninfo = mesh.postgres.conninfo(service);
    const {certificate, key, ca} = mesh.certificates.paths(service);
    return {
      conninfo,
      'pg_service.conf': `[paymesh]\n${conninfo.split(' ').join('\n')}\n`,
      'chains.yaml': chains,
      'page-token-key': randomUUID(),
      'operator-keystore.json': keystore,
      'operator-keystore-password': password,
      'tls.crt': readFileSync(certificate, 'utf8'),
      'tls.key': readFileSync(key, 'utf8'),
      'ca.crt': readFileSync(ca, 'utf8'),
    };
  };
});

after(async () => {
  for (const {child} of mesh.processes) child.kill('SIGKILL');
  await mesh.chain?.stop();
  await mesh.postgres?.destroy();
  if (mesh.folder) rmSync(mesh.folder, {recursive: true, force: true});
});

test('migrations run from what their hooks mount, and any number of times', {skip}, () => {
  for (const job of ofKind(mesh.objects, 'Job')) {
    const service = component(job).replace('-migration', '');
    const folder = join(mesh.folder, component(job));
    const [container] = job.spec.template.spec.containers;
    mount(folder, mesh.objects, job, mesh.content(service));
    for (const time of ['first', 'second']) {
      const {status, stderr} = spawnSync(program(service), arguments_(container, folder), {
        encoding: 'utf8',
        env: environment(container, folder),
      });
      assert.equal(status, 0, `${service}, ${time} time: ${stderr}`);
    }
  }
});

test('services become ready with what their pods mount, by the names that the probes ask for', {skip}, async () => {
  for (const deployment of ofKind(mesh.objects, 'Deployment')) {
    const service = component(deployment);
    const folder = join(mesh.folder, service);
    const [container] = deployment.spec.template.spec.containers;
    localise(mount(folder, mesh.objects, deployment, mesh.content(service)), service);
    const log = openSync(join(mesh.folder, `${service}.log`), 'a');
    const child = spawn(program(service), arguments_(container, folder), {
      env: environment(container, folder),
      cwd: '/',
      stdio: ['ignore', log, log],
    });
    mesh.processes.push({service, child});
  }
  const {checkHealth} = await import('../../deploy/local/mesh/clients.mjs');
  for (const {service, child} of mesh.processes) {
    const [container] = ofService(mesh.objects, 'Deployment', service)[0].spec.template.spec.containers;
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      await waitFor(`${service}'s ${probe}`, async () => {
        if (child.exitCode !== null) {
          throw Object.assign(new Error(readFileSync(join(mesh.folder, `${service}.log`), 'utf8').slice(-2000)), {
            fatal: true,
          });
        }
        return (await checkHealth(mesh.ports[service].health, container[probe].grpc.service)) === 'SERVING';
      });
    }
  }
});

const payctl = (...args) => spawnSync(program('payctl'), args, {encoding: 'utf8', env: {}, cwd: mesh.folder});

test("the pod of `helm test` finds them healthy and the watcher's answer over mTLS", {skip}, async () => {
  const pod = mesh.objects.find((object) => hookOf(object) === 'test');
  const [health, call] = pod.spec.containers.map((container) => container.args);
  const here = (args, kind) =>
    args.map((each) =>
      each.replace(/=(\w+)=dns:.*/, (_, service) => `=${service}=127.0.0.1:${mesh.ports[service][kind]}`),
    );
  const {status, stdout, stderr} = payctl(...here(health, 'health'));
  assert.equal(status, 0, stdout + stderr);
  for (const service of services) assert.match(stdout, new RegExp(service));
  // Its Secret is checkout's, laid out where checkout's own pod has it.
  assert.equal(
    pod.spec.volumes[0].secret.secretName,
    named(mesh.objects, 'Certificate', 'paymesh-checkout').spec.secretName,
  );
  await waitFor(
    'the chain to be read',
    () => {
      const answer = payctl(
        ...here(call, 'grpc').map((each) => each.replace('/etc/paymesh', `${mesh.folder}/checkout/etc/paymesh`)),
      );
      assert.equal(answer.status, 0, answer.stdout + answer.stderr);
      return answer.stdout.includes('eip155:31337');
    },
    {everyMs: 500},
  );
});

test(
  'the command in the notes and the mesh.json in README.md let an operator in: identities are checked, not host names',
  {skip},
  () => {
    const {certificate, key, ca} = mesh.certificates.paths('olivia');
    const files = {'ca.crt': ca, 'me.crt': certificate, 'me.key': key};
    const command = /^ +payctl ((?:.*\\\n)*.*)$/m.exec(notes())[1].replaceAll('\\\n', ' ').trim().split(/\s+/);
    const noted = command.map(
      (each) => files[each] ?? each.replace('localhost:7101', `127.0.0.1:${mesh.ports.checkout.grpc}`),
    );
    assert.ok(noted.includes(`checkout=127.0.0.1:${mesh.ports.checkout.grpc}`), command.join(' '));
    const {status, stderr} = payctl(...noted);
    assert.equal(status, 0, stderr);
    const another = payctl(...noted.map((each) => each.replace('/sa/paymesh-checkout', '/sa/paymesh-watcher')));
    assert.equal(another.status, 6, 'a server that is somebody else is refused');

    const text = /```json\n([\s\S]*?)```/.exec(readChart('README.md'))[1];
    const description = JSON.parse(text.replaceAll('spiffe://pay.example.com/', 'spiffe://paymesh.internal/'));
    description.ca = ca;
    description.clients = {operator: {certificate, key}};
    for (const [service, entry] of Object.entries(description.services))
      entry.grpc = `127.0.0.1:${mesh.ports[service].grpc}`;
    const file = join(mesh.folder, 'operator.json');
    writeFileSync(file, JSON.stringify(description));
    for (const words of [['merchants', 'list'], ['chains'], ['payouts', 'list']]) {
      const answer = payctl('--mesh', file, ...words);
      assert.equal(answer.status, 0, `${words.join(' ')}: ${answer.stderr}`);
    }
  },
);

test("every call of the architecture's table is made and accepted: identities fit certificates", {skip}, async () => {
  const description = {
    ca: mesh.certificates.ca,
    services: Object.fromEntries(services.map((service) => [service, {grpc: `127.0.0.1:${mesh.ports[service].grpc}`}])),
  };
  const operator = connect(description, mesh.certificates.paths('olivia'), {
    retries: 20,
    hostOf: (service) => `paymesh-${service}`,
  });
  try {
    const {merchant} = await operator.MerchantService.CreateMerchant({
      request_id: randomUUID(),
      display_name: 'A shop',
      accepted_units: [`caip19/${kToken}`],
      confirmation_policy: 'FINALITY_SAFE',
    });
    // Decide (checkout to routing), chain state (routing to watcher) and WatchAddresses (checkout to watcher) stand behind this one.
    const payment = await waitFor(
      'a payment with an option',
      async () => {
        const {payment} = await operator.PaymentService.CreatePayment({
          request_id: randomUUID(),
          merchant_id: merchant.merchant_id,
          price: {unit: 'iso4217/USD', value: '1250'},
        });
        return payment.options.length > 0 ? payment : undefined;
      },
      {everyMs: 500},
    );
    assert.match(payment.options[0].deposit_address ?? JSON.stringify(payment.options[0]), /0x[0-9a-f]{40}/i);
  } finally {
    operator.close();
  }
  const streams = {checkout: ['EventService', 2], settlement: ['EventService', 1], watcher: ['TransferService', 2]};
  for (const [callee, [name, followers]] of Object.entries(streams)) {
    await waitFor(
      `${followers} followers of ${callee}`,
      async () =>
        (await counter(callee, 'grpc_server_started_total', [`.${name}"`, 'grpc_method="Stream'])) >= followers,
      {everyMs: 300},
    );
  }
  for (const callee of services) {
    assert.ok(services.some((caller) => calls[caller].includes(callee)));
    for (const code of ['PermissionDenied', 'Unauthenticated']) {
      assert.equal(
        await counter(callee, 'grpc_server_handled_total', [`grpc_code="${code}"`]),
        0,
        `${callee} refused a call`,
      );
    }
  }
});

test(
  "programs go on beside the next version's schema, and their own migration accepts it: upgrades overlap, rollbacks work",
  {skip},
  async () => {
    const {checkHealth} = await import('../../deploy/local/mesh/clients.mjs');
    for (const service of services) {
      mesh.postgres.query(
        `CREATE TABLE of_the_next_version (id int); INSERT INTO schema_migrations (version, name, checksum)
      VALUES (9999, 'next', 'next')`,
        {database: `paymesh_${service}`},
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2500)); // readiness is looked at once a second
    for (const service of services) {
      assert.equal(await checkHealth(mesh.ports[service].health, 'readiness'), 'SERVING', service);
      const folder = join(mesh.folder, `${service}-migration`);
      const [container] = ofService(mesh.objects, 'Job', `${service}-migration`)[0].spec.template.spec.containers;
      const {status, stderr} = spawnSync(program(service), arguments_(container, folder), {
        encoding: 'utf8',
        env: environment(container, folder),
      });
      assert.equal(status, 0, `${service}: ${stderr}`);
    }
  },
);

test('a person who is not in the values is refused', {skip}, async () => {
  const description = {ca: mesh.certificates.ca, services: {checkout: {grpc: `127.0.0.1:${mesh.ports.checkout.grpc}`}}};
  const stranger = connect(description, mesh.certificates.paths('stranger'), {
    hostOf: (service) => `paymesh-${service}`,
  });
  try {
    await assert.rejects(stranger.MerchantService.ListMerchants({}), (error) => error.reason === 'IDENTITY_UNKNOWN');
  } finally {
    stranger.close();
  }
});

test('SIGTERM ends each pod cleanly within its grace period', {skip}, async () => {
  const limit = ofKind(mesh.objects, 'Deployment')[0].spec.template.spec.terminationGracePeriodSeconds * 1000;
  const start = Date.now();
  await Promise.all(
    mesh.processes.map(
      ({service, child}) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error(`${service} does not end`)), limit);
          child.once('exit', (code) => {
            clearTimeout(timer);
            if (code === 0) resolve();
            else
              reject(
                new Error(
                  `${service} ended with ${code}: ${readFileSync(join(mesh.folder, `${service}.log`), 'utf8').slice(-1000)}`,
                ),
              );
          });
          child.kill('SIGTERM');
        }),
    ),
  );
  const config = YAML.parse(named(mesh.objects, 'ConfigMap', 'paymesh-checkout').data['config.yaml']);
  assert.ok(Date.now() - start >= parseInt(config.drain_delay) * 1000, 'the drain delay is kept');
});
