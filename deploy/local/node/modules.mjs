// How every script and test outside this folder reaches the node packages and the chain node.
//
//   import {load, anvilPath, startAnvil} from '../local/node/modules.mjs';
//   const {http} = await load('viem');      // any package, or a part of one: load('viem/accounts')
//   const solc = (await load('solc')).default;
//   const chain = await startAnvil({chainId: 8453, args: ['--block-time', '1']}); // on a free port
//   ... chain.url, chain.port, chain.pid, chain.key(n), chain.log() ...
//   await chain.stop();
//
// Packages resolve from this file, so callers may lie anywhere. startAnvil resolves once the node
// listens, rejects with the node's own words when it cannot start, and ends the node when this
// process exits.
import {spawn} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

const require = createRequire(import.meta.url);
const kStartTimeoutMs = 30_000;
const kStartPollMs = 20;
const kStopTimeoutMs = 5_000;
const kLogCheckMs = 10_000;
const kMaxLogBytes = 16 * 1024 * 1024;

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
export async function startAnvil({port = 0, chainId = 31337, args = []} = {}) {
  // The node writes its log to a file: a pipe would stop it whenever this process is too busy to
  // read.
  const folder = mkdtempSync(join(tmpdir(), 'anvil-'));
  const logFile = join(folder, 'log');
  const output = openSync(logFile, 'a');
  const child = spawn(
    anvilPath,
    ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId), ...args],
    {stdio: ['ignore', output, output]},
  );
  closeSync(output);
  const log = () => readFileSync(logFile, 'utf8');
  const trim = setInterval(() => {
    if (statSync(logFile).size > kMaxLogBytes) truncateSync(logFile);
  }, kLogCheckMs).unref();
  const end = () => {
    child.kill('SIGKILL');
    rmSync(folder, {recursive: true, force: true});
  };
  let ended = null;
  const exited = new Promise((resolve) => {
    child.once('exit', (code) => resolve((ended = `ended with code ${code}`)));
    child.once('error', (error) => resolve((ended = `cannot be run (${error.message})`)));
  });
  process.once('exit', end);
  exited.then(() => {
    clearInterval(trim);
    process.removeListener('exit', end);
  });

  async function stop() {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), kStopTimeoutMs);
    await exited;
    clearTimeout(timer);
    rmSync(folder, {recursive: true, force: true});
  }

  for (const deadline = Date.now() + kStartTimeoutMs; ; await sleep(kStartPollMs)) {
    const listening = /^Listening on .*:(\d+)$/m.exec(log());
    if (listening && !ended) {
      const taken = Number(listening[1]);
      return {
        url: `http://127.0.0.1:${taken}`,
        port: taken,
        chainId,
        pid: child.pid,
        stop,
        log,
        key: (index) => developmentKeys[index],
      };
    }
    if (ended || Date.now() > deadline) {
      const words = log().split('\n').slice(-20).join('\n');
      await stop();
      throw new Error(`anvil ${ended ?? 'does not listen'}:\n${words}`);
    }
  }
}
