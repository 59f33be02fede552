// The chart as the tests see it: rendered by the real helm, parsed, with the verbs to look into it.
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const chart = join(root, 'helm', 'paymesh');
export const tools = join(root, 'tests', 'tools');
if (!existsSync(join(tools, 'bin', 'helm'))) {
  throw new Error('helm is not installed: run tests/tools/install');
}
const helm = join(tools, 'bin', 'helm');
const require = createRequire(join(tools, 'package.json'));
export const YAML = require('yaml');

export const services = ['checkout', 'routing', 'watcher', 'settlement'];
export const namespace = 'pay';

/** Who calls or follows whom: the table of the architecture. */
export const calls = {
  checkout: ['routing', 'watcher', 'settlement'],
  routing: ['watcher', 'checkout'],
  watcher: [],
  settlement: ['watcher', 'checkout'],
};

export const valueFiles = readdirSync(join(chart, 'ci'))
  .filter((name) => name.endsWith('.yaml'))
  .sort();

export function runHelm(...args) {
  const {status, stdout, stderr} = spawnSync(helm, args, {encoding: 'utf8', maxBuffer: 64 << 20});
  return {status, stdout, stderr};
}

export function parse(text) {
  return YAML.parseAllDocuments(text, {merge: false})
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    })
    .filter((object) => object !== null);
}

const minimal = ['certManager.issuerRef.name=ca', 'chains.existingSecret=chains'];

/** Renders the chart with a file of ci/ (or the least values) and more values as of --set; parsed objects. */
export function render({
  file = 'minimal.yaml',
  set = [],
  setJson = [],
  args = [],
  folder = chart,
  release = 'paymesh',
} = {}) {
  const text = execFileSync(
    helm,
    [
      'template',
      release,
      folder,
      '--namespace',
      namespace,
      '--values',
      join(chart, 'ci', file),
      ...set.flatMap((each) => ['--set', each]),
      ...setJson.flatMap((each) => ['--set-json', each]),
      ...args,
    ],
    {encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe']},
  );
  return parse(text);
}

/** What helm says when it refuses the least values with these changes; fails when it does not. */
export function refusal({set = [], setJson = []}) {
  const {status, stderr} = runHelm(
    'template',
    'paymesh',
    chart,
    ...[...minimal, ...set].flatMap((each) => ['--set', each]),
    ...setJson.flatMap((each) => ['--set-json', each]),
  );
  if (status === 0) throw new Error('helm accepted the values');
  return stderr;
}

/** The notes after an installation of the least values with these changes. */
export function notes(...set) {
  const {status, stdout, stderr} = runHelm(
    'install',
    'paymesh',
    chart,
    '--dry-run=client',
    '--namespace',
    namespace,
    '--values',
    join(chart, 'ci', 'minimal.yaml'),
    ...set.flatMap((each) => ['--set', each]),
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.slice(stdout.indexOf('NOTES:'));
}

const cache = new Map();
/** A file's objects, rendered once a process. */
export function rendered(file) {
  if (!cache.has(file)) cache.set(file, render({file}));
  return cache.get(file);
}

export const ofKind = (objects, kind) => objects.filter((object) => object.kind === kind);
export const named = (objects, kind, name) =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);
export const component = (object) => object.metadata.labels?.['app.kubernetes.io/component'];
export const ofService = (objects, kind, service) =>
  objects.filter((object) => object.kind === kind && component(object) === service);
export const hookOf = (object) => object.metadata.annotations?.['helm.sh/hook'];
export const hookWeight = (object) => Number(object.metadata.annotations?.['helm.sh/hook-weight'] ?? 0);

/** Whether `labels` satisfy a selector of matchLabels alone. */
export const selects = (matchLabels, labels) =>
  Object.entries(matchLabels).every(([key, value]) => labels?.[key] === value);

/** Every pod template, and bare pod, with what it belongs to. */
export function pods(objects) {
  return objects.flatMap((object) => {
    if (object.kind === 'Pod') return [{owner: object, labels: object.metadata.labels, spec: object.spec}];
    const template = object.spec?.template;
    if (!['Deployment', 'Job'].includes(object.kind)) return [];
    return [
      {
        owner: object,
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        spec: template.spec,
      },
    ];
  });
}

export const readChart = (name) => readFileSync(join(chart, name), 'utf8');
