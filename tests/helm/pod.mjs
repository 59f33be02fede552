// A pod of the chart on this machine: its mounts laid out below a folder, for the services' own programs to read.
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {YAML, named, root, services} from './chart.mjs';

/** Which build has all services; undefined when none has. */
export const preset = ['release', 'dev', 'asan']
  .sort((a, b) => (b === process.env.PAYMESH_PRESET) - (a === process.env.PAYMESH_PRESET))
  .find((each) => services.every((service) => existsSync(join(root, 'build', each, 'bin', service))));
export const program = (service) => join(root, 'build', preset, 'bin', service);

const kChains = {
  chains: [
    {
      chain: 'eip155:1',
      name: 'one',
      block_time: '12s',
      finality: {safe_min_depth: 1, finalized_min_depth: 2},
      contracts: {},
      native: {symbol: 'ETH', decimals: 18},
      tokens: [],
    },
  ],
};

let made;
/** A certificate with its key, made once: the content of a TLS Secret. */
function pair() {
  if (made) return made;
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-pair-'));
  const [key, certificate] = [join(folder, 'key'), join(folder, 'certificate')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
      '-subj',
      '/CN=test',
      '-days',
      '2',
    ],
    {stdio: 'ignore'},
  );
  const text = readFileSync(certificate, 'utf8');
  made = {'tls.crt': text, 'tls.key': readFileSync(key, 'utf8'), 'ca.crt': text};
  rmSync(folder, {recursive: true, force: true});
  return made;
}

/**
 * Lays out a pod's mounts below a folder that stands for the root; nothing else may be needed. `content` names the files
 * of Secrets, and of ConfigMaps that the chart does not make, by their name in the pod. Gives the configuration's path.
 */
export function mount(folder, objects, owner, content = {}) {
  const {
    volumes,
    containers: [container],
  } = owner.spec.template.spec;
  const put = (path, text) => {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
  };
  for (const {name, mountPath} of container.volumeMounts) {
    const volume = volumes.find((each) => each.name === name);
    for (const source of volume.projected?.sources ?? [volume]) {
      const {configMap, secret} = source;
      const data = configMap ? named(objects, 'ConfigMap', configMap.name)?.data : undefined;
      for (const {key, path} of (configMap ?? secret)?.items ?? []) {
        const otherwise =
          name === 'chains' ? YAML.stringify(kChains) : 'host=127.0.0.1 dbname=paymesh user=paymesh password=x';
        put(join(folder, mountPath, path), data?.[key] ?? content[path] ?? otherwise);
      }
    }
    if (name === 'tls') {
      for (const [file, text] of Object.entries(pair())) put(join(folder, mountPath, file), content[file] ?? text);
    }
  }
  const config = join(folder, 'etc/paymesh/config/config.yaml');
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll('/etc/paymesh/', join(folder, 'etc/paymesh/')));
  return config;
}
