// A transaction with several transfers in it, as batching wallets send them: the payer's own vault
// contract pays all items at once.
import {load} from '../../deploy/local/node/modules.mjs';
import {artifact} from '../../deploy/contracts/deploy.mjs';

const {createPublicClient, createWalletClient, http, keccak256, parseAbi, toHex} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');

/** Pays `items` ({to, amount}) in one transaction; returns its hash. */
export async function payTwo(chain, token, items) {
  const account = privateKeyToAccount(chain.payer.key);
  const client = createPublicClient({transport: http(chain.rpc_url), pollingInterval: 100});
  const wallet = createWalletClient({account, transport: http(chain.rpc_url), chain: null});
  const {abi, bytecode} = artifact('Vault');
  const send = async (hash) => client.waitForTransactionReceipt({hash: await hash});
  const {contractAddress: vault} = await send(
    wallet.deployContract({abi, bytecode, args: [account.address], chain: null}),
  );
  const write = (address, contractAbi, functionName, args) =>
    send(wallet.writeContract({address, abi: contractAbi, functionName, args, chain: null}));
  const address = chain.tokens[token];
  const sum = items.reduce((total, item) => total + item.amount, 0n);
  await write(vault, abi, 'setOperator', [account.address, true]);
  await write(vault, abi, 'setLimit', [address, sum * 2n]);
  await write(address, parseAbi(['function transfer(address, uint256) returns (bool)']), 'transfer', [vault, sum]);
  const batch = items.map((item, index) => ({
    payoutId: keccak256(toHex(`item-${index}-${item.to}`)),
    token: address,
    ...item,
  }));
  const receipt = await write(vault, abi, 'payBatch', [batch]);
  return receipt.transactionHash;
}
