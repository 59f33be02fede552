// Runs the test programs side by side. Most of them wait for clocks, blocks and disks rather than for a
// processor, so several run at once (PAYMESH_JOBS; twice the cores by default), the longest first.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {anvilPath, packageFolder} from '../deploy/local/node/modules.mjs';
import {Postgres} from '../deploy/local/mesh/postgres.mjs';
import {freePorts, rangeOf} from './e2e/ports.mjs';
import {commandTest, endAll, googleTest, logs, nodeTest, root} from './runner_programs.mjs';

const [preset, ...suites] = process.argv.slice(2);
const bin = (of) => join(root, 'build', of, 'bin');
const total = {passed: 0, failed: 0};
const failures = [];
const again = []; // programs that were run a second time
const jobs = Math.max(1, Number(process.env.PAYMESH_JOBS) || 2 * availableParallelism());

/** How long each program took when it last ran here; before that, these are known to be the longest. */
const timesFile = join(logs, 'seconds.json');
const longest = [
  'e2e-restart',
  'e2e-planted',
  'e2e-faults',
  'e2e-commands',
  'e2e-reorg',
  'observability-runbooks',
  'observability-faults',
  'e2e-replicas',
  'observability-live',
  'e2e-push',
  'e2e-pause',
  'watcher_test-1',
  'watcher_test-2',
  'watcher_test-3',
];
const usual = Object.fromEntries(longest.map((name, index) => [name, 200 - index]));
const seconds = {...usual, ...(existsSync(timesFile) ? JSON.parse(readFileSync(timesFile, 'utf8')) : {})};

/** GoogleTest programs whose cases are shared out, as one alone would still run when all others have ended. */
const partsOf = {watcher_test: 3, settlement_sender_anvil_test: 3, pg_test: 2, journal_test: 2, outbox_test: 2};

/**
 * Runs all programs, `jobs` at a time. What failed is run once more, alone, when everything else has ended: on
 * a shared machine of two cores a real cluster or chain can be too slow once. Both runs are kept; what fails
 * twice has failed. An invariant that does not hold has failed at once: slowness breaks none.
 */
async function runAll(programs) {
  const waiting = [...programs].sort((a, b) => (seconds[b.name] ?? 0) - (seconds[a.name] ?? 0));
  const tooSlow = [];
  const work = async (slot) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const result = await timed(next, {name: next.name, slot});
      seconds[next.name] = Math.round(result.took);
      if (result.failed.length === 0 || result.output.includes('invariants do not hold')) conclude(next.name, result);
      else tooSlow.push({...next, before: result});
    }
  };
  await Promise.all(Array.from({length: jobs}, (_, slot) => work(slot)));
  for (const each of tooSlow) {
    console.log(`again ${each.name}: ${each.before.failed.join('; ')}`);
    again.push(each.name);
    conclude(each.name, await timed(each, {name: `${each.name}-again`, slot: 0, before: each.before}));
  }
  writeFileSync(timesFile, JSON.stringify(seconds, null, 1));
}

/** Each slot takes its ports from a range of its own: no two programs then try for the same one. */
async function timed({attempt}, {name, slot, before}) {
  const start = Date.now();
  const result = await attempt({name, before, ports: {PAYMESH_TEST_PORTS: rangeOf(slot, jobs)}});
  return {...result, took: (Date.now() - start) / 1000};
}

