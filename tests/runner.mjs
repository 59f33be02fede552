// Runs the test programs side by side and counts their cases: GoogleTest programs by their XML, node
// tests by TAP. Most of them wait for clocks, blocks and disks rather than for a processor, so several
// run at once (PAYMESH_JOBS; twice the cores by default), the longest of the last run first.
// A program that dies or runs too long counts as a failure with the end of its output shown.
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {anvilPath, packageFolder} from '../deploy/local/node/modules.mjs';
import {Postgres} from '../deploy/local/mesh/postgres.mjs';
import {createServer} from 'node:net';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [preset, ...suites] = process.argv.slice(2);
const build = join(root, 'build', preset);
const logs = join(root, 'build', 'test-logs');
mkdirSync(logs, {recursive: true});
const total = {passed: 0, failed: 0};
const failures = [];
const again = [];  // programs that were run a second time
const jobs = Math.max(1, Number(process.env.PAYMESH_JOBS) || 2 * availableParallelism());
const timesFile = join(logs, 'seconds.json');  // how long each took when it last ran
const seconds = existsSync(timesFile) ? JSON.parse(readFileSync(timesFile, 'utf8')) : {};

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Runs a program with its output in a log; resolves with its exit code (or why it ended). */
function run(name, command, args, {env = {}, limitSeconds = 600} = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(command, args, {cwd: root, env: {...process.env, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
    const timer = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000);
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => chunks.push(Buffer.from(String(error))));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const output = Buffer.concat(chunks).toString();
      writeFileSync(join(logs, `${name}.log`), output);
      resolve({code: code ?? signal ?? 'not started', output});
    });
  });
}

/** A program to run: `attempt(name, port range)` gives {passed, failed: [names], output}. */
const program = (name, attempt) => ({name, attempt});

/**
 * Runs all programs, `jobs` at a time. What failed is run once more when everything else has ended: on a
 * shared machine of two cores a real cluster or chain can be too slow once. Both runs are kept; what fails
 * twice has failed. An invariant that does not hold has failed at once: slowness breaks none.
 */
async function runAll(programs) {
  const waiting = [...programs].sort((a, b) => (seconds[b.name] ?? 1e9) - (seconds[a.name] ?? 1e9));
  const tooSlow = [];
  const work = async (slot) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const result = await timed(next, next.name, slot);
      if (result.failed.length === 0 || result.output.includes('invariants do not hold')) conclude(next.name, result);
      else tooSlow.push({...next, first: result});
    }
  };
  await Promise.all(Array.from({length: jobs}, (_, slot) => work(slot)));
  for (const each of tooSlow) {
    console.log(`again ${each.name}: ${each.first.failed.join('; ')}`);
    again.push(each.name);
    conclude(each.name, await timed(each, `${each.name}-again`, 0));
  }
  writeFileSync(timesFile, JSON.stringify(seconds, null, 1));
}

async function timed({name, attempt}, logName, slot) {
  const start = Date.now();
  const result = await attempt(logName, portsOf(slot));
  const took = (Date.now() - start) / 1000;
  seconds[name] = Math.round(took);
  return {...result, took};
}

/** Each slot takes its ports from a range of its own: no two programs then try for the same one. */
function portsOf(slot) {
  const width = Math.floor(22_000 / jobs);
  return {PAYMESH_TEST_PORTS: `${10_000 + slot * width}-${10_000 + (slot + 1) * width - 1}`};
}

