// From a block to the payer's screen: the moment that the node has mined a block, to the moment that
// a client's WatchPayment stream brings the payment with its transfer. Many payments a block.
//
//   node tests/bench/block_to_watch.mjs
//
// The watcher looks for blocks by polling, so the time holds up to one poll interval of waiting; the
// benchmark runs with the default interval and with a short one, and states them.
// Fails when a payment does not succeed or its update never comes.
import {setUpMerchant} from '../../deploy/local/mesh/demo.mjs';
import {connect} from '../../deploy/local/mesh/clients.mjs';
import {rpc} from '../../deploy/local/mesh/mesh.mjs';
import {sleep, waitFor} from '../../deploy/local/mesh/processes.mjs';
import {load} from '../../deploy/local/node/modules.mjs';
import {randomUUID} from 'node:crypto';
import {
  cpuOf,
  converse,
  dial,
  main,
  percentile,
  progress,
  repetitions,
  report,
  shown,
  spread,
  table,
  withMesh,
} from './lib.mjs';

const {encodeFunctionData, parseAbi} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');
const erc20 = parseAbi(['function transfer(address to, uint256 amount) returns (bool)']);

const kPollIntervals = ['150ms', '10ms']; // the first is the watcher's default
const kBlocks = Number(process.env.PAYMESH_BENCH_BLOCKS ?? 6); // in a repetition
const kPayments = 20; // in a block

/** The payments that a watching program has been told of: payment -> [{state, transfers, at}]. */
class Screen {
  constructor(description, merchant) {
    this.seen = new Map();
    this.program = converse('bench_watch', [...dial(description, 'edge', 'checkout'), '--api-key', merchant.api_key]);
    this.program.lines.on('line', (line) => {
      const [id, , state, transfers, at] = line.split(' ');
      if (!this.seen.has(id)) this.seen.set(id, []);
      this.seen.get(id).push({state, transfers: Number(transfers), at: BigInt(at)});
    });
  }
  async watch(payments) {
    for (const {payment_id: id} of payments) this.program.say(id);
    await waitFor('the watches to be open', () => payments.every(({payment_id: id}) => this.seen.has(id)), {
      everyMs: 5,
    });
  }
  clear() {
    this.program.say('clear');
  }
  /** When the payment was first shown with its money. */
  shownAt({payment_id: id}) {
    return this.seen.get(id)?.find(({transfers}) => transfers > 0)?.at;
  }
}

class Round {
  constructor(description, merchant, chain) {
    Object.assign(this, {description, merchant, chain});
    this.edge = connect(description, 'edge', {apiKey: merchant.api_key, retries: 20});
    this.screen = new Screen(description, merchant);
  }

  async sign(payments) {
    const account = privateKeyToAccount(this.chain.payer.key);
    let nonce = Number(await rpc(this.chain, 'eth_getTransactionCount', [account.address, 'pending']));
    return Promise.all(
      payments.map((payment) => {
        const token = this.chain.tokens.testUsd;
        const due = payment.options.find(
          (option) => option.due.unit.toLowerCase().endsWith(token.toLowerCase()) && option.chain === this.chain.chain,
        ).due.value;
        const data = encodeFunctionData({
          abi: erc20,
          functionName: 'transfer',
          args: [payment.deposit_address, BigInt(due)],
        });
        return account.signTransaction({
          type: 'eip1559',
          chainId: this.chain.chain_id,
          nonce: nonce++,
          to: token,
          data,
          gas: 120_000n,
          maxFeePerGas: 20_000_000_000n,
          maxPriorityFeePerGas: 1_000_000_000n,
        });
      }),
    );
  }

  /** Waits until routing and checkout have heard of the watcher again, after it was away. */
  async offered() {
    await waitFor(
      'the chain to be offered',
      async () => {
        const {payment} = await this.edge.PaymentService.CreatePayment({
          request_id: randomUUID(),
          price: {unit: 'iso4217/USD', value: '1250'},
        });
        return payment.deposit_address && payment.options.some((option) => option.chain === this.chain.chain);
      },
      {everyMs: 250},
    );
  }

