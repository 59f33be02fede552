// What the contract tests share: a fresh chain with everything deployed, and short words to act on
// it.
import {artifact, deployContracts, hashOfId} from '../deploy.mjs';
import {load, startAnvil} from '../../local/node/modules.mjs';

const {
  createPublicClient,
  createTestClient,
  createWalletClient,
  encodeDeployData,
  http,
  isAddressEqual,
  parseEventLogs,
} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');
const {anvil: anvilChain} = await load('viem/chains');

export {artifact, hashOfId};
export const kDollar = 1_000_000n;
const kPollingMs = 20;

export class Chain {
  /** Starts a chain on which account 0 owns, account 1 operates and the others are strangers. */
  static async start({chainId = 31337} = {}) {
    const chain = new Chain();
    chain.node = await startAnvil({chainId, args: ['--slots-in-an-epoch', '1']});
    const transport = http(chain.node.url);
    const accounts = [0, 1, 2, 3, 4].map((index) => privateKeyToAccount(chain.node.key(index)));
    [chain.owner, chain.operator, chain.stranger, chain.payer, chain.merchant] = accounts;
    const definition = {...anvilChain, id: chainId};
    chain.client = createPublicClient({chain: definition, transport, pollingInterval: kPollingMs});
    chain.wallet = createWalletClient({chain: definition, transport});
    chain.control = createTestClient({chain: definition, mode: 'anvil', transport});
    try {
      chain.contracts = await deployContracts({
        rpcUrl: chain.node.url,
        key: chain.node.key(0),
        operators: [chain.operator.address],
        dev: true,
      });
    } catch (error) {
      await chain.stop();
      throw error;
    }
    const at = (name, address) => ({address, abi: artifact(name).abi});
    const {tokens} = chain.contracts;
    chain.vault = at('Vault', chain.contracts.vault);
    chain.factory = at('DepositFactory', chain.contracts.factory);
    chain.dollar = at('TestDollar', tokens.testUsd);
    chain.returnsNothing = at('ReturnsNothingToken', tokens.returnsNothing);
    chain.returnsFalse = at('ReturnsFalseToken', tokens.returnsFalse);
    chain.feeToken = at('FeeToken', tokens.feeToken);
    chain.feed = at('PriceFeed', chain.contracts.priceFeed);
    return chain;
  }

  stop() {
    return this.node.stop();
  }

  read(contract, functionName, ...args) {
    return this.client.readContract({...contract, functionName, args});
  }

  balance(token, holder) {
    return this.read(token, 'balanceOf', holder.address ?? holder);
  }

  /** Sends after a simulation, so that a refusal is thrown with its decoded reason. */
  async write(account, contract, functionName, ...args) {
    const call = {...contract, functionName, args, account};
    const {request} = await this.client.simulateContract(call);
    return this.#receipt(await this.wallet.writeContract(request));
  }

  /** Sends without asking first, as one who raced us would. */
  async writeBlindly(account, contract, functionName, args, options = {}) {
    const call = {...contract, functionName, args, account, gas: 1_000_000n, ...options};
    return this.#receipt(await this.wallet.writeContract(call));
  }

  async deploy(account, name, ...args) {
    const {abi, bytecode} = artifact(name);
    const data = encodeDeployData({abi, bytecode, args});
    const receipt = await this.#receipt(await this.wallet.sendTransaction({account, data}));
    return {address: receipt.contractAddress, abi};
  }

  sendNative(account, to, value) {
    return this.wallet.sendTransaction({account, to, value}).then((hash) => this.#receipt(hash));
  }

  mint(token, holder, amount) {
    return this.write(this.stranger, token, 'mint', holder.address ?? holder, amount);
  }

  /** The events of one contract in a receipt, as [name, arguments] pairs. */
  events(contract, receipt) {
    const logs = receipt.logs.filter(({address}) => isAddressEqual(address, contract.address));
    return parseEventLogs({abi: contract.abi, logs}).map(({eventName, args}) => [eventName, args]);
  }

  async #receipt(hash) {
    return this.client.waitForTransactionReceipt({hash});
  }
}

/** For assert.rejects: the call was refused with this error of the contract, or with this text. */
export function refused(word) {
  return (error) => {
    const text = error.message;
    if (!text.includes(word)) throw new Error(`expected a refusal with ${word}, got: ${text}`);
    return true;
  };
}

/** Code of a token whose every function burns gas (26 a round), then answers true, or one. */
export function slowToken(rounds) {
  const count = rounds.toString(16).padStart(6, '0');
  return `0x62${count}5b6001900380600457600160005260206000f3`;
}
