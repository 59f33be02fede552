// The glossary names every code that a newcomer meets: accounts, posting rules, invariants, states, id prefixes. Sources are
// found by what stands in them, so that files may move.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', 'common', 'services', 'protos', 'tests/invariants'],
  {cwd: root, encoding: 'utf8'},
)
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const read = (file) => readFileSync(join(root, file), 'utf8');
const glossary = read('services/GLOSSARY.md');
const code = files
  .filter((file) => /^services\/.*\.(cc|h)$/.test(file) && !/_test\.cc$|\/testing\/|fixture/.test(file))
  .map(read);
const all = (texts, pattern) =>
  [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1])))].sort();
const rowsOf = (title) =>
  [...new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(glossary)[1].matchAll(/^\| (.+?) \|/gm)]
    .flatMap(([, first]) => first.split(', '))
    .map((each) => each.replaceAll('`', ''));

test('every account of the ledger, with its name', () => {
  const header = code.find((text) => text.includes('enum class AccountCode'));
  const codes = all([/enum class AccountCode[\s\S]*?\};/.exec(header)[0]], /= (\d{4}),/g);
  assert.ok(codes.length > 10);
  assert.deepEqual(
    rowsOf('Accounts')
      .filter((row) => /^\d{4}$/.test(row))
      .sort(),
    codes,
  );
});

test('every rule that posts', () => {
  const rules = all(code, /"(P\d{1,2}[a-e]?)"/g);
  assert.ok(rules.length > 15, rules.join());
  assert.deepEqual(
    rowsOf('Posting rules')
      .filter((row) => /^P\d+[a-e]?$/.test(row))
      .sort(),
    rules,
  );
});

test('every invariant that is counted', () => {
  const stores = files.filter((file) => /^services\/.*invariants?\.cc$/.test(file)).map(read);
  const counted = all(stores, /\{"(I\d+|\d{4}|[a-z_]{5,})",/g);
  const crossing = all(files.filter((file) => /^tests\/invariants\/.*\.mjs$/.test(file)).map(read), /\bid: '(I\d+)'/g);
  assert.ok(counted.length > 25 && crossing.length === 30, `${counted} ${crossing}`);
  const told = rowsOf('Invariants');
  assert.deepEqual(
    [...new Set([...counted, ...crossing])].filter((id) => !told.includes(id)),
    [],
  );
});

test('every state of a payment, transfer, payout, transaction and chain', () => {
  const contracts = files.filter((file) => file.endsWith('.proto')).map(read);
  const states = all(
    contracts,
    /^\s+(?:PAYMENT|PAYOUT|TRANSFER|TRANSACTION|CHAIN|DESTINATION)_STATE_([A-Z_]+) = [1-9]/gm,
  );
  assert.ok(states.length > 15, states.join());
  assert.deepEqual(
    states.filter((state) => !new RegExp(`\\b${state}\\b`).test(glossary)),
    [],
  );
});

test('every prefix that ids are made with', () => {
  const prefixes = all(code, /Next\("([a-z]+)"\)/g);
  assert.ok(prefixes.length > 7, prefixes.join());
  const told = rowsOf('Ids');
  assert.deepEqual(
    prefixes.filter((prefix) => !told.includes(`${prefix}_`)),
    [],
  );
});
