// Processes that outlive the command that started them: each has a pid file and a log file below the
// mesh's folder. A pid file names the start time too, so a number that the system has given to
// somebody else since is never signalled.
import {spawn} from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {createConnection} from 'node:net';
import {join} from 'node:path';

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Calls `probe` until it returns something true; throws `what` after the time is up. */
export async function waitFor(what, probe, {timeoutMs = 30_000, everyMs = 50} = {}) {
  const deadline = Date.now() + timeoutMs;
  let last;
  while (Date.now() < deadline) {
    try {
      const result = await probe();
      if (result) return result;
    } catch (error) {
      if (error.fatal) throw error;
      last = error;
    }
    await sleep(everyMs);
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s${last ? ` (${last.message})` : ''}`);
}

/** When the system started the process, in its clock ticks; null when there is none (or a zombie). */
function startTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return fields[0] === 'Z' ? null : fields[19];
  } catch {
    return null;
  }
}

/** Whether something listens on a port of the loopback interface. */
export function portTaken(port) {
  return new Promise((resolve) => {
    const socket = createConnection({host: '127.0.0.1', port});
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export class Processes {
  constructor(folder) {
    this.pidFolder = join(folder, 'run');
    this.logFolder = join(folder, 'logs');
    mkdirSync(this.pidFolder, {recursive: true});
    mkdirSync(this.logFolder, {recursive: true});
    this.exits = new Map(); // of processes that this one has started: name -> {code, signal}
  }

  pidFile(name) {
    return join(this.pidFolder, `${name}.pid`);
  }
  logFile(name) {
    return join(this.logFolder, `${name}.log`);
  }

  /** The pid of a running process of this name, or null. */
  pid(name) {
    if (!existsSync(this.pidFile(name))) return null;
    const [pid, started] = readFileSync(this.pidFile(name), 'utf8').trim().split(' ');
    return started && startTime(pid) === started ? Number(pid) : null;
  }

  /** Starts a program detached from this one, its output appended to its log. */
  start(name, command, args, {env = {}, cwd} = {}) {
    const running = this.pid(name);
    if (running) return running;
    if (existsSync(this.logFile(name)) && statSync(this.logFile(name)).size > 50_000_000) {
      renameSync(this.logFile(name), `${this.logFile(name)}.1`);
    }
    const log = openSync(this.logFile(name), 'a');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd,
      env: {...process.env, ...env},
    });
    closeSync(log);
    this.exits.delete(name);
    child.on('exit', (code, signal) => this.exits.set(name, {code, signal}));
    child.on('error', () => {}); // a program that cannot be started shows as one that has ended
    if (child.pid === undefined) throw new Error(`cannot start ${command}`);
    child.unref();
    writeFileSync(this.pidFile(name), `${child.pid} ${startTime(child.pid)}\n`);
    return child.pid;
  }

  /** Throws with the end of the log when the process is not running. */
  requireAlive(name) {
    if (this.pid(name)) return;
    const error = new Error(`${name} ended; the end of ${this.logFile(name)}:\n${this.tail(name, 15)}`);
    error.fatal = true;
    throw error;
  }

  tail(name, lines) {
    if (!existsSync(this.logFile(name))) return '';
    return readFileSync(this.logFile(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  signal(name, signal) {
    const pid = this.pid(name);
    if (pid) process.kill(pid, signal);
    return pid;
  }

  /** Ends a process: politely, then not. Returns once it is gone. */
  async stop(name, {graceMs = 40_000, signal = 'SIGTERM'} = {}) {
    const pid = this.pid(name);
    if (pid) {
      process.kill(pid, signal);
      const gone = await waitFor(name, () => !this.pid(name), {timeoutMs: graceMs}).catch(() => false);
      if (!gone && this.pid(name)) {
        process.kill(pid, 'SIGKILL');
        await waitFor(`${name} after SIGKILL`, () => !this.pid(name));
      }
    }
    rmSync(this.pidFile(name), {force: true});
  }
}
