// Deploys the contracts to one chain, or finds them there: running it twice changes nothing.
//
//   node deploy.mjs --rpc URL --key 0x.. [--owner 0x..] [--operator 0x..]... [--dev]
//
// The key (or the environment's PAYMESH_DEPLOY_KEY) pays the gas and is by default the vault's
// owner; with another owner, such as a multisig, naming operators and setting limits is left to
// that owner, and is said on stderr. --dev adds the development tokens and the price feed, and
// limits for the tokens. Prints one JSON object on stdout:
//
//   {chainId, vault, factory, implementation, initCodeHash, owner, operators,
//    tokens: {name: address}, priceFeed, deployBlock}
//
// As a module: await deployContracts({rpcUrl, key, owner, operators: [..], dev, log}). Every
// contract is created by CREATE2 through the deterministic deployer, so that its address depends on
// its code and its constructor's arguments alone and is equal on each chain.
import {readFileSync, realpathSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {load} from '../local/node/modules.mjs';

const {
  concatHex,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  getAddress,
  http,
  isAddressEqual,
  keccak256,
  parseAbiItem,
  toHex,
} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');

export const deterministicDeployer = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
export const deploymentSalt = keccak256(toHex('paymesh/v1'));

/** What may leave in each development token a day: 1,000,000,000 tokens of six decimals. */
export const developmentLimit = 1_000_000_000n * 10n ** 6n;
/** 1 EUR = 1.085 USD at first; eight decimals. */
const kDevelopmentRate = 108_500_000n;
const kPollingMs = 100;
const kReceiptTimeoutMs = 120_000;

/** A committed artifact: {contractName, abi, bytecode, deployedBytecode, sourceHash}. */
export function artifact(name) {
  return JSON.parse(readFileSync(new URL(`./artifacts/${name}.json`, import.meta.url), 'utf8'));
}

/** A payment's salt and a payout's id on chain: keccak256 of the id's ASCII bytes. */
export function hashOfId(id) {
  return keccak256(toHex(id));
}

/** A contract to be: its creation code and the address that follows from it. */
function plan(name, args) {
  const {abi, bytecode} = artifact(name);
  const initCode = encodeDeployData({abi, bytecode, args});
  const address = getContractAddress({
    opcode: 'CREATE2',
    from: deterministicDeployer,
    salt: deploymentSalt,
    bytecode: initCode,
  });
  return {name, abi, initCode, address};
}

/** The contracts for an owner and where each will stand; no chain is asked. */
export function planContracts({owner, dev = false}) {
  const vault = plan('Vault', [owner]);
  const factory = plan('DepositFactory', [vault.address]);
  const implementation = getContractAddress({opcode: 'CREATE', from: factory.address, nonce: 1n});
  if (!dev) return {vault, factory, implementation, tokens: {}, priceFeed: null};
  const tokens = {
    testUsd: plan('TestDollar', ['Test Dollar', 'tUSD', owner]),
    testEur: plan('TestDollar', ['Test Euro', 'tEUR', owner]),
    returnsNothing: plan('ReturnsNothingToken', ['Test Returns Nothing', 'tNIL']),
    returnsFalse: plan('ReturnsFalseToken', ['Test Returns False', 'tNO']),
    feeToken: plan('FeeToken', ['Test Fee', 'tFEE', owner]),
  };
  const priceFeed = plan('PriceFeed', [8, 'EUR / USD', kDevelopmentRate, owner]);
  return {vault, factory, implementation, tokens, priceFeed};
}

/** One account's transactions on one chain, sent together with nonces in turn. */
class Sender {
  constructor(rpcUrl, key) {
    const transport = http(rpcUrl);
    this.account = privateKeyToAccount(key);
    this.client = createPublicClient({transport, pollingInterval: kPollingMs});
    this.wallet = createWalletClient({transport, account: this.account});
  }

  /**
   * Sends all, waits for all; each is {what, to, data}. None may need another's effect: each is
   * estimated on the latest block.
   */
  async send(transactions) {
    const {address} = this.account;
    const first = await this.client.getTransactionCount({address, blockTag: 'pending'});
    const gas = await Promise.all(
      transactions.map(({to, data}) => this.client.estimateGas({account: this.account, to, data})),
    );
    const hashes = [];
    for (const [index, {to, data}] of transactions.entries()) {
      hashes.push(
        await this.wallet.sendTransaction({
          chain: null,
          to,
          data,
          nonce: first + index,
          gas: gas[index] + gas[index] / 5n,
        }),
      );
    }
    const receipts = await Promise.all(
      hashes.map((hash) => this.client.waitForTransactionReceipt({hash, timeout: kReceiptTimeoutMs})),
    );
    receipts.forEach((receipt, index) => {
      if (receipt.status === 'success') return;
      throw new Error(`${transactions[index].what} failed: transaction ${receipt.transactionHash}`);
    });
  }

  async hasCode(address) {
    return ((await this.client.getCode({address})) ?? '0x') !== '0x';
  }

  async create(contracts, log) {
    const there = await Promise.all(contracts.map(({address}) => this.hasCode(address)));
    const missing = contracts.filter((_, index) => !there[index]);
    await this.send(
      missing.map(({name, initCode}) => ({
        what: `deploying ${name}`,
        to: deterministicDeployer,
        data: concatHex([deploymentSalt, initCode]),
      })),
    );
    for (const {name, address} of missing) {
      if (!(await this.hasCode(address))) throw new Error(`${name} is not at ${address}`);
      log(`deployed ${name} at ${address}`);
    }
  }
}

/** What the vault's owner still has to do: operators to name, limits to set. */
async function ownersTasks(client, vault, operators, limits) {
  const read = (functionName, argument) =>
    client.readContract({address: vault.address, abi: vault.abi, functionName, args: [argument]});
  const task = (functionName, args) => ({
    what: `${functionName}(${args.join(', ')})`,
    to: vault.address,
    data: encodeFunctionData({abi: vault.abi, functionName, args}),
  });
  const tasks = [];
  for (const operator of operators) {
    if (!(await read('isOperator', operator))) tasks.push(task('setOperator', [operator, true]));
  }
  for (const [token, amount] of limits) {
    if ((await read('limitOf', token)) !== amount) tasks.push(task('setLimit', [token, amount]));
  }
  return tasks;
}

/** The block of the vault's first log; 0 (safe, but slow) when the node does not search so far. */
async function findDeployBlock(client, vault, log) {
  try {
    const event = parseAbiItem('event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)');
    const logs = await client.getLogs({address: vault, event, fromBlock: 0n, toBlock: 'latest'});
    return Number(logs[0].blockNumber);
  } catch (error) {
    const why = error.shortMessage ?? error.message;
    log(`the vault's first block was not found (${why}); 0 is given instead`);
    return 0;
  }
}

/** Deploys to one chain; see the head of this file. */
export async function deployContracts({rpcUrl, key, owner, operators = [], dev = false, log = () => {}}) {
  const sender = new Sender(rpcUrl, key);
  const {client, account} = sender;
  owner = getAddress(owner ?? account.address);
  const chainId = await client.getChainId();
  if (!(await sender.hasCode(deterministicDeployer))) {
    throw new Error(`chain ${chainId} has no deterministic deployer at ${deterministicDeployer}`);
  }

  const {vault, factory, implementation, tokens, priceFeed} = planContracts({owner, dev});
  await sender.create([vault, ...Object.values(tokens), ...(priceFeed ? [priceFeed] : [])], log);
  const limits = Object.values(tokens).map(({address}) => [address, developmentLimit]);
  const tasks = await ownersTasks(client, vault, operators, limits);
  const ask = (contract, functionName) =>
    client.readContract({address: contract.address, abi: contract.abi, functionName});
  const currentOwner = await ask(vault, 'owner');
  if (isAddressEqual(currentOwner, account.address)) {
    await sender.send(tasks);
    tasks.forEach(({what}) => log(`vault: ${what}`));
  } else {
    tasks.forEach(({what, data}) => log(`left to the vault's owner ${currentOwner}: ${what}, data ${data}`));
  }
  await sender.create([factory], log);

  if (!isAddressEqual(await ask(factory, 'implementation'), implementation)) {
    throw new Error(`chain ${chainId} derives addresses differently: no ${implementation}`);
  }
  return {
    chainId,
    vault: vault.address,
    factory: factory.address,
    implementation,
    initCodeHash: await ask(factory, 'initCodeHash'),
    owner: currentOwner,
    operators,
    tokens: Object.fromEntries(Object.entries(tokens).map(([name, {address}]) => [name, address])),
    priceFeed: priceFeed?.address ?? null,
    deployBlock: await findDeployBlock(client, vault.address, log),
  };
}

async function main() {
  const {values} = parseArgs({
    options: {
      rpc: {type: 'string'},
      key: {type: 'string'},
      owner: {type: 'string'},
      operator: {type: 'string', multiple: true, default: []},
      dev: {type: 'boolean', default: false},
    },
  });
  const key = values.key ?? process.env.PAYMESH_DEPLOY_KEY;
  if (!values.rpc || !key) throw new Error('--rpc and --key (or PAYMESH_DEPLOY_KEY) are needed');
  const contracts = await deployContracts({
    rpcUrl: values.rpc,
    key,
    owner: values.owner,
    operators: values.operator.map((operator) => getAddress(operator)),
    dev: values.dev,
    log: console.error,
  });
  console.log(JSON.stringify(contracts, null, 2));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.shortMessage ?? error.message);
    process.exitCode = 1;
  });
}
