// The commands of the local mesh as a person runs them, in a folder and on ports of their own: up, demo,
// status, logs, down, reset; twice in a row, and after everything was killed.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {Mesh, defaultPorts} from '../../deploy/local/mesh/mesh.mjs';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {portTaken, waitFor} from '../../deploy/local/mesh/processes.mjs';
import {kLastPort} from './ports.mjs';

const local = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'deploy', 'local');
const folder = mkdtempSync(join(tmpdir(), 'paymesh-commands-'));
const offset = await freeOffset();
const mesh = new Mesh({folder, ports: defaultPorts(offset)});
after(async () => {
  await mesh.destroy();
  rmSync(folder, {recursive: true, force: true});
});

/** An offset at which all of a mesh's ports are free, above those that other tests take (ports.mjs). */
async function freeOffset() {
  for (let tries = 0; tries < 50; tries++) {
    const candidate = kLastPort + 1 - 7_101 + 10 * Math.floor(Math.random() * 199);
    const ports = Object.values(defaultPorts(candidate)).flatMap((one) =>
      typeof one === 'number' ? [one] : Object.values(one),
    );
    if (!(await Promise.all(ports.map(portTaken))).some(Boolean)) return candidate;
  }
  throw new Error('no free range of ports');
}

function run(command, args, {file = join(local, command)} = {}) {
  return new Promise((resolve, reject) => {
    const env = {...process.env, PAYMESH_LOCAL: folder, PAYMESH_PORT_OFFSET: String(offset)};
    const child = spawn(file, args, {env, stdio: ['ignore', 'pipe', 'pipe']});
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({code, text}));
  });
}

/** `up` without its installing and building: these are the test command's own first steps. */
const up = (...args) => run('up', [join(local, 'mesh', 'cli.mjs'), 'up', ...args], {file: process.execPath});

async function well(result) {
  assert.equal(result.code, 0, result.text);
  return result.text;
}

test('before there is a mesh, status says that everything is stopped and demo what to do', async () => {
  const status = await run('status', []);
  assert.equal(status.code, 1, status.text);
  for (const service of services) assert.match(status.text, new RegExp(`${service}\\s+STOPPED`));
  const demo = await run('demo', []);
  assert.equal(demo.code, 1);
  assert.match(demo.text, /deploy\/local\/up/);
});

test('up starts the mesh, leaves it running and writes down what a client needs', async () => {
  const text = await well(await up('--no-demo'));
  assert.match(text, /The mesh is running/);
  const description = JSON.parse(readFileSync(join(folder, 'mesh.json'), 'utf8'));
  for (const service of services) {
    for (const key of ['grpc', 'health', 'metrics']) assert.ok(description.services[service][key], `${service}.${key}`);
  }
  for (const path of [
    description.ca,
    ...['operator', 'approver', 'edge'].flatMap((who) => [
      description.clients[who].certificate,
      description.clients[who].key,
    ]),
  ]) {
    assert.ok(existsSync(path), path);
  }
  assert.match(description.merchant.merchant_id, /^mer_/);
  assert.ok(description.merchant.api_key);
  for (const chain of description.chains) {
    for (const key of ['chain', 'chain_id', 'rpc_url', 'vault', 'factory', 'tokens', 'payer'])
      assert.ok(chain[key], key);
  }
  await well(await run('status', []));
});

test('up again changes nothing that runs', async () => {
  const before = services.map((service) => mesh.processes.pid(service));
  await well(await up('--no-demo'));
  assert.deepEqual(
    services.map((service) => mesh.processes.pid(service)),
    before,
  );
});

test('demo takes one payment from price to payout and shows the books', async () => {
  const text = await well(await run('demo', []));
  for (const word of ['created', 'seen', 'confirmed', 'posted', 'swept', 'paid out', '0 differences'])
    assert.ok(text.includes(word), `${word}: ${text}`);
});

test("logs show the services' lines and name what there is", async () => {
  const text = await well(await run('logs', ['checkout']));
  assert.match(text, /"service":"checkout"/);
  const unknown = await run('logs', ['nobody']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.text, /chain-alpha/);
});

test('after everything was killed at once, up goes on or says that a chain came back older', async () => {
  const names = [...services, ...mesh.chains.map((chain) => chain.process)];
  // Blocks and snapshots come every second and every ten; wherever the cut falls, up must cope.
  for (const name of names) mesh.processes.signal(name, 'SIGKILL');
  await mesh.postgres.stop('immediate');
  for (const name of names) await waitFor(`${name} to be gone`, () => !mesh.processes.pid(name));
  const text = await well(await up('--no-demo'));
  if (/older|another block/.test(text)) assert.match(text, /set aside/);
  await well(await run('status', []));
});

test('down ends everything and keeps the state, reset removes it', async () => {
  await well(await run('down', []));
  assert.equal((await run('status', [])).code, 1);
  assert.ok(existsSync(join(folder, 'mesh.json')));
  await well(await run('reset', []));
  assert.ok(!existsSync(join(folder, 'mesh.json')));
});

test('a taken port is told with its number and its use, and nothing is started', async () => {
  const taken = createServer().listen(defaultPorts(offset).metrics.routing, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const {code, text} = await up('--no-demo');
  taken.close();
  assert.equal(code, 1);
  assert.ok(text.includes(String(defaultPorts(offset).metrics.routing)) && text.includes('routing'), text);
  for (const service of services) assert.equal(mesh.processes.pid(service), null);
});
