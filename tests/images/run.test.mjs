// The services run from their images as the chart's pods run them, over a real database and real chains: a
// payment from price to payout, and what an orchestrator relies on: configuration checks, migrations, health,
// a quick start and a clean end.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {checkHealth} from '../../deploy/local/mesh/clients.mjs';
import {demonstrate} from '../../deploy/local/mesh/demo.mjs';
import {Harness} from '../e2e/harness.mjs';
import {ContainerMesh} from './container_mesh.mjs';
import {runOnce, version} from './images.mjs';

const kMostMilliseconds = 1000; // from a process's start to ready, its peers being up
const kGraceMilliseconds = 20_000;

let mesh;
before(async () => {
  mesh = await ContainerMesh.make();
  await mesh.start();
  await new Harness(mesh).everythingOffered();
});
after(() => mesh?.destroy());

const healthArguments = () => services.map((name) => `--health-address=${name}=127.0.0.1:${mesh.ports.health[name]}`);

test('each service has no privilege, no capability and nothing to write to', () => {
  for (const service of services) {
    const {State: state} = mesh.inspect(service);
    const status = readFileSync(`/proc/${state.Pid}/status`, 'utf8');
    const field = (name) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)[1];
    assert.equal(field('Uid'), '65532\t65532\t65532\t65532', service);
    assert.equal(field('Gid'), '65532\t65532\t65532\t65532', service);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
      assert.match(field(set), /^0+$/, `${service} ${set}`);
    assert.equal(field('NoNewPrivs'), '1', service);
    assert.equal(field('NSpid').split('\t').pop(), '1', `${service} is the container's first process`);
    const rootMount = readFileSync(`/proc/${state.Pid}/mountinfo`, 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[4] === '/');
    assert.match(rootMount.split(' ')[5], /^ro(,|$)/, service);
  }
});

test('a payment goes from price to payout', async () => {
  const lines = [];
  const done = await demonstrate(mesh, (line) => lines.push(line));
  assert.equal(done.state, 'PAYMENT_STATE_SUCCEEDED', lines.join('\n'));
  assert.ok(done.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'));
});

test('health answers in plain text for each probe of the chart', async () => {
  for (const service of services) {
    for (const probe of ['startup', 'liveness', 'readiness']) {
      assert.equal(await checkHealth(mesh.ports.health[service], probe), 'SERVING', `${service} ${probe}`);
    }
  }
});

test('what runs says the version that its image is tagged with', async () => {
  for (const service of services) {
    const metrics = await (await fetch(`http://127.0.0.1:${mesh.ports.metrics[service]}/metrics`)).text();
    assert.match(
      metrics,
      new RegExp(`^paymesh_build_info\\{[^}]*version="${version.replaceAll('.', '\\.')}"`, 'm'),
      service,
    );
  }
});

test("the chart's test, payctl health, passes from payctl's image", () => {
  const {code, out, err} = runOnce('payctl', {args: ['health', ...healthArguments()]});
  assert.equal(code, 0, out + err);
  for (const service of services) assert.match(out, new RegExp(service));
});

test('--check-config accepts what the mesh runs with, and names the line of what is wrong', () => {
  for (const service of services) {
    const good = mesh.once(service, ['--check-config']);
    assert.equal(good.code, 0, `${service}: ${good.err}`);
    assert.match(good.out, /the configuration is valid/);
    const bad = mesh.once(service, ['--check-config'], (text) => `${text}no_such_key: 1\n`);
    assert.equal(bad.code, 2, service);
    assert.match(bad.err, /config\.yaml:\d+.*no_such_key/);
  }
});

test('migrating a database that is migrated changes nothing and succeeds', () => {
  for (const service of services) {
    const {code, err} = mesh.once(service, ['migrate']);
    assert.equal(code, 0, `${service}: ${err}`);
  }
});

for (const service of services) {
  test(`${service} ends cleanly on SIGTERM and is ready within ${kMostMilliseconds} ms of a start`, async () => {
    const starts = [];
    for (let round = 0; round < 3; round++) {
      const {code, milliseconds} = await mesh.terminate(service);
      assert.equal(code, 0, mesh.processes.tail(service, 10));
      assert.ok(milliseconds < kGraceMilliseconds, `${milliseconds} ms`);
      assert.match(mesh.processes.tail(service, 1), /"msg":"stopped"/);
      if (round === 0) {
        const {code: health} = runOnce('payctl', {args: ['health', ...healthArguments()]});
        assert.equal(health, 6, 'payctl health tells that a service is gone');
      }
      starts.push(await mesh.timeStart(service));
      if (round === 2)
        console.log(`measured: ${service} ended in ${milliseconds} ms, ready ${starts.join(', ')} ms after its start`);
    }
    starts.sort((a, b) => a - b);
    assert.ok(starts[1] < kMostMilliseconds, `${starts.join(', ')} ms`);
  });
}

test('another payment is taken and paid out after all of them were started again', async () => {
  await new Harness(mesh).everythingOffered();
  const done = await demonstrate(mesh, () => {});
  assert.ok(done.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'));
});
