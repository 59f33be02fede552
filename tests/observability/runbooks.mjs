// Runs what runbooks tell people to type, with stand-ins for the programs that need a cluster: kubectl prints the log lines that
// the code can write and the objects that the chart makes, curl the metrics' names; psql is the real one on migrated databases.
// Every stand-in notes its arguments, which the tests then look at.
import {spawnSync} from 'node:child_process';
import {chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {component, named, rendered} from '../helm/chart.mjs';
import {knownMetrics, root, runbookFiles, runbooksFolder} from './files.mjs';
import {logLines} from './log_lines.mjs';

export const services = ['checkout', 'routing', 'watcher', 'settlement'];
export const runbook = (file) => readFileSync(join(runbooksFolder, file), 'utf8');
export const runbooks = () => ['README.md', ...runbookFiles()];

// Programs of others, which are named but not run.
const foreign = /^(cmctl|openssl|date|cast|aws)\b/;

/** The code of a runbook: the lines of its blocks and the spans in its sentences. */
export function codeOf(text) {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
    block.replace(/\\\n\s*/g, '').split('\n'),
  );
  const spans = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, span]) => span);
  return {
    lines: blocks.filter((line) => line.trim() !== '' && !line.startsWith('#')),
    comments: blocks.filter((line) => line.startsWith('#')),
    spans,
  };
}

/** The commands of a runbook, and what it sets before them. */
export function commandsOf(text) {
  const {lines, spans} = codeOf(text);
  const setting = /^(export )?[A-Z_]+=/;
  return {
    settings: lines.filter((line) => setting.test(line)),
    commands: [
      ...lines.filter((line) => !setting.test(line)),
      ...spans.filter((span) =>
        /^(payctl|kubectl|helm|psql|curl|watcher|checkout|settlement|routing) \S+ \S|(?:payctl|curl) \S/.test(span),
      ),
    ],
  };
}

/** The chart's objects, whatever is switched on. */
const objects = () => ['minimal.yaml', 'production.yaml', 'irsa-podmonitor.yaml'].flatMap((file) => rendered(file));

export class StandIns {
  /** `databases` is service -> connection. */
  constructor(folder, databases) {
    Object.assign(this, {folder, bin: join(folder, 'bin'), notes: join(folder, 'notes'), databases});
    mkdirSync(this.bin, {recursive: true});
    for (const service of services) {
      const prefix = `[pod/paymesh-${service}-0/${service}] `;
      writeFileSync(
        join(folder, `${service}.log`),
        logLines(service)
          .map((line) => `${prefix}${line}\n`)
          .join(''),
      );
    }
    writeFileSync(join(folder, 'metrics'), [...knownMetrics()].map((name) => `${name}{} 1\n`).join(''));
    writeFileSync(
      join(folder, 'objects'),
      objects()
        .map(({kind, metadata}) => `${kind.toLowerCase()}/${metadata.name}\n`)
        .join(''),
    );
    const note = `printf '%s\\0' "$(basename "$0")" "$@" >>'${this.notes}'; printf '\\n' >>'${this.notes}'\n`;
    const script = (name, body) => {
      writeFileSync(join(this.bin, name), `#!/bin/bash\n${note}${body}\n`);
      chmodSync(join(this.bin, name), 0o755);
    };
    script(
      'kubectl',
      `case " $* " in *" logs "*) for s in ${services.join(' ')}; do case "$*" in *"component=$s"*|*"paymesh-$s"*) cat '${folder}'/$s.log;; esac; done;;
      *" get "*) cat '${folder}/objects';; *) echo done;; esac`,
    );
    script('curl', `case "$*" in */metrics*) cat '${folder}/metrics';; *) echo '{}';; esac`);
    for (const name of ['payctl', 'helm']) script(name, 'echo done');
    script('psql', `exec ${this.psql()} -X -v ON_ERROR_STOP=1 "$@"`);
  }

  psql() {
    return spawnSync('bash', ['-c', 'command -v psql'], {encoding: 'utf8'}).stdout.trim();
  }

  /** Runs one line; its status, its output and the calls that it made, [program, ...arguments]. */
  run(line, settings = []) {
    if (foreign.test(line)) return {status: 0, output: '', calls: []};
    // What `kubectl describe` prints is Kubernetes' own; filters of it are not judged.
    const judged = /kubectl [^|]*\bdescribe\b/.test(line) ? line.split('|')[0] : line;
    rmSync(this.notes, {force: true});
    writeFileSync(this.notes, '');
    const env = {
      ...process.env,
      PATH: `${this.bin}:${process.env.PATH}`,
      PGOPTIONS: '-c default_transaction_read_only=on',
      PAGER: 'cat',
    };
    const before = settings.filter((setting) => !/_DB=/.test(setting));
    for (const [service, conninfo] of Object.entries(this.databases)) env[`${service.toUpperCase()}_DB`] = conninfo;
    const {status, stdout, stderr} = spawnSync('bash', ['-euo', 'pipefail', '-c', [...before, judged].join('\n')], {
      encoding: 'utf8',
      env,
      cwd: this.folder,
      timeout: 20_000,
    });
    const calls = readFileSync(this.notes, 'utf8')
      .split('\0\n')
      .filter(Boolean)
      .map((call) => call.split('\0'));
    return {status, output: `${stdout}${stderr}`, calls};
  }
}

