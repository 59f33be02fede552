// Expand, then contract: the previous version runs on the new schema while pods are replaced and after a rollback, so a migration takes
// nothing away that it uses. Migrations of migrations.baseline are there already; every newer one is held to this. What nobody uses any
// more may go, one version later: `-- unused since 0.2.0: why` in the migration, once the chart's appVersion is above that.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => /\/migrations\/[^/]+\.sql$/.test(file) && existsSync(join(root, file)));
const baseline = readFileSync(join(here, 'migrations.baseline'), 'utf8').trim().split('\n');
const version = /^appVersion: "?([0-9.]+)"?$/m.exec(
  readFileSync(join(root, 'helm', 'paymesh', 'Chart.yaml'), 'utf8'),
)[1];

const older = (left, right) => left.localeCompare(right, 'en', {numeric: true}) < 0;

/** Statements in capitals, without comments and quoted text; what stands between $$ is a function's own business. */
const statementsOf = (sql) =>
  sql
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''")
    .replace(/--.*$/gm, '')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/'(?:[^']|'')*'/g, "''")
    .split(';')
    .map((each) => each.replace(/\s+/g, ' ').trim().toUpperCase())
    .filter(Boolean);

/** The actions of an ALTER TABLE: split at commas outside of parentheses. */
function actionsOf(statement) {
  let depth = 0;
  return [...statement].reduce(
    (parts, character) => {
      depth += character === '(' ? 1 : character === ')' ? -1 : 0;
      if (character === ',' && depth === 0) return [...parts, ''];
      return [...parts.slice(0, -1), parts.at(-1) + character];
    },
    [''],
  );
}

/** What in a migration the previous version would not survive. */
function harmful(sql) {
  const waived = [...sql.matchAll(/^-- unused since ([0-9]+(?:\.[0-9]+)+): \S.*$/gm)].some(([, since]) =>
    older(since, version),
  );
  if (waived) return [];
  return statementsOf(sql).flatMap((statement) => {
    const found = [];
    if (/\bDROP (?!CONSTRAINT\b|NOT NULL\b|INDEX\b|TRIGGER\b)/.test(statement)) found.push('DROP');
    if (/\bRENAME\b/.test(statement)) found.push('RENAME');
    if (/\bTRUNCATE (?!ON\b|OR\b)/.test(statement) && !statement.startsWith('CREATE TRIGGER')) found.push('TRUNCATE');
    if (/\bSET NOT NULL\b/.test(statement)) found.push('SET NOT NULL');
    if (/\bALTER (COLUMN )?"?\w+"? (SET DATA )?TYPE\b/.test(statement)) found.push('ALTER TYPE');
    for (const action of statement.startsWith('ALTER TABLE') ? actionsOf(statement) : []) {
      const column = /\bADD (COLUMN )?(?!CONSTRAINT\b|CHECK\b|UNIQUE\b|PRIMARY\b|FOREIGN\b|EXCLUDE\b)/.test(action);
      if (column && /\bNOT NULL\b/.test(action) && !/\b(DEFAULT|GENERATED)\b/.test(action))
        found.push('a new column that must be given');
    }
    return found.map((what) => `${what}: ${statement.slice(0, 100)}`);
  });
}

test('a migration takes nothing away that the previous version uses', () => {
  const problems = files
    .filter((file) => !baseline.includes(file))
    .flatMap((file) => harmful(readFileSync(join(root, file), 'utf8')).map((problem) => `${file}: ${problem}`));
  assert.deepEqual(problems, [], 'add the new beside the old, and drop the old one version later');
});

test('no migration of the baseline has gone or has another name', () => {
  assert.deepEqual(
    baseline.filter((file) => !files.includes(file)),
    [],
  );
  assert.deepEqual(baseline, [...new Set(baseline)].sort());
});

test('the check sees what takes away, and lets pass what adds', () => {
  const refused = [
    'DROP TABLE payment;',
    'alter table payment drop column price;',
    'ALTER TABLE payment DROP price;',
    'ALTER TABLE payment ADD a int, DROP IF EXISTS b;',
    'ALTER TABLE payment RENAME COLUMN a TO b;',
    'ALTER TABLE payment RENAME TO paid;',
    "ALTER TYPE state RENAME VALUE 'a' TO 'b';",
    'ALTER TABLE payment ALTER COLUMN a SET NOT NULL;',
    'ALTER TABLE payment\n  ALTER a TYPE bigint;',
    'ALTER TABLE payment ALTER a SET DATA TYPE bigint;',
    'ALTER TABLE payment ALTER a DROP DEFAULT;',
    'ALTER TABLE payment ADD COLUMN a text NOT NULL;',
    'ALTER TABLE payment ADD a numeric(78, 0) NOT NULL, ADD b int DEFAULT 0;',
    'DROP VIEW v;',
    'TRUNCATE payment;',
    `-- unused since ${version}: too early\nDROP TABLE payment;`,
    '-- unused since 0.0.1:\nDROP TABLE payment;',
  ];
  for (const sql of refused) assert.equal(harmful(sql).length, 1, sql);
  const let_pass = [
    'CREATE TABLE a (b text NOT NULL, c int DEFAULT 0);',
    'ALTER TABLE payment ADD COLUMN a text;',
    'ALTER TABLE payment ADD a int NOT NULL DEFAULT 0;',
    'ALTER TABLE payment ADD a bigint GENERATED ALWAYS AS (b * 2) STORED NOT NULL;',
    'ALTER TABLE payment DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a IS NOT NULL);',
    'ALTER TABLE payment ALTER a DROP NOT NULL;',
    'DROP INDEX i;',
    "ALTER TYPE state ADD VALUE 'c';",
    '-- DROP TABLE payment;\nSELECT 1;',
    "INSERT INTO note VALUES ('DROP TABLE payment; RENAME');",
    'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE IF EXISTS scratch $$;',
    'CREATE TRIGGER t BEFORE UPDATE OR DELETE OR TRUNCATE ON a FOR EACH STATEMENT EXECUTE FUNCTION f();',
    '-- unused since 0.0.1: the column was for webhooks\nALTER TABLE payment DROP COLUMN hook;',
  ];
  for (const sql of let_pass) assert.deepEqual(harmful(sql), [], sql);
});
