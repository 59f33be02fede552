// One test program: how it is run and how its cases are counted, GoogleTest programs by their XML, node
// tests by TAP. A program that dies or runs too long counts as a failure.
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const logs = join(root, 'build', 'test-logs');
mkdirSync(logs, {recursive: true});

const running = new Set(); // each leads a group of processes, which ends with it

function end(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Ends every program that runs, and what it has started in its group. */
export function endAll(signal = 'SIGTERM') {
  for (const child of running) end(child, signal);
}

/** Runs a program with its output in a log; resolves with its exit code (or why it ended). */
function run(name, command, args, {env = {}, limitSeconds = 900} = {}) {
  return new Promise((resolve) => {
    const chunks = [];
    const child = spawn(command, args, {
      cwd: root,
      env: {...process.env, ...env},
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid) running.add(child);
    const timer = setTimeout(() => end(child, 'SIGKILL'), limitSeconds * 1000);
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => chunks.push(Buffer.from(String(error))));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const output = Buffer.concat(chunks).toString();
      writeFileSync(join(logs, `${name}.log`), output);
      resolve({code: code ?? signal ?? 'not started', output});
    });
  });
}

/** Whether this is a case by name, not an explanation of how a whole program failed. */
const isCase = (name) => /^[\w/]+\.[\w/]+$/.test(name);

/**
 * A GoogleTest program, or one of `parts` of its cases. The second attempt is of the cases that failed alone:
 * `before` is the first attempt's outcome.
 */
export async function googleTest(file, {env, name, part, before}) {
  const xml = join(logs, `${name}.xml`);
  rmSync(xml, {force: true});
  const repeat = before && before.failed.every(isCase) ? before : null;
  const filter = repeat ? [`--gtest_filter=${repeat.failed.join(':')}`] : [];
  const share = part && !repeat ? {GTEST_TOTAL_SHARDS: String(part.of), GTEST_SHARD_INDEX: String(part.index)} : {};
  const {code, output} = await run(name, file, [`--gtest_output=xml:${xml}`, ...filter], {env: {...env, ...share}});
  let passed = 0;
  const failed = [];
  if (existsSync(xml)) {
    const text = readFileSync(xml, 'utf8');
    for (const match of text.matchAll(
      /<testcase name="([^"]+)"[^>]*?classname="([^"]+)"[^>]*?(\/>|>([\s\S]*?)<\/testcase>)/g,
    )) {
      if (match[4]?.includes('<failure')) failed.push(`${match[2]}.${match[1]}`);
      else if (!match[0].includes('status="notrun"') && !match[0].includes('result="skipped"')) passed++;
    }
  }
  if (code !== 0 && failed.length === 0) failed.push(`the program ended with ${code}`);
  if (passed === 0 && failed.length === 0) failed.push('no test ran');
  return {passed: passed + (repeat?.passed ?? 0), failed, output};
}

/** A file of node tests; all of it again in a second attempt, as its cases build on one another. */
export async function nodeTest(file, {env, name}) {
  const {code, output} = await run(name, process.execPath, ['--test', '--test-reporter=tap', file], {
    env,
    limitSeconds: 1800,
  });
  // The reporter nests: a file's tests are the lines indented least; every leaf counts.
  const lines = output.split('\n');
  let passed = 0;
  let skipped = 0;
  const failed = [];
  for (const line of lines) {
    const match = /^(\s*)(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/.exec(line);
    if (!match || match[3].endsWith('.test.mjs')) continue;
    if (match[4]) skipped++;
    else if (match[2] === 'ok') passed++;
    else failed.push(match[3]);
  }
  if (code !== 0 && failed.length === 0) failed.push(`the program ended with ${code}`);
  if (passed === 0 && skipped === 0 && failed.length === 0) failed.push('no test ran');
  return {passed, failed, output};
}

/** A command that is well when it exits with 0. */
export async function commandTest(command, args, {name}) {
  const {code, output} = await run(name, command, args);
  return {passed: code === 0 ? 1 : 0, failed: code === 0 ? [] : [`ended with ${code}`], output};
}
