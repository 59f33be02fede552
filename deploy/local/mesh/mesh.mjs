// The whole mesh on this machine: PostgreSQL, two chains, four services, certificates, keys and the
// files that describe them. One folder holds everything, so several meshes can run side by side (the
// tests do that). Every step finds what is already there and goes on from it.
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {anvilPath, load} from '../node/modules.mjs';
import {deployContracts} from '../../contracts/deploy.mjs';
import {Certificates, services, spiffe} from './certificates.mjs';
import {chainsFile, serviceFile} from './configuration.mjs';
import {addressOf, keystoreFile, newKey} from './keystore.mjs';
import {Postgres} from './postgres.mjs';
import {Processes, portTaken, waitFor} from './processes.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Ports of the local mesh; tests move them all by an offset. */
export function defaultPorts(offset = 0) {
  const ports = {
    grpc: {checkout: 7101, routing: 7102, watcher: 7103, settlement: 7104},
    health: {checkout: 7201, routing: 7202, watcher: 7203, settlement: 7204},
    metrics: {checkout: 9101, routing: 9102, watcher: 9103, settlement: 9104},
    postgres: 7132,
    chains: [7145, 7146],
  };
  const moved = (ports) =>
    Array.isArray(ports)
      ? ports.map(moved)
      : typeof ports === 'number'
        ? ports + offset
        : Object.fromEntries(Object.entries(ports).map(([key, value]) => [key, moved(value)]));
  return moved(ports);
}

export const chainDefinitions = [
  {chain: 'eip155:31337', chainId: 31337, name: 'alpha'},
  {chain: 'eip155:31338', chainId: 31338, name: 'beta'},
];

/** The timestamp of block 0 of a chain that is kept, in seconds. */
const kGenesisTime = 1_700_000_000;

export class Mesh {
  /**
   * `folder`: where everything lies. `ports`: as defaultPorts. `preset`: which build runs.
   * `blockTime`: seconds between blocks; 0 mines on each transaction only.
   * `say`: told about each step. `overrides`: {service: (config) => void} for tests. `environment`:
   * variables of the services, beside those of this process (so OTEL_* of `up` reach them).
   */
  constructor({
    folder = join(root, '.local'),
    ports = defaultPorts(),
    preset = process.env.PAYMESH_PRESET ?? 'release',
    blockTime = 1,
    slotsInAnEpoch = 4,
    say = () => {},
    overrides = {},
    persistChains = true,
    environment = {},
  } = {}) {
    Object.assign(this, {folder, ports, preset, blockTime, slotsInAnEpoch, say, overrides, persistChains, environment});
    mkdirSync(folder, {recursive: true});
    this.processes = new Processes(folder);
    this.replicas = []; // names of processes beside the first of each service
    this.certificates = new Certificates(folder);
    this.postgres = new Postgres({folder, port: ports.postgres, services});
    this.chains = chainDefinitions.map((definition, index) => {
      const port = ports.chains[index];
      return {...definition, port, rpcUrl: `http://127.0.0.1:${port}`, process: `chain-${definition.name}`};
    });
  }

  path(...parts) {
    return join(this.folder, ...parts);
  }
  program(name) {
    return join(root, 'build', this.preset, 'bin', name);
  }

  read(name) {
    return JSON.parse(readFileSync(this.path(name), 'utf8'));
  }
  write(name, value) {
    writeFileSync(this.path(name), `${JSON.stringify(value, null, 2)}\n`, {mode: 0o600});
  }

  /** Starts everything; returns the description that .local/mesh.json holds too. */
  async start() {
    await this.requireFreePorts();
    this.certificates.ensure();
    await this.say('certificates', 'development CA and identities', async () => {});
    await this.say('postgres', `PostgreSQL on port ${this.ports.postgres}`, () => this.postgres.start());
    await this.say('chains', `two chains on ports ${this.ports.chains.join(' and ')}`, () => this.startChains());
    await this.say('contracts', 'vault, factory and test tokens on both chains', () => this.deploy());
    await this.requireSameChains();
    this.configure();
    await this.say('migrations', 'database schemas', () => this.migrate());
    await this.say('services', services.join(', '), () => this.startServices());
    this.describe();
    return this.description;
  }

