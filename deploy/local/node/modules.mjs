// How every script and test outside this folder reaches the node packages and the chain node.
//
//   import {load, anvilPath, startAnvil} from '../local/node/modules.mjs';
//   const {createPublicClient, http} = await load('viem');      // any package of package.json, or a part: load('viem/accounts')
//   const solc = (await load('solc')).default;
//   const chain = await startAnvil({chainId: 8453, args: ['--block-time', '1']});   // port 0 (the default): a free one
//   ... chain.url, chain.port, chain.pid, chain.key(n), chain.log() ...
//   await chain.stop();
//
// Packages resolve from this file, so callers may lie anywhere. startAnvil resolves once the node listens, rejects with the
// node's own words when it cannot start, and ends the node when this process exits.
import {spawn} from 'node:child_process';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';

const require = createRequire(import.meta.url);
const kStartTimeoutMs = 30_000;
const kLogLines = 200;

/** The ten funded keys of anvil's published test mnemonic. They hold development money only. */
export const developmentKeys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
  '0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a',
  '0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba',
  '0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e',
  '0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356',
  '0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97',
  '0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6',
];

/** Imports an installed package, or a part of one. */
export function load(name) {
  return import(name);
}

/** The folder of an installed package. */
export function packageFolder(name) {
  return dirname(require.resolve(join(name, 'package.json')));
}

export const anvilPath = join(packageFolder('@foundry-rs/anvil-linux-amd64'), 'bin', 'anvil');

/** Starts a chain node on the loopback interface. */
export function startAnvil({port = 0, chainId = 31337, args = []} = {}) {
  const child = spawn(
    anvilPath, ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), ...args],
    {stdio: ['ignore', 'pipe', 'pipe']});
  const lines = [];
  const end = () => child.kill('SIGKILL');
  const exited = new Promise((resolve) => child.once('exit', resolve));
  process.once('exit', end);
  exited.then(() => process.removeListener('exit', end));

  async function stop() {
    child.kill('SIGTERM');
    const timer = setTimeout(end, 5_000);
    await exited;
    clearTimeout(timer);
  }

  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      end();
      fail(`did not listen within ${kStartTimeoutMs / 1000} s`);
    }, kStartTimeoutMs);
    function fail(why) {
      clearTimeout(timer);
      reject(new Error(`anvil ${why}:\n${lines.slice(-20).join('\n')}`));
    }
    function take(line) {
      lines.push(line);
      if (lines.length > kLogLines) lines.shift();
      const found = /^Listening on .*:(\d+)$/.exec(line);
      if (!found) return;
      clearTimeout(timer);
      const listening = Number(found[1]);
      resolve({
        url: `http://127.0.0.1:${listening}`, port: listening, chainId, pid: child.pid, stop,
        key: (index) => developmentKeys[index], log: () => lines.join('\n'),
      });
    }
    readLines(child.stdout, take);
    readLines(child.stderr, take);
    child.once('error', (error) => fail(`cannot be run (${error.message})`));
    exited.then((code) => fail(`ended with code ${code}`));
  });
}

// The pipes are read for as long as the node lives: a full pipe would stop it.
function readLines(stream, take) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop();
    parts.forEach((line) => take(line.trimEnd()));
  });
}
