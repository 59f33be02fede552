// A private PostgreSQL: its own cluster, port and passwords, run by an ordinary user, because the
// server refuses to run as root. Durable as in production: fsync and synchronous_commit stay on.
import {execFileSync, spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {randomBytes} from 'node:crypto';
import {dirname, join} from 'node:path';
import {waitFor} from './processes.mjs';

const kRunUser = 'postgres'; // whom root hands the server to; Debian's package creates it

function programFolder() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).filter((v) => /^\d+$/.test(v)) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    if (existsSync(join(root, version, 'bin', 'initdb'))) return join(root, version, 'bin');
  }
  throw new Error('PostgreSQL is not installed: run deploy/local/install');
}

const isRoot = () => process.getuid() === 0;

/** Whether the ordinary user can reach a folder: every folder above must let it pass. */
function passable(path) {
  const done = spawnSync('runuser', ['-u', kRunUser, '--', 'test', '-x', path]);
  return done.status === 0;
}

export class Postgres {
  /** `folder` of the mesh, the loopback port, and the services that get a database each. */
  constructor({folder, port, services, settings = {}}) {
    Object.assign(this, {folder, port, services, settings});
    this.programs = programFolder();
    this.secretFolder = join(folder, 'secrets');
  }

  /** Where the cluster lies: below the mesh's folder, or, when root's home hides that from the
   * ordinary user, in a folder of its own that the mesh's folder remembers. */
  dataFolder() {
    const pointer = join(this.folder, 'postgres.path');
    if (existsSync(pointer)) return readFileSync(pointer, 'utf8').trim();
    let path = join(this.folder, 'postgres');
    mkdirSync(path, {recursive: true});
    if (isRoot()) {
      if (!passable(path)) {
        rmSync(path, {recursive: true});
        path = mkdtempSync('/var/tmp/paymesh-postgres-');
      }
      const ids = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, kRunUser])));
      chownSync(path, ...ids);
    }
    chmodSync(path, 0o700);
    writeFileSync(pointer, `${path}\n`);
    return path;
  }

  run(program, args, options = {}) {
    const command = join(this.programs, program);
    const [file, all] = isRoot() ? ['runuser', ['-u', kRunUser, '--', command, ...args]] : [command, args];
    return execFileSync(file, all, {stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', encoding: 'utf8', ...options});
  }

  secret(name) {
    const path = join(this.secretFolder, name);
    mkdirSync(this.secretFolder, {recursive: true, mode: 0o700});
    if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('base64url'), {mode: 0o600});
    return readFileSync(path, 'utf8');
  }

  /** libpq connection string of one service's own role and database. */
  conninfo(service) {
    return (
      `host=127.0.0.1 port=${this.port} dbname=paymesh_${service} user=paymesh_${service} ` +
      `password=${this.secret(`postgres-${service}`)}`
    );
  }

  adminConninfo(database = 'postgres') {
    return (
      `host=127.0.0.1 port=${this.port} dbname=${database} user=paymesh_admin ` +
      `password=${this.secret('postgres-admin')}`
    );
  }

  /** Runs SQL and returns its rows as arrays of text. */
  query(sql, {database = 'postgres'} = {}) {
    const out = execFileSync(
      join(this.programs, 'psql'),
      [
        '-X',
        '-q',
        '-A',
        '-t',
        '-F',
        '\x1f',
        '-R',
        '\x1e',
        '-v',
        'ON_ERROR_STOP=1',
        '-d',
        this.adminConninfo(database),
        '-c',
        sql,
      ],
      {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 << 20},
    );
    return out
      .replace(/\n$/, '')
      .split('\x1e')
      .filter((row) => row !== '')
      .map((row) => row.split('\x1f'));
  }

  running() {
    const data = join(this.dataFolder(), 'data');
    if (!existsSync(join(data, 'PG_VERSION'))) return false;
    try {
      this.run('pg_ctl', ['status', '-D', data]);
      return true;
    } catch {
      return false;
    }
  }

  async start() {
    const base = this.dataFolder();
    const data = join(base, 'data');
    if (!existsSync(join(data, 'PG_VERSION'))) this.initialise(data);
    if (!this.running()) {
      const settings = {
        port: this.port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        max_connections: 200,
        ...this.settings,
      };
      const options = Object.entries(settings)
        .map(([key, value]) => `-c ${key}='${value}'`)
        .join(' ');
      try {
        this.run('pg_ctl', ['start', '-D', data, '-l', join(base, 'log'), '-w', '-t', '60', '-o', options], {
          stdio: 'ignore',
        });
      } catch (error) {
        const log = isRoot()
          ? spawnSync('tail', ['-n', '5', join(base, 'log')], {encoding: 'utf8'}).stdout
          : readFileSync(join(base, 'log'), 'utf8').split('\n').slice(-6).join('\n');
        throw new Error(`PostgreSQL does not start; the end of ${join(base, 'log')}:\n${log}`);
      }
    }
    await waitFor('PostgreSQL to answer', () => this.query('SELECT 1').length === 1);
    this.createDatabases();
  }

  initialise(data) {
    const password = join(dirname(data), 'password');
    writeFileSync(password, this.secret('postgres-admin'), {mode: 0o644});
    try {
      this.run('initdb', [
        '-D',
        data,
        '-U',
        'paymesh_admin',
        '-A',
        'scram-sha-256',
        `--pwfile=${password}`,
        '-E',
        'UTF8',
        '--locale=C.UTF-8',
        '--no-sync',
      ]);
    } finally {
      rmSync(password);
    }
  }

  /** One database a service, each with its own role that owns nothing else. */
  createDatabases() {
    const there = new Set(this.query('SELECT datname FROM pg_database').map((row) => row[0]));
    for (const service of this.services) {
      const name = `paymesh_${service}`;
      if (there.has(name)) continue;
      this.query(`CREATE ROLE ${name} LOGIN PASSWORD '${this.secret(`postgres-${service}`)}'`);
      this.query(`CREATE DATABASE ${name} OWNER ${name}`);
      this.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    }
  }

  /** `mode` as pg_ctl takes it: fast, or immediate as in a crash. */
  async stop(mode = 'fast') {
    if (!this.running()) return;
    this.run('pg_ctl', ['stop', '-D', join(this.dataFolder(), 'data'), '-m', mode, '-w', '-t', '60']);
  }

  /** Removes the cluster. */
  async destroy() {
    const base = this.dataFolder();
    await this.stop('immediate');
    rmSync(base, {recursive: true, force: true});
    rmSync(join(this.folder, 'postgres.path'), {force: true});
  }
}