  /** Says who is in the way instead of failing half-way. */
  async requireFreePorts() {
    const wanted = [];
    for (const service of services) {
      if (this.processes.pid(service)) continue;
      for (const kind of ['grpc', 'health', 'metrics'])
        wanted.push([this.ports[kind][service], `${service}'s ${kind}`]);
    }
    for (const chain of this.chains)
      if (!this.processes.pid(chain.process)) wanted.push([chain.port, `chain ${chain.name}`]);
    if (!this.postgres.running()) wanted.push([this.ports.postgres, 'PostgreSQL']);
    const taken = [];
    for (const [port, what] of wanted) if (await portTaken(port)) taken.push(`${port} (for ${what})`);
    if (taken.length > 0) {
      throw new Error(
        `these ports are taken by another program: ${taken.join(', ')}.\n` +
          'Find it with: ss -ltnp | grep -E ":(' +
          taken.map((t) => t.split(' ')[0]).join('|') +
          ')\\b"\n' +
          'Stop it, or run the mesh elsewhere: PAYMESH_PORT_OFFSET=1000 deploy/local/up',
      );
    }
  }

  async startChains() {
    for (const chain of this.chains) await this.startChain(chain);
  }

  async startChain(chain) {
    const args = [
      '--host',
      '127.0.0.1',
      '--port',
      String(chain.port),
      '--chain-id',
      String(chain.chainId),
      '--slots-in-an-epoch',
      String(this.slotsInAnEpoch),
      '--order',
      'fifo',
    ];
    if (this.blockTime > 0) args.push('--block-time', String(this.blockTime));
    if (this.persistChains) {
      const state = this.path(`${chain.process}.json`);
      if (existsSync(state) && !isJson(state)) rmSync(state); // cut short by a crash of the machine
      // The whole chain is written each time, so not often; old blocks' states are not kept: they are
      // only asked for the last few blocks, which a restarted chain soon has again.
      // The node makes a genesis block of its own before it reads the file, and sometimes keeps that one:
      // with one time for all of them it is the same block.
      args.push('--state', state, '--state-interval', '10', '--timestamp', String(kGenesisTime));
    }
    this.processes.start(chain.process, anvilPath, args, {cwd: this.folder});
    await waitFor(`chain ${chain.name}`, async () => {
      this.processes.requireAlive(chain.process);
      return (await rpc(chain, 'eth_chainId')) !== undefined;
    });
    if (this.persistChains) await rpc(chain, 'evm_setTime', [Math.floor(Date.now() / 1000)]);
  }

  /** Deploys what is not there and gives the development accounts what they need. */
  async deploy() {
    const keys = await this.keys();
    this.contracts = {};
    await Promise.all(
      this.chains.map(async (chain) => {
        for (const name of ['owner', 'operator', 'payer']) {
          const balance = BigInt(await rpc(chain, 'eth_getBalance', [keys[name].address, 'latest']));
          if (balance < 10n ** 18n) {
            await rpc(chain, 'anvil_setBalance', [keys[name].address, '0x3635c9adc5dea00000']); // 1,000 coins
          }
        }
        this.contracts[chain.chain] = await deployContracts({
          rpcUrl: chain.rpcUrl,
          key: keys.owner.key,
          owner: keys.owner.address,
          operators: [keys.operator.address],
          dev: true,
        });
        await this.fundPayer(chain, keys);
      }),
    );
  }

  async keys() {
    if (!existsSync(this.path('secrets', 'keys.json'))) {
      const keys = {};
      for (const name of ['owner', 'operator', 'payer', 'merchant']) {
        const key = await newKey();
        keys[name] = {key, address: await addressOf(key)};
      }
      mkdirSync(this.path('secrets'), {recursive: true, mode: 0o700});
      const password = this.postgres.secret('operator-keystore-password');
      writeFileSync(this.path('secrets', 'operator-keystore.json'), await keystoreFile(keys.operator.key, password), {
        mode: 0o600,
      });
      this.write(join('secrets', 'keys.json'), keys);
    }
    return this.read(join('secrets', 'keys.json'));
  }

