// Compiles the contracts into artifacts/, which are committed so that nothing else needs the
// compiler.
//
//   node compile.mjs            writes artifacts/<Name>.json
//   node compile.mjs --check    compiles anew; fails unless the committed ones are equal
//
// Everything that shapes the bytecode is fixed here: changing any of it moves the addresses of
// vault and factory, and with them every deposit address not yet shown.
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync} from 'node:fs';
import {basename, dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {load, packageFolder} from '../local/node/modules.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const sourceFolder = join(here, 'src');
const artifactFolder = join(here, 'artifacts');
const libraryPrefix = '@openzeppelin/contracts/';

const settings = {
  evmVersion: 'cancun',
  optimizer: {enabled: true, runs: 10_000},
  metadata: {bytecodeHash: 'none', appendCBOR: false},
  outputSelection: {'*': {'*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object']}},
};

function readSources() {
  const names = readdirSync(sourceFolder, {recursive: true})
    .map(String)
    .filter((name) => name.endsWith('.sol'))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
  return Object.fromEntries(names.map((name) => [name, {content: readFileSync(join(sourceFolder, name), 'utf8')}]));
}

function findImport(path) {
  if (!path.startsWith(libraryPrefix)) return {error: `${path} is not in ${libraryPrefix}`};
  const file = join(packageFolder('@openzeppelin/contracts'), path.slice(libraryPrefix.length));
  if (!existsSync(file)) return {error: `${path} does not exist`};
  return {contents: readFileSync(file, 'utf8')};
}

/** Compiles all sources; returns a map from file name to the artifact's text. */
async function compile() {
  const solc = (await load('solc')).default;
  const sources = readSources();
  const output = JSON.parse(
    solc.compile(JSON.stringify({language: 'Solidity', sources, settings}), {import: findImport}),
  );
  const problems = output.errors ?? [];
  problems.forEach((problem) => process.stderr.write(problem.formattedMessage + '\n'));
  if (problems.length > 0) throw new Error('errors or warnings: nothing is written');

  const libraryFile = join(packageFolder('@openzeppelin/contracts'), 'package.json');
  const library = JSON.parse(readFileSync(libraryFile, 'utf8')).version;
  const sourceHash = createHash('sha256')
    .update(JSON.stringify([solc.version(), library, settings, sources]))
    .digest('hex');
  const artifacts = new Map();
  for (const path of Object.keys(sources)) {
    const contractName = basename(path, '.sol');
    const {abi, evm} = output.contracts[path][contractName];
    if (evm.bytecode.object === '') continue; // Abstract.
    artifacts.set(
      `${contractName}.json`,
      JSON.stringify(
        {
          contractName,
          abi,
          bytecode: '0x' + evm.bytecode.object,
          deployedBytecode: '0x' + evm.deployedBytecode.object,
          sourceHash,
        },
        null,
        2,
      ) + '\n',
    );
  }
  return artifacts;
}

/** The names of committed artifacts that no source makes. */
function leftOver(artifacts) {
  if (!existsSync(artifactFolder)) return [];
  return readdirSync(artifactFolder).filter((name) => name.endsWith('.json') && !artifacts.has(name));
}

function check(artifacts) {
  const wrong = [];
  for (const [name, text] of artifacts) {
    const file = join(artifactFolder, name);
    if (!existsSync(file)) wrong.push(`${name} is missing`);
    else if (readFileSync(file, 'utf8') !== text) wrong.push(`${name} does not match its source`);
  }
  leftOver(artifacts).forEach((name) => wrong.push(`${name} has no source`));
  if (wrong.length === 0) {
    console.log(`${artifacts.size} artifacts match their sources`);
    return;
  }
  wrong.forEach((line) => console.error(line));
  const program = relative(process.cwd(), fileURLToPath(import.meta.url));
  console.error(`Run: node ${program}   and commit the artifacts.`);
  process.exitCode = 1;
}

function write(artifacts) {
  mkdirSync(artifactFolder, {recursive: true});
  leftOver(artifacts).forEach((name) => unlinkSync(join(artifactFolder, name)));
  for (const [name, text] of artifacts) writeFileSync(join(artifactFolder, name), text);
  console.log(`wrote ${artifacts.size} artifacts`);
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--check');
if (unknown.length > 0) {
  console.error(`unknown argument ${unknown[0]}; usage: node compile.mjs [--check]`);
  process.exit(2);
}
try {
  (process.argv.includes('--check') ? check : write)(await compile());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
