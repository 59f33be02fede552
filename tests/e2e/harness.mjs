// What every end-to-end test stands on: a mesh of its own (PostgreSQL, chains, four services, mTLS) in
// a temporary folder on free ports, a funded payer, and the few verbs that tests are written in.
// After each file the invariants are checked over everything that happened in it.
import {mkdtempSync} from 'node:fs';
import {randomUUID} from 'node:crypto';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Mesh, rpc} from '../../deploy/local/mesh/mesh.mjs';
import {sleep, waitFor} from '../../deploy/local/mesh/processes.mjs';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {connect, watchPayment} from '../../deploy/local/mesh/clients.mjs';
import {balanceOf, payFrom, setUpMerchant, tokenOf, tokenUnit} from '../../deploy/local/mesh/demo.mjs';
import {load} from '../../deploy/local/node/modules.mjs';
import {freePorts} from './ports.mjs';

const {encodeFunctionData, keccak256, parseAbi} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');
const erc20 = parseAbi(['function transfer(address to, uint256 amount) returns (bool)']);

export {connect, freePorts, rpc, services, sleep, tokenOf, tokenUnit, waitFor, watchPayment};

/** Starts a mesh (or a `kind` of it). Options are Mesh's; by default blocks come each second and are final two later. */
export async function startMesh({kind: Kind = Mesh, ...options} = {}) {
  const ports = await freePorts(15);
  const next = () => ports.pop();
  const each = () => Object.fromEntries(services.map((service) => [service, next()]));
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-e2e-'));
  const mesh = new Kind({
    folder,
    ports: {grpc: each(), health: each(), metrics: each(), postgres: next(), chains: [next(), next()]},
    slotsInAnEpoch: 1,
    persistChains: false,
    say: async (name, what, work) => work(),
    ...options,
  });
  try {
    await mesh.start();
    const harness = new Harness(mesh);
    await harness.everythingOffered();
    return harness;
  } catch (error) {
    for (const service of services) console.error(`${service}:\n${mesh.processes.tail(service, 10)}`);
    await mesh.destroy();
    throw error;
  }
}

export class Harness {
  constructor(mesh) {
    this.mesh = mesh;
    this.history = []; // what callers were told, for the invariants
    this.record = (entry) => this.history.push(entry);
    this.operator = connect(this.description, 'operator', {retries: 20, record: this.record});
    this.approver = connect(this.description, 'approver', {retries: 20, record: this.record});
    this.queues = new Map(); // chain -> the payer's last transaction
    this.byHand = new Set(); // chains that mine only when asked
  }

  get description() {
    return this.mesh.description;
  }
  get chains() {
    return this.description.chains;
  }

  /** A merchant with a connected client of its own: {merchant_id, api_key, edge, wallet}. */
  async merchant(options = {}) {
    const {newKey, addressOf} = await import('../../deploy/local/mesh/keystore.mjs');
    const wallet = options.wallet ?? (await addressOf(await newKey()));
    const made = await setUpMerchant(this.description, {...options, wallet});
    return {
      ...made,
      wallet,
      edge: connect(this.description, 'edge', {apiKey: made.api_key, retries: 20, record: this.record}),
    };
  }

  /** A payment in euros (cents) unless told otherwise. */
  async payment(merchant, {cents = 1250, price, ...rest} = {}) {
    const {payment} = await merchant.edge.PaymentService.CreatePayment({
      request_id: randomUUID(),
      price: price ?? {unit: 'iso4217/EUR', value: String(cents)},
      ...rest,
    });
    return payment;
  }

  /** A payment that can be paid on a chain: one that has just been started may not be offered yet. */
  payable(merchant, chain, options = {}) {
    const offered = (payment) => payment.options.some((option) => option.chain === chain.chain);
    return waitFor(
      `${chain.name} to be offered`,
      async () => {
        const payment = await this.payment(merchant, options);
        return offered(payment) && payment;
      },
      {everyMs: 500},
    );
  }

  /** Right after a start routing has not heard of every chain and price; waits until it has. */
  async everythingOffered() {
    const {merchant_id: merchantId} = await setUpMerchant(this.description, {name: 'First', schedule: null});
    await waitFor(
      "every token on every chain to be offered at the feed's rate",
      async () => {
        const {payment} = await this.operator.PaymentService.CreatePayment({
          request_id: randomUUID(),
          merchant_id: merchantId,
          price: {unit: 'iso4217/EUR', value: '1250'},
        });
        return (
          payment.options.length === 2 * this.chains.length &&
          payment.options.some((option) => option.rate?.source.startsWith('feed:'))
        );
      },
      {timeoutMs: 60_000, everyMs: 300},
    );
  }

  /** The option on a chain in a token named as in the deployment ('testUsd', 'testEur'). */
  option(payment, chain, token = 'testUsd') {
    const unit = tokenUnit(chain, chain.tokens[token]);
    const found = payment.options.find((option) => option.due.unit === unit);
    if (!found) throw new Error(`no option in ${unit}: ${JSON.stringify(payment.options.map((o) => o.due.unit))}`);
    return found;
  }

  /** The payer sends `value` of a token to a payment's address; returns the hash. */
  async pay(payment, chain, token, value) {
    return this.send(chain, token, payment.deposit_address, value);
  }

  /** The payer's transactions leave one after another, so that each finds its own nonce. */
  send(chain, token, to, value) {
    const go = () => payFrom(chain, chain.payer.key, chain.tokens[token], to, value);
    const sent = (this.queues.get(chain.chain) ?? Promise.resolve()).then(go, go);
    this.queues.set(
      chain.chain,
      sent.catch(() => {}),
    );
    return sent;
  }

