// An upgrade as it happens in a cluster, and its rollback. A mesh of the previous version runs; its databases are migrated by this version
// under it; this version's processes come beside it, peers of one another; then the old ones leave, come back, and the new ones leave.
// In each phase payments go from price to payout. Every table has a column more than either version knows, for the version after. Run by
// `tests/upgrade/run`, which builds the previous version into PAYMESH_PREVIOUS.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {Mesh} from '../../deploy/local/mesh/mesh.mjs';
import {checkHealth} from '../../deploy/local/mesh/clients.mjs';
import {serviceFile} from '../../deploy/local/mesh/configuration.mjs';
import {connect, freePorts, services, startMesh, waitFor, watchPayment} from '../e2e/harness.mjs';

const previous = process.env.PAYMESH_PREVIOUS;
if (!previous) throw new Error('run tests/upgrade/run, which builds the previous version');
const old = await import(join(previous, 'deploy', 'local', 'mesh', 'configuration.mjs'));

/** A mesh whose first processes are the previous version's, with files as that version writes them. */
class PreviousMesh extends Mesh {
  version = 'previous';
  program(name) {
    return this.version === 'previous' ? join(previous, 'build', this.preset, 'bin', name) : super.program(name);
  }
  configure() {
    super.configure();
    for (const service of services)
      writeFileSync(this.path('config', `${service}.yaml`), old.serviceFile(this, service), {mode: 0o600});
  }
}

const kChains = 2;
const second = {}; // service -> ports of this version's process
let mesh;
let merchant;
let next; // {edge, operator}: clients of this version's processes alone

before(async () => {
  const ports = await freePorts(3 * services.length);
  for (const service of services) second[service] = {grpc: ports.pop(), health: ports.pop(), metrics: ports.pop()};
  const bothOfEachPeer = (config) => {
    for (const [peer, target] of Object.entries(config.peers))
      config.peers[peer] = `ipv4:${target},127.0.0.1:${second[peer].grpc}`;
  };
  mesh = await startMesh({
    kind: PreviousMesh,
    overrides: Object.fromEntries(services.map((service) => [service, bothOfEachPeer])),
  });
  merchant = await mesh.merchant();
  const addresses = Object.fromEntries(services.map((service) => [service, `127.0.0.1:${second[service].grpc}`]));
  const options = {addresses, retries: 20, record: mesh.record};
  next = {
    edge: connect(mesh.description, 'edge', {...options, apiKey: merchant.api_key}),
    operator: connect(mesh.description, 'operator', options),
  };
});
after(async () => {
  next?.edge.close();
  next?.operator.close();
  await mesh?.finish();
});

/** A payment on each chain by each of the edges, paid; the caller waits for them with `settled`. */
async function pay(...edges) {
  const payments = [];
  for (const edge of edges) {
    for (let index = 0; index < kChains; index++) {
      const chain = mesh.chains[index];
      const payment = await waitFor(
        `${chain.name} to be offered`,
        async () => {
          const {payment: made} = await edge.PaymentService.CreatePayment({
            request_id: randomUUID(),
            price: {unit: 'iso4217/EUR', value: '1250'},
          });
          return made.options.some((option) => option.chain === chain.chain) && made;
        },
        {everyMs: 500},
      );
      await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
      payments.push(payment);
    }
  }
  return payments;
}

async function settled(operator, payments) {
  for (const payment of payments) {
    const done = await watchPayment(operator, payment.payment_id, (p) =>
      p.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'),
    );
    assert.equal(done.state, 'PAYMENT_STATE_SUCCEEDED');
    assert.equal(done.transfers.length, 1);
  }
}

const ready = async (health) => (await checkHealth(health, 'readiness')) === 'SERVING';

test('the previous version goes on while this one migrates its databases under it', async () => {
  const payments = await pay(merchant.edge);
  for (const service of services) {
    const file = mesh.mesh.path('config', `${service}-migration.yaml`);
    writeFileSync(file, serviceFile(mesh.mesh, service), {mode: 0o600});
    execFileSync(Mesh.prototype.program.call(mesh.mesh, service), ['--config', file, 'migrate'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const database = `paymesh_${service}`;
    for (const [table] of mesh.mesh.postgres.query(
      "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition " +
        "AND relnamespace = 'public'::regnamespace",
      {database},
    )) {
      mesh.mesh.postgres.query(`ALTER TABLE ${table} ADD COLUMN of_the_next_version text`, {database});
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 2500)); // readiness is looked at once a second
  for (const service of services) assert.ok(await ready(mesh.mesh.ports.health[service]), service);
  await settled(mesh.operator, payments);
  await settled(mesh.operator, await pay(merchant.edge));
});

test('with both versions at work payments made through either are paid out', async () => {
  mesh.mesh.version = 'this';
  for (const service of services) await mesh.mesh.startReplica(service, second[service]);
  const payments = await pay(merchant.edge, next.edge);
  await settled(mesh.operator, payments);
  await settled(next.operator, payments);
});

test('when the previous version has left this one finishes what is under way', async () => {
  const payments = await pay(merchant.edge, next.edge);
  for (const service of services) await mesh.mesh.processes.stop(service);
  await settled(next.operator, payments);
  await settled(next.operator, await pay(next.edge));
});

test('rolled back, the previous version finishes what this one began', async () => {
  const payments = await pay(next.edge);
  mesh.mesh.version = 'previous';
  for (const service of services) mesh.mesh.startService(service);
  for (const service of services) await mesh.mesh.waitReady(service);
  for (const name of mesh.mesh.replicas) await mesh.mesh.processes.stop(name);
  await settled(mesh.operator, payments);
  await settled(mesh.operator, await pay(merchant.edge));
});