  async fundPayer(chain, keys) {
    const {createPublicClient, createWalletClient, http, parseAbi} = await load('viem');
    const {privateKeyToAccount} = await load('viem/accounts');
    const abi = parseAbi([
      'function mint(address to, uint256 amount)',
      'function balanceOf(address) view returns (uint256)',
    ]);
    const owner = privateKeyToAccount(keys.owner.key);
    const client = createPublicClient({transport: http(chain.rpcUrl), pollingInterval: 100});
    const wallet = createWalletClient({account: owner, transport: http(chain.rpcUrl), chain: null});
    const minted = [];
    let nonce = await client.getTransactionCount({address: owner.address});
    for (const token of Object.values(this.contracts[chain.chain].tokens)) {
      const held = await client.readContract({
        address: token,
        abi,
        functionName: 'balanceOf',
        args: [keys.payer.address],
      });
      if (held >= 1_000_000n * 10n ** 6n) continue;
      minted.push(
        await wallet.writeContract({
          address: token,
          abi,
          functionName: 'mint',
          nonce: nonce++,
          args: [keys.payer.address, 100_000_000n * 10n ** 6n],
          chain: null,
        }),
      );
    }
    for (const hash of minted) await client.waitForTransactionReceipt({hash});
  }

  /** A development chain lives in memory with snapshots: after a hard stop it may come back older than
   * what the services have already proven final. That must be said, not followed. */
  async requireSameChains() {
    const older = [];
    for (const chain of this.chains) {
      const seen = this.lastSeen(chain);
      if (!seen) continue;
      const block = await rpc(chain, 'eth_getBlockByNumber', [`0x${seen.number.toString(16)}`, false]);
      if (block === null) {
        const head = Number(await rpc(chain, 'eth_blockNumber'));
        older.push(
          `chain ${chain.name} came back at block ${head}, older than block ${seen.number}, which the watcher has ` +
            'already seen final',
        );
      } else if (block.hash !== seen.hash) {
        older.push(
          `chain ${chain.name} came back with another block ${seen.number} than the one that the watcher has ` +
            'already seen final',
        );
      }
    }
    if (older.length > 0) {
      const error = new Error(older.join('\n'));
      error.chainsAreOlder = true;
      throw error;
    }
  }

  /** The highest final block that the watcher has stored for a chain, or null. */
  lastSeen(chain) {
    try {
      const rows = this.postgres.query(
        `SELECT block.number, '0x' || encode(block.hash, 'hex') FROM chain
             JOIN block ON block.chain = chain.chain AND block.number = chain.finalized_number
             WHERE chain.chain = '${chain.chain}'`,
        {database: 'paymesh_watcher'},
      );
      return rows.length ? {number: Number(rows[0][0]), hash: rows[0][1]} : null;
    } catch {
      return null; // no schema yet: nothing has been seen
    }
  }

  configure() {
    mkdirSync(this.path('config'), {recursive: true});
    writeFileSync(this.path('config', 'chains.yaml'), chainsFile(this));
    for (const service of services) {
      writeFileSync(this.path('config', `${service}.yaml`), serviceFile(this, service), {mode: 0o600});
    }
  }

  async migrate() {
    const {execFileSync} = await import('node:child_process');
    for (const service of services) {
      try {
        execFileSync(this.program(service), ['--config', this.path('config', `${service}.yaml`), 'migrate'], {
          stdio: ['ignore', 'pipe', 'pipe'],
          encoding: 'utf8',
        });
      } catch (error) {
        throw new Error(`migrating ${service}'s database failed:\n${error.stderr ?? error.message}`);
      }
    }
  }

  async startServices() {
    for (const service of services) this.startService(service);
    for (const service of services) await this.waitReady(service);
  }

  startService(service) {
    return this.processes.start(service, this.program(service), ['--config', this.path('config', `${service}.yaml`)], {
      cwd: this.folder,
      env: this.environment,
    });
  }

  async waitReady(service, timeoutMs = 30_000, {name = service, port = this.ports.health[service]} = {}) {
    const {checkHealth} = await import('./clients.mjs');
    await waitFor(
      `${name} to be ready`,
      async () => {
        this.processes.requireAlive(name);
        return (await checkHealth(port, 'readiness')) === 'SERVING';
      },
      {timeoutMs},
    );
  }