  /** One block with money for every payment; the delays until each was shown, in milliseconds. */
  async block() {
    const payments = (
      await Promise.all(
        Array.from({length: kPayments}, () =>
          this.edge.PaymentService.CreatePayment({
            request_id: randomUUID(),
            price: {unit: 'iso4217/USD', value: '1250'},
          }),
        ),
      )
    ).map((answer) => answer.payment);
    for (const raw of await this.sign(payments)) await rpc(this.chain, 'eth_sendRawTransaction', [raw]);
    await this.screen.watch(payments);
    await sleep(50 + Math.random() * 300); // anywhere in the watcher's interval
    await rpc(this.chain, 'evm_mine');
    const mined = process.hrtime.bigint();
    await waitFor(
      'the payments to be shown with their money',
      () => payments.every((payment) => this.screen.shownAt(payment)),
      {everyMs: 10},
    );
    this.screen.clear();
    return {payments, delays: payments.map((payment) => Number(this.screen.shownAt(payment) - mined) / 1e6)};
  }

  async close() {
    this.edge.close();
    await this.screen.program.stop();
  }
}

/** Another poll interval: the watcher alone is started anew. */
async function setPollInterval(mesh, interval) {
  mesh.overrides.watcher = (config) => {
    config.follow = {poll_interval: interval};
  };
  await mesh.processes.stop('watcher');
  mesh.configure();
  mesh.startService('watcher');
  await mesh.waitReady('watcher');
}

async function run(mesh) {
  const description = await mesh.start();
  const merchant = await setUpMerchant(description, {schedule: null, policy: 'FINALITY_INCLUDED'});
  const chain = description.chains[0];
  await rpc(chain, 'evm_setAutomine', [false]);
  await rpc(chain, 'evm_setIntervalMining', [0]);
  const results = Object.fromEntries(kPollIntervals.map((interval) => [interval, []]));
  const all = [];
  for (let i = 0; i < repetitions; i++) {
    for (const interval of kPollIntervals) {
      progress(`repetition ${i + 1} of ${repetitions}, poll interval ${interval}`);
      await setPollInterval(mesh, interval);
      const round = new Round(description, merchant, chain);
      await round.offered();
      all.push(...(await round.block()).payments); // warm-up: new connections everywhere
      const delays = [];
      const before = cpuOf(mesh);
      const start = Date.now();
      for (let block = 0; block < kBlocks; block++) {
        const done = await round.block();
        all.push(...done.payments);
        delays.push(...done.delays);
      }
      const after = cpuOf(mesh);
      const seconds = (Date.now() - start) / 1000;
      const cpu = Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / seconds]));
      await round.close();
      results[interval].push({p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), cpu});
    }
  }
  await verify(description, merchant, all);
  show(results, all.length);
}

/** Every payment has succeeded by exactly one transfer. */
async function verify(description, merchant, payments) {
  const edge = connect(description, 'edge', {apiKey: merchant.api_key, retries: 3});
  const succeeded = new Set();
  for (let token = ''; ;) {
    const page = await edge.PaymentService.ListPayments({
      states: ['PAYMENT_STATE_SUCCEEDED'],
      page_size: 500,
      page_token: token,
    });
    for (const payment of page.payments) if (payment.transfers.length === 1) succeeded.add(payment.payment_id);
    token = page.next_page_token;
    if (!token) break;
  }
  edge.close();
  const wrong = payments.filter(({payment_id: id}) => !succeeded.has(id));
  if (wrong.length || succeeded.size !== payments.length) {
    throw new Error(
      `${payments.length} payments were paid; ${succeeded.size} succeeded by one transfer, ` +
        `not among them ${wrong.map(({payment_id: id}) => id).join(', ')}`,
    );
  }
}

function show(results, payments) {
  const rows = [['poll interval', 'p50 ms', 'p99 ms']];
  for (const [interval, rounds] of Object.entries(results)) {
    rows.push([interval, shown(rounds.map((round) => round.p50)), shown(rounds.map((round) => round.p99))]);
  }
  report(
    'block_to_watch',
    [
      `From the node's answer that a block is mined to the update on WatchPayment; ${kPayments} payments a block, ${kBlocks} blocks a repetition`,
      '',
      table(rows),
      '',
      ...Object.entries(results).map(
        ([interval, rounds]) =>
          `Cores in use meanwhile (the payments are created then too), poll interval ${interval}: ${Object.keys(
            rounds[0].cpu,
          )
            .map((name) => `${name} ${spread(rounds.map((round) => round.cpu[name])).median.toFixed(2)}`)
            .join(', ')}`,
      ),
      `${payments} payments, each succeeded by one transfer`,
    ],
    {results, payments},
    {timed: false},
  );
}

await main(() => withMesh({}, run));
