// The form of what is written, so that no review has to speak of it: C++ is as clang-format leaves it, Node code
// as prettier leaves it, no line is too long to be read beside another file, and no file too long to be read at once.
// tests/tidy/format puts right what a program can.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const sources = files.filter((file) => /\.(cc|h)$/.test(file));
const linesOf = (file) => readFileSync(join(root, file), 'utf8').replace(/\n$/, '').split('\n');
const none = (problems) => assert.deepEqual(problems, []);

const kColumns = 100;
const kColumnsOfText = 140;
const kLines = 300;
/** A test's file is a list of cases that share one scene: its length is no difficulty. */
const kLinesOfTests = 750;

/** Files of code over the limit, by folder and name, and why they are one. */
const longer = {
  'evm/abi.cc': 'one codec: what encodes a type stands beside what decodes it',
  'rpc/server_call.cc': 'one call from its accept to its end; its steps share their state',
  'http/client.cc': 'one connection from its open to its reuse; its steps share their state',
  'config/config.cc': 'one reader of YAML: each type it reads is a few lines',
  'checkout/convert.cc': 'a list of conversions between messages and the domain, one after the other',
  'checkout/machine.cc': 'a table of transitions and the effects of each',
  'checkout/payment_store.cc': 'one table: a field is named in its INSERT, SELECT and UPDATE side by side',
  'payctl/payments.cc': 'a list of commands on one noun',
  'payctl/payouts.cc': 'a list of commands on one noun',
  'settlement/payout_service.cc': 'one service of the contract: a list of its calls',
  'settlement/chain_transaction_store.cc':
    'one table and its attempts: a field is named in all statements side by side',
  'settlement/ledger_store.cc': 'one journal and its legs, posted and read back',
  'settlement/sender_store.cc': 'what a sender reads and writes in one transaction',
  'settlement/balance_prover.cc': 'one proof: reading the chain, reading the books, comparing',
  'watcher/node_client.cc': 'one client: a list of the calls of a node',
};

/** Folders whose READMEs still have longer lines. */
const wide = /^(common|services|deploy\/runbooks)\//;

/** "services/checkout/store/payment_store.cc" -> "checkout/payment_store.cc": files move between a part's folders. */
const keyOf = (file) => `${file.split('/')[1]}/${file.split('/').pop()}`;
const isTest = (file) => /_test\.cc$|_testing\.(cc|h)$|\/testing\/|\/(fake|test)_[^/]*$/.test(file);
const isLong = (file, limit) => linesOf(file).length > limit;

const overlong = (file, limit) =>
  linesOf(file)
    .map((line, index) => ([...line].length > limit ? `${file}:${index + 1}` : null))
    .filter(Boolean);

function clangFormat() {
  for (const name of ['clang-format-14', 'clang-format']) {
    try {
      if (/version 14\./.test(execFileSync(name, ['--version'], {encoding: 'utf8'}))) return name;
    } catch {
      // There may be the other one.
    }
  }
  throw new Error('clang-format 14 is missing: tests/tools/install installs it');
}

test('C++ is as clang-format leaves it', () => {
  const formatter = clangFormat();
  const problems = new Set();
  for (let first = 0; first < sources.length; first += 100) {
    try {
      execFileSync(formatter, ['--dry-run', '-Werror', ...sources.slice(first, first + 100)], {
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    } catch (error) {
      for (const [, file] of String(error.stderr).matchAll(/^(\S+?):\d+:\d+: error: code should be/gm))
        problems.add(file);
      if (problems.size === 0) throw error;
    }
  }
  none([...problems]);
});

test('Node code is as prettier leaves it', () => {
  const prettier = join(root, 'tests', 'tools', 'node_modules', 'prettier', 'bin', 'prettier.cjs');
  assert.ok(existsSync(prettier), 'prettier is missing: tests/tools/install installs it');
  try {
    execFileSync(process.execPath, [prettier, '--list-different', ...files.filter((file) => file.endsWith('.mjs'))], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    assert.fail(`${error.stdout}${error.stderr}not as prettier leaves it: tests/tidy/format puts it right`);
  }
});

test(`no line of C++ is longer than ${kColumns} columns`, () => {
  none(sources.flatMap((file) => overlong(file, kColumns)));
});

test(`a file of code over ${kLines} lines says why it is one`, () => {
  none(sources.filter((file) => !isTest(file) && isLong(file, kLines) && !(keyOf(file) in longer)));
  none(sources.filter((file) => isTest(file) && isLong(file, kLinesOfTests)));
});

test('no reason is given for a file that is not long', () => {
  const long = new Set(sources.filter((file) => !isTest(file) && isLong(file, kLines)).map(keyOf));
  none(Object.keys(longer).filter((key) => !long.has(key)));
});

/** A page's lines that could be shorter: a table's row and what stands between fences cannot. */
function wideLines(file) {
  let fenced = false;
  return linesOf(file)
    .map((line, index) => {
      if (line.trimStart().startsWith('```')) fenced = !fenced;
      const free = fenced || line.startsWith('|') || [...line].length <= kColumnsOfText;
      return free ? null : `${file}:${index + 1}`;
    })
    .filter(Boolean);
}

test(`no line of a README is longer than ${kColumnsOfText} columns but in a table or an example`, () => {
  const pages = files.filter((file) => /(^|\/)README\.md$/.test(file));
  none(pages.filter((file) => !wide.test(file)).flatMap(wideLines));
});
