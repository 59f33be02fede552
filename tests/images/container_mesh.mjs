// The local mesh with its services run from their images, as the chart's pods run them: each sees below
// /etc/paymesh exactly the files that its configuration names, readable for group 65532 as the kubelet
// makes them.
import {chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {services} from '../../deploy/local/mesh/certificates.mjs';
import {checkHealth} from '../../deploy/local/mesh/clients.mjs';
import {Mesh} from '../../deploy/local/mesh/mesh.mjs';
import {waitFor} from '../../deploy/local/mesh/processes.mjs';
import {freePorts} from '../e2e/harness.mjs';
import {podman, runArguments, runOnce} from './images.mjs';

const kGroup = 65532;
const kInside = '/etc/paymesh';

export class ContainerMesh extends Mesh {
  static async make() {
    const ports = await freePorts(15);
    const each = () => Object.fromEntries(services.map((service) => [service, ports.pop()]));
    return new ContainerMesh({
      folder: mkdtempSync(join(tmpdir(), 'paymesh-images-')),
      slotsInAnEpoch: 1,
      persistChains: false,
      ports: {grpc: each(), health: each(), metrics: each(), postgres: ports.pop(), chains: [ports.pop(), ports.pop()]},
      say: async (name, what, work) => work(),
    });
  }

  containerOf(service) {
    return `${this.folder.split('/').pop()}-${service}`;
  }

  /** A folder with one service's files, made anew. `change` edits the configuration's text. */
  layOut(service, change = (text) => text) {
    const folder = this.path('containers', service);
    rmSync(folder, {recursive: true, force: true});
    const own = (path, mode) => {
      chownSync(path, 0, kGroup);
      chmodSync(path, mode);
    };
    const put = (path, write) => {
      mkdirSync(dirname(join(folder, path)), {recursive: true});
      write(join(folder, path));
      own(join(folder, path), 0o440);
      own(dirname(join(folder, path)), 0o750);
    };
    const text = readFileSync(this.path('config', `${service}.yaml`), 'utf8');
    for (const [, path] of text.matchAll(new RegExp(`"${this.folder}/([^"]+)"`, 'g'))) {
      put(path, (to) => copyFileSync(this.path(path), to));
    }
    put('config/config.yaml', (to) => writeFileSync(to, change(text.replaceAll(this.folder, kInside))));
    own(folder, 0o750);
    return {[folder]: kInside};
  }

  /** Runs a service's image once with its files and these arguments behind --config. */
  once(service, args, change) {
    return runOnce(service, {
      mounts: this.layOut(service, change),
      args: ['--config', `${kInside}/config/config.yaml`, ...args],
    });
  }

  async migrate() {
    for (const service of services) {
      const {code, err} = this.once(service, ['migrate']);
      if (code !== 0) throw new Error(`migrating ${service}'s database failed with ${code}:\n${err}`);
    }
  }

  startService(service) {
    const args = runArguments(service, {
      name: this.containerOf(service),
      mounts: this.layOut(service),
      args: ['--config', `${kInside}/config/config.yaml`],
    });
    return this.processes.start(service, 'podman', args, {cwd: this.folder});
  }

  inspect(service) {
    return JSON.parse(podman('inspect', this.containerOf(service)))[0];
  }

  /** Ends a service by SIGTERM to its first process: {code, milliseconds}. */
  async terminate(service) {
    const start = Date.now();
    this.processes.signal(service, 'SIGTERM');
    await waitFor(`${service} to end`, () => this.processes.exits.has(service), {timeoutMs: 40_000, everyMs: 10});
    return {code: this.processes.exits.get(service).code, milliseconds: Date.now() - start};
  }

  /** Starts a stopped service: milliseconds from its process's start until it says that it is ready. */
  async timeStart(service) {
    this.startService(service);
    await waitFor(
      `${service} to be ready`,
      async () => (await checkHealth(this.ports.health[service], 'readiness')) === 'SERVING',
      {everyMs: 5},
    );
    const ready = Date.now();
    return ready - Date.parse(this.inspect(service).State.StartedAt);
  }

  async destroy() {
    for (const service of services) podman('rm', '--force', '--time', '0', '--ignore', this.containerOf(service));
    await super.destroy();
  }
}
