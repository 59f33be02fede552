// Transfers indexed per second: 100,000 generated Transfer events, recorded by a watcher that starts
// from nothing. Beside it, in the same run, how fast the node itself hands out the same logs. The
// watcher reads once from the node and once from recorded answers, which shows its own limit.
//
//   node tests/bench/index_transfers.mjs
//
// Fails unless every transfer is recorded once and the amounts add up.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {Agent, createServer, request} from 'node:http';
import {rpc} from '../../deploy/local/mesh/mesh.mjs';
import {sleep} from '../../deploy/local/mesh/processes.mjs';
import {load} from '../../deploy/local/node/modules.mjs';
import {cpuLine, cpuOf, main, progress, repetitions, report, shown, table, withMesh} from './lib.mjs';

const {encodeFunctionData, keccak256, toHex} = await load('viem');
const emitter = JSON.parse(readFileSync(new URL('./contracts/TransferEmitter.json', import.meta.url), 'utf8'));

const kTransfers = Number(process.env.PAYMESH_BENCH_TRANSFERS ?? 100_000);
const kInTransaction = 25;
const kInBlock = 200;
const kStepBlocks = 64; // of one eth_getLogs
const kTopic = keccak256(toHex('Transfer(address,address,uint256)'));
const kWatchedShare = 100; // one recipient in so many is watched

const quantity = (number) => `0x${number.toString(16)}`;

/** Fills the chain; returns {token, from, to}. */
async function generate(chain) {
  const [account] = await rpc(chain, 'eth_accounts');
  const send = (transaction) =>
    rpc(chain, 'eth_sendTransaction', [{from: account, gas: quantity(5_000_000), ...transaction}]);
  const {contractAddress: token} = await rpc(chain, 'eth_getTransactionReceipt', [
    await send({data: emitter.bytecode}),
  ]);
  const from = Number(await rpc(chain, 'eth_blockNumber')) + 1;
  await rpc(chain, 'evm_setAutomine', [false]);
  for (let n = 0; n < kTransfers; n += kInBlock) {
    for (let first = n; first < n + kInBlock; first += kInTransaction) {
      await send({
        to: token,
        data: encodeFunctionData({
          abi: emitter.abi,
          functionName: 'emitTransfers',
          args: [BigInt(first), BigInt(kInTransaction)],
        }),
      });
    }
    await rpc(chain, 'evm_mine');
    if (n % 5000 === 0) progress(`chain: ${n} of ${kTransfers} transfers`);
  }
  const to = Number(await rpc(chain, 'eth_blockNumber'));
  for (let i = 0; i < 4; i++) await rpc(chain, 'evm_mine'); // so that all of it is final
  return {token, from, to, head: to + 4};
}