  /** One more process of a service, over the same database; `ports`: {grpc, health, metrics}. Returns its name. */
  async startReplica(service, ports) {
    const name = `${service}-${this.replicas.filter((one) => one.startsWith(service)).length + 2}`;
    const listen = Object.fromEntries(Object.entries(ports).map(([kind, port]) => [kind, `127.0.0.1:${port}`]));
    writeFileSync(this.path('config', `${name}.yaml`), serviceFile(this, service, {listen}), {mode: 0o600});
    this.replicas.push(name);
    this.processes.start(name, this.program(service), ['--config', this.path('config', `${name}.yaml`)], {
      cwd: this.folder,
      env: this.environment,
    });
    await this.waitReady(service, 30_000, {name, port: ports.health});
    return name;
  }

  /** What a client needs to know, for mesh.json. */
  describe() {
    const keys = this.read(join('secrets', 'keys.json'));
    const before = existsSync(this.path('mesh.json')) ? this.read('mesh.json') : {};
    const addresses = (kind) =>
      Object.fromEntries(services.map((name) => [name, `127.0.0.1:${this.ports[kind][name]}`]));
    const client = (name) => {
      const {certificate, key} = this.certificates.paths(name);
      return {identity: spiffe(name), certificate, key};
    };
    this.description = {
      services: Object.fromEntries(
        services.map((name) => [
          name,
          {
            grpc: addresses('grpc')[name],
            health: addresses('health')[name],
            identity: spiffe(name),
            metrics: `http://${addresses('metrics')[name]}/metrics`,
            config: this.path('config', `${name}.yaml`),
            log: this.processes.logFile(name),
          },
        ]),
      ),
      ca: this.certificates.ca,
      clients: {operator: client('olivia'), approver: client('anna'), reader: client('rita'), edge: client('edge')},
      merchant: before.merchant ?? null,
      chains: this.chains.map((chain) => {
        const contracts = this.contracts[chain.chain];
        return {
          chain: chain.chain,
          chain_id: chain.chainId,
          name: chain.name,
          rpc_url: chain.rpcUrl,
          vault: contracts.vault,
          factory: contracts.factory,
          init_code_hash: contracts.initCodeHash,
          price_feed: contracts.priceFeed,
          tokens: contracts.tokens,
          operator: keys.operator.address,
          payer: {address: keys.payer.address, key: keys.payer.key},
        };
      }),
      merchant_wallet: keys.merchant.address,
      postgres: Object.fromEntries(services.map((name) => [name, this.postgres.conninfo(name)])),
      protos: join(root, 'protos'),
    };
    this.write('mesh.json', this.description);
  }

  /** Remembers the demonstration's merchant, so that mesh.json names one. */
  rememberMerchant(merchant) {
    this.description = {...this.read('mesh.json'), merchant};
    this.write('mesh.json', this.description);
  }

  async stopServices() {
    await Promise.all([...services, ...this.replicas].map((name) => this.processes.stop(name)));
  }

  async stop() {
    await this.stopServices();
    await Promise.all(this.chains.map((chain) => this.processes.stop(chain.process, {graceMs: 10_000})));
    await this.postgres.stop();
  }

  /** Ends everything at once, as a crash would, and removes it. */
  async destroy() {
    for (const name of [...services, ...this.replicas, ...this.chains.map((chain) => chain.process)]) {
      await this.processes.stop(name, {signal: 'SIGKILL'});
    }
    await this.postgres.destroy();
    rmSync(this.folder, {recursive: true, force: true});
  }

  /** Moves what the chains have forgotten aside (kept for a look) and leaves a fresh start. */
  async setAside() {
    await this.stop();
    await this.postgres.destroy();
    const aside = this.path(`old-${new Date().toISOString().replace(/[:.]/g, '-')}`);
    mkdirSync(aside);
    for (const name of ['mesh.json', 'config', 'logs', ...this.chains.map((chain) => `${chain.process}.json`)]) {
      if (existsSync(this.path(name))) renameSync(this.path(name), join(aside, name));
    }
    mkdirSync(this.path('logs'), {recursive: true});
    return aside;
  }
}

function isJson(path) {
  try {
    if (statSync(path).size === 0) return false;
    JSON.parse(readFileSync(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}

/** One JSON-RPC call to a chain's node. */
export async function rpc(chain, method, params = []) {
  const response = await fetch(chain.rpcUrl ?? chain.rpc_url, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({jsonrpc: '2.0', id: 1, method, params}),
    signal: AbortSignal.timeout(10_000),
  });
  const {result, error} = await response.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}