/** The migrations of a service in their order, the libraries' first. */
export function migrations(service) {
  const folders = ['common/pg', 'common/outbox', `services/${service}`];
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), {recursive: true})
        .filter((name) => /(^|\/)migrations\/\d+_\w+\.sql$/.test(name))
        .map((name) => join(root, folder, name)),
    )
    .sort((a, b) => Number(/(\d+)_\w+\.sql$/.exec(a)[1]) - Number(/(\d+)_\w+\.sql$/.exec(b)[1]))
    .map((path) => readFileSync(path, 'utf8'));
}

/** The table in which programs note what they have migrated, as the library makes it. */
export function migrationsTable() {
  const [, text] = /kTable\[\] =((?:\s*"[^"]*")+);/.exec(
    readFileSync(join(root, 'common', 'pg', 'migrations', 'migrations.cc'), 'utf8'),
  );
  return [...text.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('');
}

const kinds = {
  deploy: 'Deployment',
  deployment: 'Deployment',
  deployments: 'Deployment',
  svc: 'Service',
  service: 'Service',
  job: 'Job',
  jobs: 'Job',
  configmap: 'ConfigMap',
  cm: 'ConfigMap',
  secret: 'Secret',
  networkpolicy: 'NetworkPolicy',
  certificate: 'Certificate',
  hpa: 'HorizontalPodAutoscaler',
};
const verbs = new Set([
  'get',
  'logs',
  'describe',
  'top',
  'rollout',
  'exec',
  'port-forward',
  'debug',
  'delete',
  'scale',
  'wait',
]);
const placeholder = /…|^[A-Z][A-Z_]*$/;

/** What is wrong with a call of kubectl, or nothing. */
export function kubectlProblem(args) {
  const cut = args.indexOf('--');
  const [own, inner] = cut < 0 ? [args, []] : [args.slice(0, cut), args.slice(cut + 1)];
  if (own[0] !== '-n' || own[1] !== 'pay') return 'names no namespace first';
  if (!verbs.has(own[2])) return `verb ${own[2]}`;
  const all = objects();
  const labelled = all
    .flatMap((object) => [object.metadata.labels, object.spec?.template?.metadata?.labels])
    .filter(Boolean);
  for (const [at, word] of own.entries()) {
    if (word === '-l') {
      const wanted = own[at + 1].split(',').map((pair) => pair.split('='));
      if (!labelled.some((labels) => wanted.every(([key, value]) => labels[key] === value)))
        return `nothing has the labels ${own[at + 1]}`;
    }
    const [, kind, name] = /^(\w+)\/(\S+)$/.exec(word) ?? [];
    if (!kind || word.includes('=') || placeholder.test(name) || own[at - 1] === '--image' || kind === 'pod') continue;
    if (!kinds[kind]) return `kind ${kind}`;
    if (!named(all, kinds[kind], name)) return `no ${kinds[kind]} ${name}`;
  }
  return inner.length === 0 || own[2] !== 'exec' ? '' : innerProblem(own, inner);
}

/** `kubectl exec` runs the image's one program, with the file that the pod itself is given. */
function innerProblem(own, [program, command, ...rest]) {
  const deployment = own.map((word) => /^deploy(?:ment)?\/(\S+)$/.exec(word)?.[1]).find(Boolean);
  const service = component(named(objects(), 'Deployment', deployment));
  if (program !== `/usr/bin/${service}`)
    return `the image of ${service} has no ${program}: it holds one program and no shell`;
  const main = readdirSync(join(root, 'services', service), {recursive: true})
    .filter((name) => name.endsWith('.cc') && !name.endsWith('_test.cc'))
    .map((name) => readFileSync(join(root, 'services', service, name), 'utf8'))
    .join('');
  if (!main.includes(`"${command}"`)) return `${service} has no command ${command}`;
  const [container] = named(objects(), 'Deployment', deployment).spec.template.spec.containers;
  for (const [at, word] of rest.entries()) {
    if (!word.startsWith('--')) continue;
    if (!main.includes(`"${word}"`)) return `${service} ${command} has no ${word}`;
    if (word === '--config' && rest[at + 1] !== container.args[container.args.indexOf('--config') + 1])
      return `the pod's file is not ${rest[at + 1]}`;
  }
  return '';
}

const payctlFolder = join(root, 'services', 'payctl');
/** payctl's commands by its README, and the options of its sources. */
export function payctlWords() {
  const readme = readFileSync(join(payctlFolder, 'README.md'), 'utf8');
  const commands = [...readme.matchAll(/^\| `([^`]+)` \|/gm)].flatMap(([, text]) => {
    const [group, names = ''] = text.replace(/ ID$/, '').split(' ');
    return names.split('\\|').map((name) => `${group} ${name}`.trim());
  });
  const text = readdirSync(payctlFolder, {recursive: true})
    .filter((name) => name.endsWith('.cc'))
    .map((name) => readFileSync(join(payctlFolder, name), 'utf8'))
    .join('');
  return {
    commands: new Set(commands),
    options: new Set([...text.matchAll(/"(?:-\w,)?(--[a-z-]+)"/g)].map(([, option]) => option)),
  };
}

/** The command of a call, its options, and what else stands there. */
export function payctlCall(args) {
  const words = [],
    options = [];
  for (let at = 0; at < args.length; ++at) {
    if (args[at].startsWith('-')) {
      options.push(args[at].split('=')[0]);
      const flag = /^--(qr|no-follow|help)$/.test(args[at]) || args[at].includes('=');
      if (!flag) ++at;
    } else {
      words.push(args[at]);
    }
  }
  const {commands} = payctlWords();
  const command = commands.has(words.slice(0, 2).join(' ')) ? words.slice(0, 2).join(' ') : words[0];
  return {command, options};
}
