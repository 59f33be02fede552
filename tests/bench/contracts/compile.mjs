// Compiles TransferEmitter.sol into the artifact beside it, which is committed.
//
//   node compile.mjs            writes TransferEmitter.json
//   node compile.mjs --check    fails unless the committed one is equal
import {readFileSync, writeFileSync} from 'node:fs';
import {load} from '../../../deploy/local/node/modules.mjs';

const source = readFileSync(new URL('./TransferEmitter.sol', import.meta.url), 'utf8');
const file = new URL('./TransferEmitter.json', import.meta.url);
const solc = (await load('solc')).default;
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources: {'TransferEmitter.sol': {content: source}},
      settings: {
        evmVersion: 'cancun',
        optimizer: {enabled: true, runs: 10_000},
        metadata: {bytecodeHash: 'none', appendCBOR: false},
        outputSelection: {'*': {'*': ['abi', 'evm.bytecode.object']}},
      },
    }),
  ),
);
if (output.errors?.length) throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'));
const {abi, evm} = output.contracts['TransferEmitter.sol'].TransferEmitter;
const text = `${JSON.stringify({contractName: 'TransferEmitter', abi, bytecode: `0x${evm.bytecode.object}`}, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text)
    throw new Error('TransferEmitter.json does not match its source: run node compile.mjs');
} else {
  writeFileSync(file, text);
}
