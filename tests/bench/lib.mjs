// What the benchmarks share: a mesh of their own, programs whose CPU time is counted, repetitions
// with median and spread, tables, and a record of the machine they ran on.
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {cpus, loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {Mesh, root} from '../../deploy/local/mesh/mesh.mjs';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {freePorts} from '../e2e/ports.mjs';

export const preset = process.env.PAYMESH_PRESET ?? 'release';
export const repetitions = Number(process.env.PAYMESH_BENCH_REPETITIONS ?? 5);
export const milliseconds = Number(process.env.PAYMESH_BENCH_MILLISECONDS ?? 2000);
export const program = (name) => join(root, 'build', preset, 'bin', name);

/** A mesh in a temporary folder on free ports, not started. */
export async function newMesh(options = {}) {
  if (!existsSync(program('watcher')))
    throw new Error(`${program('watcher')} is missing: PAYMESH_PRESET=${preset} deploy/local/build`);
  const ports = await freePorts(15);
  const each = () => Object.fromEntries(services.map((service) => [service, ports.pop()]));
  return new Mesh({
    folder: mkdtempSync(join(tmpdir(), 'paymesh-bench-')),
    preset,
    ports: {grpc: each(), health: each(), metrics: each(), postgres: ports.pop(), chains: [ports.pop(), ports.pop()]},
    slotsInAnEpoch: 1,
    persistChains: false,
    ...options,
    say: async (name, what, work) => {
      progress(`${name}: ${what}`);
      return work();
    },
  });
}

/** Runs the benchmark with a mesh that is destroyed whatever happens; kept with PAYMESH_KEEP. */
export async function withMesh(options, work) {
  const mesh = await newMesh(options);
  try {
    return await work(mesh);
  } catch (error) {
    for (const service of services) {
      const tail = mesh.processes.tail(service, 5);
      if (tail) console.error(`the end of ${service}'s log:\n${tail}`);
    }
    throw error;
  } finally {
    progress('');
    if (process.env.PAYMESH_KEEP) console.error(`kept: ${mesh.folder}`);
    else await mesh.destroy();
  }
}

/** The flags by which a program dials a service as somebody, from the mesh's description. */
export function dial(description, who, service) {
  const {certificate, key} = description.clients[who];
  return [
    '--target',
    description.services[service].grpc,
    '--spiffe-id',
    `spiffe://paymesh.local/service/${service}`,
    '--certificate',
    certificate,
    '--key',
    key,
    '--ca',
    description.ca,
  ];
}

/** Runs a program to its end and returns the JSON object that it prints. */
export async function measure(name, args) {
  const child = spawn(program(name), args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {...process.env, GRPC_VERBOSITY: 'NONE'},
  });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('close', resolve);
    child.on('error', reject);
  });
  if (code !== 0) throw new Error(`${name} ${args[0]} failed (${code}): ${errors}${out}`);
  return out.trim() ? JSON.parse(out) : null;
}

/** Starts a program that talks by lines: {lines, say, stop, pid}. */
export function converse(name, args) {
  const child = spawn(program(name), args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {...process.env, GRPC_VERBOSITY: 'NONE'},
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  return {
    pid: child.pid,
    lines: createInterface({input: child.stdout}),
    say: (line) => child.stdin.write(`${line}\n`),
    stop: async () => {
      child.stdin.end();
      return closed;
    },
  };
}

// CPU time, in seconds, from /proc: fields 14 and 15 of stat are ticks in user and system mode, 16 and
// 17 those of children that have ended.
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], {encoding: 'utf8'}));

function ticksOf(pid, withEnded = false) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    return fields[11] + fields[12] + (withEnded ? fields[13] + fields[14] : 0);
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** CPU seconds so far of the mesh's processes: {checkout, …, postgres, chains}. */
export function cpuOf(mesh, more = {}) {
  const used = {};
  for (const service of services) {
    const pid = mesh.processes.pid(service);
    if (pid) used[service] = ticksOf(pid) / ticks;
  }
  const postmaster = Number(
    execFileSync('head', ['-n', '1', join(mesh.postgres.dataFolder(), 'data', 'postmaster.pid')], {encoding: 'utf8'}),
  );
  used.postgres =
    [ticksOf(postmaster, true), ...childrenOf(postmaster).map((pid) => ticksOf(pid))].reduce((sum, one) => sum + one) /
    ticks;
  const chains = mesh.chains.map((chain) => mesh.processes.pid(chain.process)).filter(Boolean);
  if (chains.length) used.chains = chains.reduce((sum, pid) => sum + ticksOf(pid), 0) / ticks;
  for (const [name, pid] of Object.entries(more)) used[name] = ticksOf(pid) / ticks;
  return used;
}

/** Runs `work` (which resolves to {calls, cpu_s}) and adds what each process used for a call, in microseconds. */
export async function withCpu(mesh, more, work) {
  const before = cpuOf(mesh, more);
  const result = await work();
  const after = cpuOf(mesh, more);
  const perCall = (seconds) => (seconds * 1e6) / result.calls;
  const cpu = Object.fromEntries(
    Object.keys(after).map((name) => [name, perCall(Math.max(0, after[name] - (before[name] ?? 0)))]),
  );
  if (result.cpu_s !== undefined) cpu.client = perCall(result.cpu_s);
  return {...result, cpu};
}

/** Median and spread of numbers. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2, low: sorted[0], high: sorted.at(-1)};
}

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
export function shown(values, unit = '') {
  const {median, low, high} = spread(values);
  return `${digits(median)}${unit} (${digits(low)}-${digits(high)})`;
}

export const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};

/** Rows of cells as aligned text. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? String(cell).padEnd(widths[0]) : String(cell).padStart(widths[column])))
        .join('  '),
    )
    .join('\n');
}

/** CPU a call of each process, by its median over repetitions, as one line. */
export function cpuLine(results) {
  const names = Object.keys(results[0].cpu).filter((name) => spread(results.map((r) => r.cpu[name])).median >= 0.5);
  return names.map((name) => `${name} ${digits(spread(results.map((r) => r.cpu[name])).median)}`).join(', ');
}

export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text) process.stderr.write(`${text}\n`);
}

/** Prints the heading every benchmark's figures stand under, and keeps the figures in build/bench. */
export function report(name, lines, data, {timed = true} = {}) {
  const machine = `${cpus().length} x ${cpus()[0].model.trim()}, load ${loadavg()[0].toFixed(1)}`;
  const runs = `${repetitions} repetitions${timed ? ` of ${milliseconds / 1000} s` : ''}`;
  console.log(`${name}: preset ${preset}, ${runs}, median (lowest-highest); ${machine}\n`);
  console.log(`${lines.join('\n')}\n`);
  const folder = join(root, 'build', 'bench');
  mkdirSync(folder, {recursive: true});
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({name, preset, machine, time: new Date().toISOString(), ...data}, null, 2)}\n`,
  );
}

/** For a benchmark's own file: ends the process with what went wrong. */
export async function main(work) {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    console.error(`\n${error.stack ?? error.message}`);
    process.exit(1);
  }
}