const agent = new Agent({keepAlive: true});
function post(port, body) {
  return new Promise((resolve, reject) => {
    const call = request(
      {port, host: '127.0.0.1', method: 'POST', agent, headers: {'content-type': 'application/json'}},
      (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve({status: response.statusCode, body: Buffer.concat(parts)}));
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** The node's own rate: the logs of the range, taken off the wire and not even parsed. */
async function deliver(chain, {token, from, to}) {
  const start = process.hrtime.bigint();
  let bytes = 0;
  for (let first = from; first <= to; first += kStepBlocks) {
    const params = [
      {
        address: token,
        topics: [kTopic],
        fromBlock: quantity(first),
        toBlock: quantity(Math.min(to, first + kStepBlocks - 1)),
      },
    ];
    bytes += (await post(chain.port, JSON.stringify({jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params}))).body
      .length;
  }
  if (bytes < kTransfers * 300) throw new Error(`the node handed out only ${bytes} bytes of logs`);
  return kTransfers / (Number(process.hrtime.bigint() - start) / 1e9);
}

/** Stands before the node and remembers its answers: nothing changes on this chain any more. */
function recorder(chain) {
  const answers = new Map();
  const server = createServer((question, answer) => {
    const parts = [];
    question.on('data', (part) => parts.push(part));
    question.on('end', async () => {
      const body = Buffer.concat(parts);
      const key = body.toString();
      if (!answers.has(key)) answers.set(key, await post(chain.port, body));
      const {status, body: known} = answers.get(key);
      answer.writeHead(status, {'content-type': 'application/json', 'content-length': known.length}).end(known);
    });
  });
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({server, url: `http://127.0.0.1:${server.address().port}`})),
  );
}

const indexed = async (mesh, chain) => {
  const text = await fetch(`http://127.0.0.1:${mesh.ports.metrics.watcher}/metrics`)
    .then((r) => r.text())
    .catch(() => '');
  return Number(
    new RegExp(`^watcher_indexed_block\\{[^}]*chain="${chain.chain}"[^}]*\\} ([0-9.e+]+)`, 'm').exec(text)?.[1] ?? 0,
  );
};

/** Starts a watcher on an empty database and times it until it stands at the chain's head. */
async function index(mesh, chain, corpus, {match, url}) {
  mesh.overrides.watcher = (config) => {
    config.follow = {match};
  };
  mesh.nodeUrls = {[chain.chain]: [url]};
  mesh.configure();
  mesh.postgres.query('DROP DATABASE IF EXISTS paymesh_watcher');
  mesh.postgres.query('CREATE DATABASE paymesh_watcher OWNER paymesh_watcher');
  execFileSync(mesh.program('watcher'), ['--config', mesh.path('config', 'watcher.yaml'), 'migrate'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (match === 'watched') watch(mesh);
  mesh.postgres.query('CHECKPOINT');
  const before = cpuOf(mesh);
  const start = process.hrtime.bigint();
  mesh.startService('watcher');
  while ((await indexed(mesh, chain)) < corpus.head) {
    mesh.processes.requireAlive('watcher');
    if (process.hrtime.bigint() - start > 300_000_000_000n)
      throw new Error('the watcher did not get there within five minutes');
    await sleep(50);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const after = cpuOf(mesh);
  await mesh.processes.stop('watcher');
  check(mesh, corpus, match);
  const cpu = Object.fromEntries(
    Object.keys(after).map((name) => [name, ((after[name] - (before[name] ?? 0)) * 1e6) / kTransfers]),
  );
  return {rate: kTransfers / seconds, seconds, cpu};
}

const isWatched = (n) => (n % 1000) % kWatchedShare === 0;
const recipient = (n) => keccak256(`0x${n.toString(16).padStart(64, '0')}`).slice(-40);

/** Registers one recipient in a hundred, as checkout's calls would have. */
function watch(mesh) {
  const rows = Array.from({length: 1000}, (_, n) => n)
    .filter(isWatched)
    .map((n, i) => `('\\x${recipient(n)}', ${i + 1})`);
  mesh.postgres.query(`INSERT INTO watched_address (address, position) VALUES ${rows.join(', ')}`, {
    database: 'paymesh_watcher',
  });
  mesh.postgres.query(`UPDATE watched_address_head SET position = ${rows.length}`, {database: 'paymesh_watcher'});
}

function check(mesh, {token}, match) {
  let [count, sum] = [0, 0];
  for (let n = 0; n < kTransfers; n++) {
    if (match === 'watched' && !isWatched(n)) continue;
    count += 1;
    sum += n + 1;
  }
  const [found] = mesh.postgres.query(
    "SELECT count(*), sum(amount), count(DISTINCT amount) FROM transfer WHERE state <> 'ORPHANED'" +
      ` AND token = '\\x${token.slice(2)}'`,
    {database: 'paymesh_watcher'},
  );
  if (found.join(' ') !== `${count} ${sum} ${count}`) {
    throw new Error(
      `expected ${count} transfers of ${sum} in all, the watcher recorded (number, sum, different) ${found.join(' ')}`,
    );
  }
}

async function run(mesh) {
  mesh.certificates.ensure();
  await mesh.postgres.start();
  await mesh.startChains();
  await mesh.deploy();
  const [chain] = mesh.chains;
  const corpus = await generate(chain);
  mesh.contracts[chain.chain].tokens.returnsNothing = corpus.token; // listed in place of a token that nobody uses here
  const recorded = await recorder(chain);
  const results = {deliver: [], all: [], replay: [], watched: []};
  for (let i = -1; i < repetitions; i++) {
    // the first round records answers and is not counted
    progress(i < 0 ? "recording the node's answers" : `repetition ${i + 1} of ${repetitions}`);
    const round = {
      deliver: await deliver(chain, corpus),
      all: await index(mesh, chain, corpus, {match: 'all', url: chain.rpcUrl}),
      replay: await index(mesh, chain, corpus, {match: 'all', url: recorded.url}),
      watched: await index(mesh, chain, corpus, {match: 'watched', url: recorded.url}),
    };
    if (i >= 0) for (const [name, value] of Object.entries(round)) results[name].push(value);
  }
  recorded.server.close();
  show(results, corpus);
}

function show(results, corpus) {
  const rates = (name) => results[name].map((result) => result.rate);
  const ratio = (name) => shown(results[name].map((result, i) => result.rate / results.deliver[i]));
  const row = (text, name) => [text, shown(rates(name)), ratio(name)];
  report(
    'index_transfers',
    [
      `${kTransfers} transfers in ${corpus.to - corpus.from + 1} blocks, each from the watcher's start to its standing at the head`,
      '',
      table([
        ['', 'transfers per second', "to the node's delivery"],
        ["limit: the node's own eth_getLogs", shown(results.deliver), ''],
        row('all recorded, from the node', 'all'),
        row('all recorded, from recorded answers', 'replay'),
        row('1 in 100 watched, from recorded answers', 'watched'),
      ]),
      '',
      `CPU a transfer, microseconds: all from the node: ${cpuLine(results.all)}; recorded answers: ${cpuLine(results.replay)}; watched: ${cpuLine(results.watched)}`,
      'every transfer recorded once, amounts add up',
    ],
    {results, corpus},
    {timed: false},
  );
}

await main(() => withMesh({blockTime: 0}, run));