function conclude(name, {passed, failed, took, output}) {
  total.passed += passed;
  total.failed += failed.length;
  const mark = failed.length === 0 ? 'ok  ' : 'FAIL';
  const counts = `${String(passed).padStart(4)} passed ${String(failed.length).padStart(3)} failed`;
  console.log(`${mark} ${name.padEnd(34)} ${counts}  ${took.toFixed(1)} s`);
  if (failed.length > 0) {
    failures.push({name, failed, end: output.trimEnd().split('\n').slice(-60).join('\n')});
    for (const each of failed) console.log(`       ${each}`);
  }
  for (const [, line] of output.matchAll(/^\s*# measured: (.*)$/gm)) console.log(`       ${line}`);
}

// A program to run: `attempt({name, before, ports})` gives {passed, failed: [names], output}; `name` is the log's.

const nodePrograms = (folder, env) => {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.test.mjs'))
    .sort()
    .map((file) => ({
      name: `${folder}/${file}`
        .replace(/^(tests|deploy)\//, '')
        .replace(/\.test\.mjs$/, '')
        .replace(/\//g, '-'),
      attempt: ({name, ports}) => nodeTest(`${folder}/${file}`, {env: {...env, ...ports}, name}),
    }));
};

const command = (name, file, args) => ({name, attempt: ({name: log}) => commandTest(file, args, {name: log})});

/** A GoogleTest program of a build, in as many parts as it is worth. */
function googlePrograms(folder, name, env, {as = name, parts = partsOf[name] ?? 1} = {}) {
  return Array.from({length: parts}, (_, index) => ({
    name: parts === 1 ? as : `${as}-${index + 1}`,
    attempt: ({name: log, before, ports}) =>
      googleTest(join(folder, name), {
        name: log,
        before,
        env: {...env, ...ports},
        part: parts === 1 ? null : {of: parts, index},
      }),
  }));
}

/** Set by the presets asan and tsan alone; other builds do not read them. */
const sanitizerOptions = {
  ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  TSAN_OPTIONS: `halt_on_error=1:ignore_noninstrumented_modules=1:suppressions=${join(root, 'tests', 'sanitizers', 'tsan.supp')}`,
};

/** Programs that tests/run has built a second time under AddressSanitizer and UndefinedBehaviorSanitizer. */
function sanitizedPrograms() {
  if (!process.env.PAYMESH_SANITIZED) return [];
  const names = readFileSync(join(root, 'build', 'asan', 'sanitized_tests.txt'), 'utf8')
    .trim()
    .split('\n');
  return names.flatMap((name) => googlePrograms(bin('asan'), name, sanitizerOptions, {as: `asan-${name}`}));
}

const suite = {
  contracts() {
    const buf = join(packageFolder('@bufbuild/buf-linux-x64'), 'bin', 'buf');
    return [
      ...nodePrograms('tests/tidy', {PAYMESH_PRESET: preset}),
      command('protos-lint', buf, ['lint', 'protos']),
      command('protos-format', buf, ['format', '-d', '--exit-code', 'protos']),
      command('protos-not-breaking', buf, ['breaking', 'protos', '--against', 'protos/baseline.binpb']),
      command('contracts-artifacts', process.execPath, ['deploy/contracts/compile.mjs', '--check']),
      ...nodePrograms('deploy/contracts/test'),
    ];
  },

  unit() {
    const env = {PAYMESH_TEST_PG: postgres.adminConninfo(), PAYMESH_ANVIL: anvilPath, ...sanitizerOptions};
    const only = process.env.PAYMESH_ONLY?.split(',');
    const names = readdirSync(bin(preset)).filter((name) => name.endsWith('_test') && (!only || only.includes(name)));
    return [...names.flatMap((name) => googlePrograms(bin(preset), name, env)), ...sanitizedPrograms()];
  },

  ops: () =>
    ['helm', 'terraform', 'observability'].flatMap((folder) =>
      nodePrograms(`tests/${folder}`, {PAYMESH_PRESET: preset}),
    ),
  images: () => nodePrograms('tests/images'),
  e2e: () => nodePrograms('tests/e2e', {PAYMESH_PRESET: preset}),
};

/** Where the unit programs' cluster lies: in memory where there is enough of it, as they make hundreds of databases. */
function clusterFolder() {
  const shared = '/dev/shm';
  if (!existsSync(shared)) return tmpdir();
  const {bavail, bsize} = statfsSync(shared);
  return bavail * bsize > 4 * 2 ** 30 ? shared : tmpdir();
}

/** The cluster of the unit programs, each of whose cases makes a database of its own in it. */
let postgres;
async function startPostgres() {
  const folder = mkdtempSync(join(clusterFolder(), 'paymesh-test-'));
  chmodSync(folder, 0o711); // the server's user passes through
  const [port] = await freePorts(1);
  postgres = new Postgres({folder, port, services: [], settings: {max_connections: 400}});
  await postgres.start();
}

async function endPostgres() {
  await postgres?.destroy();
  if (postgres) rmSync(postgres.folder, {recursive: true, force: true});
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    endAll(signal);
    await endPostgres();
    process.exit(130);
  });
}

const start = Date.now();
console.log(`\n== ${suites.join(', ')}: ${jobs} programs at a time`);
try {
  if (suites.includes('unit')) await startPostgres();
  await runAll(suites.flatMap((name) => suite[name]()));
} finally {
  await endPostgres();
}
for (const {name, failed, end} of failures) {
  console.log(`\n==== ${name}: ${failed.join('; ')}\n${end}`);
}
if (again.length > 0)
  console.log(`\nrun a second time: ${again.join(', ')} (first outputs: build/test-logs/<name>.log)`);
console.log(`\nall in ${((Date.now() - start) / 1000).toFixed(0)} s; whole outputs: build/test-logs`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
