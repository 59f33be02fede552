// The images as the suite sees them: names, what podman says of them, their files, and how the chart's
// pods run them (no capability, nothing writable, user 65532).
import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../../deploy/local/mesh/mesh.mjs';

export const programs = ['checkout', 'routing', 'watcher', 'settlement', 'payctl'];
export const version = /project\(paymesh VERSION (\S+)/.exec(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'))[1];
const repository = process.env.PAYMESH_IMAGE_REPOSITORY ?? 'paymesh';
export const imageOf = (program) => `${repository}/${program}:${process.env.PAYMESH_IMAGE_TAG ?? version}`;

/** Runs podman and returns what it prints; throws when it fails. */
export const podman = (...args) =>
  execFileSync('podman', ['--runtime', 'runc', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
  });

/** Arguments that run a program's image as a pod would. The limits are what runc needs, not what the service does. */
export function runArguments(program, {name, mounts = {}, entrypoint, args = []}) {
  return [
    '--runtime',
    'runc',
    'run',
    '--rm',
    '--pull',
    'never',
    '--read-only',
    '--read-only-tmpfs=false',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    '--ulimit',
    'nofile=1024:1024',
    '--ulimit',
    'nproc=4096:4096',
    '--network',
    'host',
    ...(name ? ['--name', name] : []),
    ...(entrypoint ? ['--entrypoint', entrypoint] : []),
    ...Object.entries(mounts).flatMap(([from, to]) => ['--volume', `${from}:${to}:ro`]),
    imageOf(program),
    ...args,
  ];
}

/** Runs a program's image to its end: {code, out, err}. */
export function runOnce(program, options) {
  const {status, stdout, stderr} = spawnSync('podman', runArguments(program, options), {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return {code: status, out: stdout, err: stderr};
}

export const inspectImage = (program) => JSON.parse(podman('image', 'inspect', imageOf(program)))[0];

/** A program's image opened for reading: its folder here, and the paths of its files and links. */
export class OpenImage {
  constructor(program) {
    this.program = program;
    this.folder = podman('image', 'mount', imageOf(program)).trim();
    this.files = [];
    this.links = [];
    const walk = (path) => {
      for (const entry of readdirSync(join(this.folder, path), {withFileTypes: true})) {
        const each = join(path, entry.name);
        if (entry.isDirectory()) walk(each);
        else (entry.isSymbolicLink() ? this.links : this.files).push(each);
      }
    };
    walk('/');
    this.files.sort();
  }
  path(file) {
    return join(this.folder, file);
  }
  read(file) {
    return readFileSync(this.path(file));
  }
  close() {
    podman('image', 'umount', imageOf(this.program));
  }
}

/** The libraries that the loader really takes for a program, by its own word: paths inside the image. */
export function loadedLibraries(program) {
  const {code, out, err} = runOnce(program, {
    entrypoint: '/lib64/ld-linux-x86-64.so.2',
    args: ['--list', `/usr/bin/${program}`],
  });
  if (code !== 0) throw new Error(`the loader refuses ${program}: ${err}`);
  return [...out.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]);
}