  /** New wallets that hold `value` of a token and coins for gas; on a chain that mines by hand a block is mined. */
  async payers(chain, count, token, value) {
    const {newKey, addressOf} = await import('../../deploy/local/mesh/keystore.mjs');
    const made = [];
    for (let i = 0; i < count; i++) {
      const key = await newKey();
      const address = await addressOf(key);
      await rpc(chain, 'anvil_setBalance', [address, '0x56bc75e2d63100000']); // 100 coins
      made.push({key, address, hash: await this.send(chain, token, address, value)});
    }
    if (this.byHand.has(chain.chain)) await this.mine(chain);
    for (const {hash} of made) await this.mined(chain, hash);
    return made;
  }

  /** A signed transfer that has not been sent: {raw, hash}. */
  async sign(chain, payer, token, to, value, nonce = 0) {
    const data = encodeFunctionData({abi: erc20, functionName: 'transfer', args: [to, BigInt(value)]});
    const raw = await privateKeyToAccount(payer.key).signTransaction({
      type: 'eip1559',
      chainId: chain.chain_id,
      nonce,
      to: chain.tokens[token],
      data,
      gas: 120_000n,
      maxFeePerGas: 20_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
    });
    return {raw, hash: keccak256(raw)};
  }

  /** From here on the chain has a block only when `mine` asks for it. */
  async mineByHand(chain) {
    await rpc(chain, 'evm_setAutomine', [false]);
    await rpc(chain, 'evm_setIntervalMining', [0]);
    this.byHand.add(chain.chain);
  }

  async mineByItself(chain) {
    this.byHand.delete(chain.chain);
    await rpc(chain, 'evm_setIntervalMining', [1]);
  }

  async mine(chain, count = 1) {
    for (let i = 0; i < count; i++) await rpc(chain, 'evm_mine');
  }

  /** Mines a block now and then until the promise is settled, and hands on its outcome. */
  async mineUntil(chain, promise, everyMs = 250) {
    let over = false;
    const done = promise.finally(() => {
      over = true;
    });
    done.catch(() => {});
    while (!over) {
      await this.mine(chain);
      await Promise.race([sleep(everyMs), done.catch(() => {})]);
    }
    return done;
  }

  /** Waits until the watcher stands on the same head as the node. */
  async caughtUp(chain, {timeoutMs = 30_000} = {}) {
    const head = await rpc(chain, 'eth_getBlockByNumber', ['latest', false]);
    await waitFor(
      `the watcher to read block ${Number(head.number)} of ${chain.name}`,
      async () => {
        const {chain: seen} = await this.operator.ChainService.GetChain({chain: chain.chain});
        return seen.head_block?.hash === head.hash || seen.head_block?.number > Number(head.number);
      },
      {timeoutMs},
    );
  }

  /** All journals of a payment, oldest first. */
  async journals(payment) {
    const {journals} = await this.operator.LedgerService.ListJournals({payment_id: payment.payment_id, page_size: 500});
    return journals.sort((a, b) => a.sequence - b.sequence);
  }

  metrics(service) {
    return fetch(this.description.services[service].metrics).then((response) => response.text());
  }

  /** Sends and waits until it is in a block. */
  async payMined(payment, chain, token, value) {
    const hash = await this.pay(payment, chain, token, value);
    return this.mined(chain, hash);
  }

  async mined(chain, hash) {
    return waitFor(`transaction ${hash}`, () => rpc(chain, 'eth_getTransactionReceipt', [hash]));
  }

  balance(chain, token, address) {
    return balanceOf(chain, chain.tokens[token], address);
  }

  get(payment, merchant) {
    return (merchant?.edge ?? this.operator).PaymentService.GetPayment({payment_id: payment.payment_id}).then(
      (r) => r.payment,
    );
  }

  /** Follows the payment until it is in a state (name without prefix), or until a predicate holds. */
  until(payment, goal, options = {}) {
    const done = typeof goal === 'string' ? (p) => p.state === `PAYMENT_STATE_${goal}` : goal;
    return watchPayment(this.operator, payment.payment_id, done, options);
  }

  settled(payment, options = {}) {
    return this.until(payment, (p) => p.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'), options);
  }

  /** Waits until the invariants hold (work in flight may need a moment), then ends the mesh. */
  async finish({invariants = true, skip = []} = {}) {
    try {
      if (invariants) await this.agree({skip});
    } finally {
      this.operator.close();
      this.approver.close();
      if (process.env.PAYMESH_KEEP) console.error(`kept: ${this.mesh.folder}`);
      else await this.mesh.destroy();
    }
  }

  /** Throws with every violated invariant unless all hold within the time. */
  async agree({timeoutMs = 60_000, skip = []} = {}) {
    const {checkInvariants} = await import('../invariants/invariants.mjs');
    let violations = [];
    const start = Date.now();
    do {
      violations = (await checkInvariants(this.mesh, {history: this.history})).filter(
        (violation) => !skip.includes(violation.id),
      );
      if (violations.length === 0) return;
      await sleep(1000);
    } while (Date.now() - start < timeoutMs);
    throw new Error(
      `invariants do not hold:\n${violations.map((v) => `${v.id}: ${v.what} ${JSON.stringify(v.rows.slice(0, 5))}`).join('\n')}`,
    );
  }

  kill(service) {
    return this.mesh.processes.signal(service, 'SIGKILL');
  }

  async restart(service) {
    await waitFor(`${service} to be gone`, () => !this.mesh.processes.pid(service));
    this.mesh.startService(service);
    await this.mesh.waitReady(service);
  }
}
