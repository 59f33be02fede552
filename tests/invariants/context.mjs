// What every check works with: the four databases read as objects, the chains read by a client that
// shares nothing with the services, and the callers' history.
import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {load} from '../../deploy/local/node/modules.mjs';

const {keccak256, toHex} = await load('viem');

const kBatch = 100; // JSON-RPC calls in one request
const kTimeoutMs = 30_000;

/** keccak256 of an id's ASCII text: what the contracts know a payout or payment by. */
export const hashOfId = (id) => keccak256(toHex(id));

const hex = (number) => `0x${BigInt(number).toString(16)}`;
const balanceOfData = (address) => `0x70a08231${address.slice(2).toLowerCase().padStart(64, '0')}`;

/** One chain's node, read directly. */
export class ChainReader {
  constructor(chain, contracts, tokens) {
    this.chain = chain.chain;
    this.chainId = chain.chainId;
    this.url = chain.rpcUrl;
    this.vault = contracts.vault.toLowerCase();
    this.factory = contracts.factory.toLowerCase();
    this.tokens = tokens; // listed ones, lower-case
  }

  unit(token) {
    return `caip19/${this.chain}/erc20:${token}`;
  }

  /** Many calls at once; results in their order. */
  async many(calls) {
    const results = [];
    for (let from = 0; from < calls.length; from += kBatch) {
      const body = calls
        .slice(from, from + kBatch)
        .map(([method, params], index) => ({jsonrpc: '2.0', id: index, method, params}));
      const response = await fetch(this.url, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(kTimeoutMs),
      });
      const answers = await response.json();
      const byId = new Map((Array.isArray(answers) ? answers : [answers]).map((answer) => [answer.id, answer]));
      for (let id = 0; id < body.length; id++) {
        const answer = byId.get(id);
        if (!answer || answer.error)
          throw new Error(`${body[id].method} on ${this.chain}: ${answer?.error?.message ?? 'no answer'}`);
        results.push(answer.result);
      }
    }
    return results;
  }

  async call(method, ...params) {
    return (await this.many([[method, params]]))[0];
  }

  block(number) {
    return this.call('eth_getBlockByNumber', typeof number === 'string' ? number : hex(number), false);
  }
  blocks(numbers, {full = false} = {}) {
    return this.many(numbers.map((number) => ['eth_getBlockByNumber', [hex(number), full]]));
  }

  /** Receipts by transaction hash; null for one that is in no block. */
  async receiptsOf(hashes) {
    const wanted = [...new Set(hashes)];
    const found = await this.many(wanted.map((hash) => ['eth_getTransactionReceipt', [hash]]));
    return new Map(wanted.map((hash, index) => [hash, found[index]]));
  }

  logs(filter) {
    return this.call('eth_getLogs', {
      ...filter,
      fromBlock: hex(filter.fromBlock),
      toBlock: hex(filter.toBlock),
    });
  }

  async tokenBalances(token, addresses, block) {
    const results = await this.many(
      addresses.map((address) => ['eth_call', [{to: token, data: balanceOfData(address)}, hex(block)]]),
    );
    return results.map((result) => BigInt(result));
  }
  async coins(address, block) {
    return BigInt(await this.call('eth_getBalance', address, hex(block)));
  }
  async nonce(address, block) {
    return Number(await this.call('eth_getTransactionCount', address, hex(block)));
  }
}

/** One service's database in one snapshot: a psql of its own, asked one question after the other. */
class Database {
  constructor(postgres, service) {
    const file = join(postgres.programs, 'psql');
    this.process = spawn(
      file,
      ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', postgres.adminConninfo(`paymesh_${service}`)],
      {stdio: 'pipe'},
    );
    this.said = '';
    this.ended = new Promise((resolve) => this.process.once('close', resolve));
    this.process.stderr.on('data', (text) => (this.said += text));
    this.process.stdin.on('error', () => {}); // its end is told below
    this.lines = createInterface({input: this.process.stdout})[Symbol.asyncIterator]();
    this.asked = 0;
    this.last = Promise.resolve();
    this.write('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;');
  }

  write(line) {
    this.process.stdin.write(`${line}\n`);
  }

  query(text) {
    this.last = this.last.catch(() => {}).then(() => this.ask(text));
    return this.last;
  }

  async ask(text) {
    const end = `-- end ${++this.asked}`;
    this.write(`SELECT to_json(r)::text FROM (${text}) r;\n\\echo ${end}`);
    const rows = [];
    for (;;) {
      const {value, done} = await this.lines.next();
      if (done) throw new Error(`${this.said}\nin: ${text}`);
      if (value === end) return rows;
      rows.push(JSON.parse(value));
    }
  }

  /** Its snapshot and locks are gone when this resolves. */
  close() {
    this.process.stdin.end();
    return this.ended;
  }
}

/** Tokens that chains.yaml lists, by chain. */
function listedTokens(mesh) {
  const text = readFileSync(mesh.path('config', 'chains.yaml'), 'utf8');
  const tokens = new Map();
  for (const [, chain, token] of text.matchAll(/(eip155:\d+)\/erc20:(0x[0-9a-fA-F]{40})/g)) {
    if (!tokens.has(chain)) tokens.set(chain, new Set());
    tokens.get(chain).add(token.toLowerCase());
  }
  return tokens;
}

export class Context {
  constructor(mesh, {history = []} = {}) {
    this.mesh = mesh;
    this.history = history;
    this.databases = new Map();
    const tokens = listedTokens(mesh);
    this.allChains = mesh.chains.map(
      (chain) => new ChainReader(chain, mesh.contracts[chain.chain], [...(tokens.get(chain.chain) ?? [])]),
    );
  }

  /** Rows of a query on one service's database. Amounts must be read as text: JSON numbers are not exact. */
  sql(service, text) {
    if (!this.databases.has(service)) this.databases.set(service, new Database(this.mesh.postgres, service));
    return this.databases.get(service).query(text);
  }

  /** Chains that are followed: a halted one is known to contradict its node, and says so. */
  async chains() {
    const heads = await this.heads();
    return this.allChains.filter((chain) => heads.get(chain.chain)?.state !== 'HALTED');
  }

  /** The watcher's cursors by chain. */
  async heads() {
    this.cachedHeads ??= new Map(
      (
        await this.sql(
          'watcher',
          `
      SELECT chain, head_number, '0x' || encode(head_hash, 'hex') AS head_hash, safe_number, finalized_number, anchor_number, state
      FROM chain`,
        )
      ).map((row) => [row.chain, row]),
    );
    return this.cachedHeads;
  }

  close() {
    return Promise.all([...this.databases.values()].map((database) => database.close()));
  }
}