function conclude(name, {passed, failed, took, output}) {
  report(name, passed, failed.length, took, failed, output);
  for (const [, line] of output.matchAll(/^\s*# measured: (.*)$/gm)) console.log(`       ${line}`);
}

function report(name, passed, failed, seconds, names, output) {
  total.passed += passed;
  total.failed += failed;
  const mark = failed === 0 ? 'ok  ' : 'FAIL';
  console.log(`${mark} ${name.padEnd(34)} ${String(passed).padStart(4)} passed ${String(failed).padStart(3)} failed  ${seconds.toFixed(1)} s`);
  if (failed > 0) {
    failures.push({name, names, end: output.trimEnd().split('\n').slice(-60).join('\n')});
    for (const each of names) console.log(`       ${each}`);
  }
}

async function googleTest(program, env, name = program) {
  const xml = join(logs, `${name}.xml`);
  rmSync(xml, {force: true});
  const {code, output} = await run(name, join(build, 'bin', program), [`--gtest_output=xml:${xml}`], {env});
  let passed = 0;
  const failed = [];
  if (existsSync(xml)) {
    const text = readFileSync(xml, 'utf8');
    for (const match of text.matchAll(/<testcase name="([^"]+)"[^>]*?classname="([^"]+)"[^>]*?(\/>|>([\s\S]*?)<\/testcase>)/g)) {
      if (match[4]?.includes('<failure')) failed.push(`${match[2]}.${match[1]}`);
      else if (!match[0].includes('status="notrun"') && !match[0].includes('result="skipped"')) passed++;
    }
  }
  if (code !== 0 && failed.length === 0) failed.push(`the program ended with ${code}`);
  if (passed === 0 && failed.length === 0) failed.push('no test ran');
  return {passed, failed, output};
}

const nameOf = (file) => file.replace(/^(tests|deploy)\//, '').replace(/\.test\.mjs$/, '').replace(/\//g, '-');

async function nodeTest(file, env, name, limitSeconds = 1200) {
  const {code, output} = await run(name, process.execPath, ['--test', '--test-reporter=tap', file], {env, limitSeconds});
  // The reporter nests: a file's tests are the lines indented least; every leaf counts.
  const lines = output.split('\n');
  let passed = 0;
  let skipped = 0;
  const failed = [];
  for (const line of lines) {
    const match = /^(\s*)(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line);
    if (!match || match[3].endsWith('.test.mjs')) continue;
    if (match[4]) skipped++;
    else if (match[2] === 'ok') passed++; else failed.push(match[3]);
  }
  if (code !== 0 && failed.length === 0) failed.push(`the program ended with ${code}`);
  if (passed === 0 && skipped === 0 && failed.length === 0) failed.push('no test ran');
  return {passed, failed, output};
}

const nodeProgram = (file, env) => program(nameOf(file), (name, ports) => nodeTest(file, {...env, ...ports}, name));

/** A command that is well when it exits with 0. */
const check = (name, command, args) => program(name, async (logName) => {
  const {code, output} = await run(logName, command, args);
  return {passed: code === 0 ? 1 : 0, failed: code === 0 ? [] : [`ended with ${code}`], output};
});

/** Set by the presets asan and tsan alone; other builds do not read them. */
const sanitizerOptions = {
  ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: `halt_on_error=1:ignore_noninstrumented_modules=1:suppressions=${join(root, 'tests', 'sanitizers', 'tsan.supp')}`,
};

const nodeTestsBelow = (folder) => existsSync(join(root, folder))
    ? readdirSync(join(root, folder)).filter((file) => file.endsWith('.test.mjs')).sort().map((file) => `${folder}/${file}`) : [];

const nodePrograms = (folder, env) => nodeTestsBelow(folder).map((file) => nodeProgram(file, env));

const suite = {
  contracts() {
    const buf = join(packageFolder('@bufbuild/buf-linux-x64'), 'bin', 'buf');
    return [
      ...nodePrograms('tests/tidy', {PAYMESH_PRESET: preset}),
      check('protos-lint', buf, ['lint', 'protos']),
      check('protos-format', buf, ['format', '-d', '--exit-code', 'protos']),
      check('protos-not-breaking', buf, ['breaking', 'protos', '--against', 'protos/baseline.binpb']),
      check('contracts-artifacts', process.execPath, ['deploy/contracts/compile.mjs', '--check']),
      ...nodePrograms('deploy/contracts/test'),
    ];
  },

  unit() {
    const env = {PAYMESH_TEST_PG: postgres.adminConninfo(), PAYMESH_ANVIL: anvilPath, ...sanitizerOptions};
    const only = process.env.PAYMESH_ONLY?.split(',');
    return readdirSync(join(build, 'bin')).filter((name) => name.endsWith('_test') && (!only || only.includes(name)))
        .map((name) => program(name, (logName, ports) => googleTest(name, {...env, ...ports}, logName)));
  },

  ops: () => ['helm', 'terraform', 'observability'].flatMap((folder) => nodePrograms(`tests/${folder}`, {PAYMESH_PRESET: preset})),
  images: () => nodePrograms('tests/images'),
  e2e: () => nodePrograms('tests/e2e', {PAYMESH_PRESET: preset}),
};

/** The cluster of the unit programs, each of which makes databases of its own in it. */
let postgres;
async function withPostgres(work) {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-test-'));
  postgres = new Postgres({folder, port: await freePort(), services: [], settings: {max_connections: 400}});
  try {
    await postgres.start();
    await work();
  } finally {
    await postgres.destroy();
    rmSync(folder, {recursive: true, force: true});
  }
}

const start = Date.now();
console.log(`\n== ${suites.join(', ')}: ${jobs} programs at a time`);
const everything = () => runAll(suites.flatMap((name) => suite[name]()));
await (suites.includes('unit') ? withPostgres(everything) : everything());
for (const {name, names, end} of failures) {
  console.log(`\n==== ${name}: ${names.join('; ')}\n${end}`);
}
if (again.length > 0) console.log(`\nrun a second time: ${again.join(', ')} (first outputs: build/test-logs/<name>.log)`);
console.log(`\nall in ${((Date.now() - start) / 1000).toFixed(0)} s; whole outputs: build/test-logs`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
