// What every end-to-end test stands on: a mesh of its own (PostgreSQL, chains, four services, mTLS) in
// a temporary folder on free ports, a funded payer, and the few verbs that tests are written in.
// After each file the invariants are checked over everything that happened in it.
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {randomUUID} from 'node:crypto';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Mesh, rpc} from '../../deploy/local/mesh/mesh.mjs';
import {sleep, waitFor} from '../../deploy/local/mesh/processes.mjs';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {connect, watchPayment} from '../../deploy/local/mesh/clients.mjs';
import {balanceOf, payFrom, setUpMerchant, tokenOf, tokenUnit} from '../../deploy/local/mesh/demo.mjs';
import {checkInvariants} from '../invariants/invariants.mjs';

export {connect, rpc, services, sleep, tokenOf, tokenUnit, waitFor, watchPayment};

async function freePorts(count) {
  const servers = await Promise.all(Array.from({length: count}, () => new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Starts a mesh. Options are Mesh's; by default blocks come each second and are final two later. */
export async function startMesh(options = {}) {
  const ports = await freePorts(15);
  const next = () => ports.pop();
  const each = () => Object.fromEntries(services.map((service) => [service, next()]));
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-e2e-'));
  const mesh = new Mesh({
    folder, ports: {grpc: each(), health: each(), metrics: each(), postgres: next(), chains: [next(), next()]},
    slotsInAnEpoch: 1, persistChains: false, say: async (name, what, work) => work(), ...options,
  });
  try {
    await mesh.start();
  } catch (error) {
    for (const service of services) console.error(`${service}:\n${mesh.processes.tail(service, 10)}`);
    await mesh.destroy();
    throw error;
  }
  return new Harness(mesh);
}

export class Harness {
  constructor(mesh) {
    this.mesh = mesh;
    this.operator = connect(this.description, 'operator', {retries: 8});
    this.approver = connect(this.description, 'approver', {retries: 8});
  }

  get description() { return this.mesh.description; }
  get chains() { return this.description.chains; }

  /** A merchant with a connected client of its own: {merchant_id, api_key, edge, wallet}. */
  async merchant(options = {}) {
    const {newKey, addressOf} = await import('../../deploy/local/mesh/keystore.mjs');
    const wallet = options.wallet ?? await addressOf(await newKey());
    const made = await setUpMerchant(this.description, {...options, wallet});
    return {...made, wallet, edge: connect(this.description, 'edge', {apiKey: made.api_key, retries: 8})};
  }

  /** A payment in euros (cents) unless told otherwise. */
  async payment(merchant, {cents = 1250, price, ...rest} = {}) {
    const {payment} = await merchant.edge.PaymentService.CreatePayment({
      request_id: randomUUID(), price: price ?? {unit: 'iso4217/EUR', value: String(cents)}, ...rest,
    });
    return payment;
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
    return payFrom(chain, chain.payer.key, chain.tokens[token], payment.deposit_address, value);
  }

  /** Sends and waits until it is in a block. */
  async payMined(payment, chain, token, value) {
    const hash = await this.pay(payment, chain, token, value);
    return this.mined(chain, hash);
  }

  async mined(chain, hash) {
    return waitFor(`transaction ${hash}`, () => rpc(chain, 'eth_getTransactionReceipt', [hash]));
  }

  balance(chain, token, address) { return balanceOf(chain, chain.tokens[token], address); }

  get(payment, merchant) {
    return (merchant?.edge ?? this.operator).PaymentService.GetPayment({payment_id: payment.payment_id}).then((r) => r.payment);
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
    let violations = [];
    const start = Date.now();
    do {
      violations = (await checkInvariants(this.mesh)).filter((violation) => !skip.includes(violation.id));
      if (violations.length === 0) return;
      await sleep(1000);
    } while (Date.now() - start < timeoutMs);
    throw new Error(`invariants do not hold:\n${violations.map((v) => `${v.id}: ${v.what} ${JSON.stringify(v.rows.slice(0, 5))}`).join('\n')}`);
  }

  kill(service) { return this.mesh.processes.signal(service, 'SIGKILL'); }

  async restart(service) {
    await waitFor(`${service} to be gone`, () => !this.mesh.processes.pid(service));
    this.mesh.startService(service);
    await this.mesh.waitReady(service);
  }
}

/** Removes what a test made. */
export const remove = (path) => rmSync(path, {recursive: true, force: true});
