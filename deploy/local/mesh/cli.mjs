// The commands of the local mesh: up, demo, status, logs, down, reset. Each is a file beside this folder.
import {existsSync, readdirSync} from 'node:fs';
import {spawnSync} from 'node:child_process';
import {join, resolve} from 'node:path';
import {services} from './certificates.mjs';
import {checkHealth} from './clients.mjs';
import {Mesh, defaultPorts, rpc} from './mesh.mjs';
import {observePorts, startObserve, stopObserve} from './observe.mjs';

const [command, ...args] = process.argv.slice(2);

/** Shows a step while it runs and how long it took. */
async function say(name, what, work) {
  const start = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`… ${name.padEnd(11)} ${what}`);
  try {
    const result = await work();
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[K' : ''}✓ ${name.padEnd(11)} ${what} (${seconds} s)\n`);
    return result;
  } catch (error) {
    process.stdout.write(`${process.stdout.isTTY ? '\r\x1b[K' : ''}✗ ${name.padEnd(11)} ${what}\n`);
    throw error;
  }
}

const offset = Number(process.env.PAYMESH_PORT_OFFSET ?? 0);
const folder = process.env.PAYMESH_LOCAL ? resolve(process.env.PAYMESH_LOCAL) : undefined;
const newMesh = () => new Mesh({say, folder, ports: defaultPorts(offset)});
const mesh = newMesh();
const running = () => existsSync(mesh.path('mesh.json')) && services.every((service) => mesh.processes.pid(service));

function requireRunning() {
  if (running()) return;
  throw new Error('the mesh is not running: deploy/local/up starts it');
}

const commands = {
  async up() {
    let started = mesh;
    try {
      await mesh.start();
    } catch (error) {
      if (!error.chainsAreOlder) throw error;
      console.log(
        `\n${error.message}.\nA development chain keeps its state by snapshots every ten seconds, so a hard stop can lose its newest ` +
          'blocks, and then no\nservice may follow it. Everything of the old mesh is set aside and a fresh one started.\n',
      );
      console.log(`set aside: ${await mesh.setAside()}\n`);
      started = newMesh();
      await started.start();
    }
    if (args.includes('--no-demo')) {
      const {setUpMerchant} = await import('./demo.mjs');
      if (!started.read('mesh.json').merchant) started.rememberMerchant(await setUpMerchant(started.read('mesh.json')));
    } else {
      const {demonstrate} = await import('./demo.mjs');
      await demonstrate(started);
    }
    explain(started);
    if (args.includes('--observe')) await observe(started);
  },

  async demo() {
    requireRunning();
    const {demonstrate} = await import('./demo.mjs');
    await demonstrate(mesh);
  },

  async status() {
    let well = true;
    for (const service of services) {
      const pid = mesh.processes.pid(service);
      const health = pid
        ? await checkHealth(mesh.ports.health[service], 'readiness').catch(() => 'NO ANSWER')
        : 'STOPPED';
      well &&= health === 'SERVING';
      console.log(
        `${service.padEnd(11)} ${health.padEnd(12)} ${pid ? `pid ${pid}, gRPC 127.0.0.1:${mesh.ports.grpc[service]}` : ''}`,
      );
    }
    for (const chain of mesh.chains) {
      const head = await rpc(chain, 'eth_blockNumber').catch(() => null);
      well &&= head !== null;
      console.log(
        `${`chain ${chain.name}`.padEnd(11)} ${(head === null ? 'STOPPED' : 'RUNNING').padEnd(12)} ` +
          (head === null ? '' : `block ${Number(head)}, ${chain.rpcUrl}`),
      );
    }
    const postgres = mesh.postgres.running();
    console.log(
      `postgresql  ${(postgres ? 'RUNNING' : 'STOPPED').padEnd(12)} ${postgres ? `port ${mesh.ports.postgres}` : ''}`,
    );
    process.exitCode = well && postgres ? 0 : 1;
  },

  async logs() {
    const names = args.filter((arg) => !arg.startsWith('-'));
    const known = readdirSync(mesh.processes.logFolder)
      .filter((f) => f.endsWith('.log'))
      .map((f) => f.slice(0, -4));
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length) throw new Error(`no log of ${unknown.join(', ')}; there are: ${known.join(', ')}`);
    const follow = args.includes('-f') || args.includes('--follow');
    const files = (names.length ? names : services.filter((s) => known.includes(s))).map((name) =>
      mesh.processes.logFile(name),
    );
    spawnSync('tail', [...(follow ? ['-F'] : []), '-n', '50', ...files], {stdio: 'inherit'});
  },

  async down() {
    await stopObserve(mesh);
    await say('down', 'services, chains, PostgreSQL', () => mesh.stop());
  },

  async reset() {
    await stopObserve(mesh);
    await say('reset', `ends the mesh and removes ${mesh.folder}`, () => mesh.destroy());
  },
};

/** Prometheus and Alertmanager over the mesh, until `down`. */
async function observe(started) {
  const ports = observePorts(offset);
  const {prometheus, alertmanager} = await say(
    'observe',
    `Prometheus and Alertmanager on ports ${Object.values(ports).join(' and ')}`,
    () => startObserve(started, {ports}),
  );
  console.log(`
  Prometheus    ${prometheus}   the chart's rules: ${prometheus}/alerts, the services: ${prometheus}/targets
  Alertmanager  ${alertmanager}   what fires and is not explained by another: ${alertmanager}/#/alerts`);
}

function explain(started) {
  const description = started.read('mesh.json');
  const {checkout} = description.services;
  const {ca, clients} = description;
  const payctl = join('build', started.preset, 'bin', 'payctl');
  console.log(`
The mesh is running. Everything that a client needs is in ${started.path('mesh.json')}
${services
  .map(
    (name) =>
      `  ${name.padEnd(11)} gRPC ${description.services[name].grpc}   health ${description.services[name].health}   ` +
      `metrics ${description.services[name].metrics}`,
  )
  .join('\n')}
${description.chains.map((chain) => `  chain ${chain.name.padEnd(5)} ${chain.rpc_url}   chain id ${chain.chain_id}`).join('\n')}

An example call, by any gRPC client (this one is buf):
  ${join('deploy', 'local', 'node', 'node_modules', '@bufbuild', 'buf-linux-x64', 'bin', 'buf')} curl --protocol grpc --schema protos \\
    --cacert ${ca} --cert ${clients.operator.certificate} --key ${clients.operator.key} \\
    -d '{"page_size": 3}' https://localhost:${checkout.grpc.split(':')[1]}/paymesh.checkout.v1.PaymentService/ListPayments

Next:
  ${payctl} payments list           the operator's tool (it reads .local/mesh.json)
  ${payctl} ledger prove            the books against the chains
  deploy/local/demo                        another payment
  deploy/local/status | logs [-f] | down | reset`);
}

if (!Object.hasOwn(commands, command)) {
  console.error(`usage: cli.mjs ${Object.keys(commands).join('|')}`);
  process.exit(2);
}
try {
  await commands[command]();
  process.exit(process.exitCode ?? 0);
} catch (error) {
  console.error(`\n${command}: ${error.message}`);
  if (command === 'up')
    console.error(`\nLogs: ${mesh.processes.logFolder}. Start afresh with: deploy/local/reset && deploy/local/up`);
  process.exit(1);
}
