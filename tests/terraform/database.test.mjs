// The SQL of terraform/README.md on a real PostgreSQL, by a master that is no superuser: a service's role owns its database, and the
// reader sees every table of it, those of later migrations too, and changes nothing.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Postgres} from '../../deploy/local/mesh/postgres.mjs';
import {freePorts} from '../e2e/ports.mjs';
import {terraform} from './hcl.mjs';

const blocks = [...readFileSync(join(terraform, 'README.md'), 'utf8').matchAll(/```sql\n([\s\S]*?)```/g)].map(
  (match) => match[1],
);
const kPassword = 'for-this-test';
let folder;
let postgres;

/** Runs each statement of a text in a transaction of its own, as somebody, in a database; what they print. */
function as(user, database, text) {
  const conninfo = `host=127.0.0.1 port=${postgres.port} dbname=${database} user=${user} password=${kPassword}`;
  const statements = text
    .replaceAll("'...'", `'${kPassword}'`)
    .split(/;[^\n]*\n|;$/)
    .filter((each) => each.trim());
  return execFileSync(
    join(postgres.programs, 'psql'),
    ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', conninfo, ...statements.flatMap((each) => ['-c', each])],
    {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']},
  ).trim();
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'paymesh-database-'));
  const [port] = await freePorts(1);
  postgres = new Postgres({folder, port, services: []});
  await postgres.start();
  postgres.query(`CREATE ROLE paymesh_master LOGIN CREATEROLE CREATEDB PASSWORD '${kPassword}'`);
});
after(async () => {
  await postgres?.destroy();
  rmSync(folder, {recursive: true, force: true});
});

test("the master makes a service's database and the reader, who sees all of it and changes nothing", () => {
  const [service, reader, grants, ...more] = blocks;
  assert.deepEqual(more, []);
  as('paymesh_master', 'postgres', service);
  as('paymesh_master', 'postgres', reader);
  as('paymesh_checkout', 'paymesh_checkout', 'CREATE TABLE old (x int);\nINSERT INTO old VALUES (1);');
  assert.throws(() => as('paymesh_reader', 'paymesh_checkout', 'SELECT 1'), /permission denied for database/);
  as('paymesh_master', 'paymesh_checkout', grants);
  as('paymesh_checkout', 'paymesh_checkout', 'CREATE TABLE later (x int);\nINSERT INTO later VALUES (2);');
  assert.equal(as('paymesh_reader', 'paymesh_checkout', 'SELECT old.x + later.x FROM old, later'), '3');
  assert.equal(
    as('paymesh_reader', 'paymesh_checkout', 'SELECT count(*) > 0 FROM pg_stat_activity WHERE query IS NOT NULL'),
    't',
  );
  for (const change of ['INSERT INTO old VALUES (3)', 'DELETE FROM later', 'CREATE TABLE mine (x int)']) {
    assert.throws(() => as('paymesh_reader', 'paymesh_checkout', change), /read-only transaction/, change);
  }
  const insisting = 'SET default_transaction_read_only = off;\nDELETE FROM old';
  assert.throws(() => as('paymesh_reader', 'paymesh_checkout', insisting), /permission denied for table old/);
});
