// The local mesh as its commands use it: started twice, stopped and started, killed and started, and
// a chain that comes back older than what was final.
import assert from 'node:assert/strict';
import {copyFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {Mesh} from '../../deploy/local/mesh/mesh.mjs';
import {rpc, services, startMesh, waitFor} from './harness.mjs';

let mesh;
let merchant;
before(async () => {
  mesh = await startMesh({persistChains: true, slotsInAnEpoch: 4});
  merchant = await mesh.merchant();
});
after(() => mesh?.finish());

const names = () => [...services, ...mesh.mesh.chains.map((chain) => chain.process)];
const pids = () => names().map((name) => mesh.mesh.processes.pid(name));
/** Another object for the same folder, as another command is. */
function again() {
  const {folder, ports, preset, blockTime, slotsInAnEpoch, say, persistChains} = mesh.mesh;
  return new Mesh({folder, ports, preset, blockTime, slotsInAnEpoch, say, persistChains});
}

async function onePayment(index) {
  const chain = mesh.chains[index];
  const payment = await mesh.payable(merchant, chain);
  await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  return mesh.settled(payment);
}

test('starting a mesh that runs changes nothing', async () => {
  await onePayment(0);
  const before = pids();
  const description = structuredClone(mesh.description);
  assert.deepEqual(await again().start(), description);
  assert.deepEqual(pids(), before);
});

test('a mesh that was stopped goes on from where it was', async () => {
  const before = await mesh.payment(merchant);
  await mesh.mesh.stop();
  assert.deepEqual(pids().filter(Boolean), []);
  await mesh.mesh.start();
  const chain = mesh.chains[1];
  await mesh.pay(before, chain, 'testUsd', mesh.option(before, chain).due.value);
  assert.equal((await mesh.settled(before)).state, 'PAYMENT_STATE_SUCCEEDED');
  await onePayment(0);
});

test('a mesh whose ports are taken says by whom and starts nothing', async () => {
  const {createServer} = await import('node:net');
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const other = again();
  await mesh.mesh.stop();
  const {port} = taken.address();
  other.ports = {...other.ports, metrics: {...other.ports.metrics, watcher: port}};
  await assert.rejects(
    other.start(),
    (error) => error.message.includes(String(port)) && error.message.includes('watcher'),
  );
  assert.deepEqual(pids().filter(Boolean), []);
  taken.close();
  await mesh.mesh.start();
});

test('a chain that comes back older than what was final is noticed, and a fresh mesh can take its place', async () => {
  const [chain] = mesh.mesh.chains;
  const state = mesh.mesh.path(`${chain.process}.json`);
  const old = mesh.mesh.path('old-snapshot.json');
  copyFileSync(state, old);
  const head = Number(await rpc(mesh.chains[0], 'eth_blockNumber'));
  await waitFor('newer blocks to be final', () => mesh.mesh.lastSeen(chain).number > head, {
    timeoutMs: 60_000,
    everyMs: 500,
  });
  for (const name of names()) await mesh.mesh.processes.stop(name, {signal: 'SIGKILL'});
  await mesh.mesh.postgres.stop('immediate');
  copyFileSync(old, state); // what the last snapshot before a crash may be
  await assert.rejects(again().start(), (error) => {
    assert.ok(error.chainsAreOlder, error.message);
    assert.match(error.message, /older|another block/);
    return true;
  });
  for (const service of services) assert.equal(mesh.mesh.processes.pid(service), null, `${service} was not started`);
  await mesh.mesh.setAside();
  mesh.history.length = 0; // what was acknowledged is put aside too
  await mesh.mesh.start();
  merchant = await mesh.merchant();
  await onePayment(0);
  await onePayment(1);
});
