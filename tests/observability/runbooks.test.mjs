// Runbooks are run: every command with stand-ins for the cluster, every query on migrated databases. What a person types at three
// in the morning exists, and what is searched for in a log can be there.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {Postgres} from '../../deploy/local/mesh/postgres.mjs';
import {freePorts} from '../e2e/ports.mjs';
import {
  YAML,
  dashboardFiles,
  knownMetrics,
  metricsOf,
  promtool,
  readDashboard,
  root,
  rules,
  runbookFiles,
} from './files.mjs';
import {logKeys, logLines} from './log_lines.mjs';
import {
  StandIns,
  codeOf,
  commandsOf,
  kubectlProblem,
  migrations,
  migrationsTable,
  payctlCall,
  payctlWords,
  runbook,
  runbooks,
  services,
} from './runbooks.mjs';

const folder = mkdtempSync(join(tmpdir(), 'paymesh-runbooks-'));
let postgres, standIns;
const calls = []; // of all commands: {file, command, program, args}

before(async () => {
  const [port] = await freePorts(1);
  postgres = new Postgres({folder, port, services});
  await postgres.start();
  for (const service of services) {
    const sql = [migrationsTable(), ...migrations(service)].join(';\n');
    const {status, stderr} = spawnSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', postgres.conninfo(service)], {
      input: sql,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${service}: ${stderr}`);
  }
  standIns = new StandIns(folder, Object.fromEntries(services.map((service) => [service, postgres.conninfo(service)])));
});
after(async () => {
  await postgres.destroy();
  rmSync(folder, {recursive: true, force: true});
});

test('every command of every runbook works: filters find what can be there, queries fit the schema', () => {
  const problems = [];
  for (const file of runbooks()) {
    const {settings, commands} = commandsOf(runbook(file));
    if (file !== 'README.md') assert.ok(commands.length > 0, file);
    for (const command of commands) {
      const {status, output, calls: made} = standIns.run(command, settings);
      if (status !== 0)
        problems.push(`${file}: ${command}\n    ${output.trim().slice(0, 300) || `exit ${status}: nothing was found`}`);
      for (const [program, ...args] of made) calls.push({file, command, program, args});
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(calls.length > 150);
});

const callsOf = (program) => calls.filter((call) => call.program === program);
const none = (list) => assert.deepEqual(list.filter(Boolean), []);

test('kubectl is asked for objects, labels and programs that the chart installs', () => {
  none(
    callsOf('kubectl').map(
      ({file, command, args}) => kubectlProblem(args) && `${file}: ${command}: ${kubectlProblem(args)}`,
    ),
  );
});

test('payctl has each command and each option that is named', () => {
  const {commands, options} = payctlWords();
  none(
    callsOf('payctl').map(({file, command, args}) => {
      const call = payctlCall(args);
      const strange = call.options.filter((option) => !options.has(option));
      return (!commands.has(call.command) || strange.length > 0) && `${file}: ${command}: ${call.command} ${strange}`;
    }),
  );
  const program = join(root, 'build', process.env.PAYMESH_PRESET ?? 'release', 'bin', 'payctl');
  if (!existsSync(program)) return;
  const helps = new Map();
  for (const {file, args} of callsOf('payctl')) {
    const {command, options: given} = payctlCall(args);
    if (!helps.has(command))
      helps.set(command, spawnSync(program, [...command.split(' '), '--help'], {encoding: 'utf8'}));
    assert.equal(helps.get(command).status, 0, `${file}: payctl ${command} --help`);
    const general = spawnSync(program, ['--help'], {encoding: 'utf8'}).stdout;
    for (const option of given)
      assert.ok(
        helps.get(command).stdout.includes(option) || general.includes(option),
        `${file}: payctl ${command} has no ${option}`,
      );
  }
});

test('helm rolls back, upgrades and tells of the release paymesh, and nothing else', () => {
  none(
    callsOf('helm').map(({file, command, args}) => {
      const [, space, verb, release] = args;
      return (
        (space !== 'pay' || !['rollback', 'upgrade', 'history', 'get'].includes(verb) || !args.includes('paymesh')) &&
        `${file}: ${command} ${release}`
      );
    }),
  );
});

/** A file with a rule of this expression, for promtool to parse. */
function rule(expr) {
  const path = join(folder, 'query.yaml');
  writeFileSync(path, YAML.stringify({groups: [{name: 'query', rules: [{record: 'a:b', expr}]}]}));
  return path;
}

test('every metric that is named is one that the services expose', () => {
  const known = knownMetrics();
  for (const file of runbooks()) {
    const {comments} = codeOf(runbook(file));
    for (const comment of comments.filter((each) => /\bmetrics?\b/.test(each))) {
      for (const [name] of comment.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g)) assert.ok(known.has(name), `${file}: ${name}`);
    }
    for (const [, query] of comments.join('\n').matchAll(/Prometheus: (.*?)(?:; .*)?$/gm)) {
      const {status, output} = promtool(['check', 'rules', rule(query)]);
      assert.equal(status, 0, `${file}: ${query}: ${output}`);
      for (const name of metricsOf(query)) assert.ok(known.has(name), `${file}: ${name}`);
    }
  }
});

test('every name in code style is a metric, a column, a key of a configuration or of the chart, or a word of the code', () => {
  const read = (...path) => readFileSync(join(root, ...path), 'utf8');
  const below = (at, pattern) =>
    readdirSync(join(root, at), {recursive: true})
      .filter((name) => pattern.test(name) && !name.includes('node_modules'))
      .map((name) => read(at, name));
  const literals = [...below('services', /\.(cc|h)$/), ...below('common', /\.(cc|h)$/)].flatMap(
    (text) => text.match(/"(?:[^"\\]|\\.)*"/g) ?? [],
  );
  const texts = [
    read('tests', 'observability', 'metrics.txt'),
    ...below('services', /\.(sql|example\.yaml)$/),
    ...below('common', /\.sql$/),
    read('helm', 'paymesh', 'values.yaml'),
    ...below('helm/paymesh/alerts', /\.yaml$/),
    ...below('deploy/contracts', /\.sol$/),
    ...literals,
  ];
  const words = new Set(texts.flatMap((text) => text.match(/[A-Za-z_][\w-]*/g) ?? []));
  for (const service of services) for (const key of logKeys(logLines(service))) words.add(key);
  const values = YAML.parse(read('helm', 'paymesh', 'values.yaml'));
  const at = (node, [first, ...rest]) =>
    first === undefined ||
    (node?.[first] !== undefined && at(node[first], rest)) ||
    (node && Object.keys(node).length === 0);
  const inChart = (path) =>
    at(values, path) || at(values.defaults, path) || (path[0] === 'services' && at(values.defaults, path.slice(2)));
  const inFile = (path) => path.every((part) => words.has(part));
  const {options} = payctlWords();
  for (const file of runbooks()) {
    for (const span of codeOf(runbook(file)).spans) {
      if (/^--[a-z-]+$/.test(span)) assert.ok(options.has(span), `${file}: ${span}`);
      if (!/^[A-Za-z_][\w.]*$/.test(span) || /^(payctl|kubectl|psql|helm|conninfo|ANALYZE)$/.test(span)) continue;
      const path = span.split('.');
      const camel = path.some((part) => /[a-z][A-Z]/.test(part));
      assert.ok(camel ? inChart(path) : inFile(path) || inChart(path), `${file}: ${span}`);
    }
  }
});

test('every panel that is named stands on a dashboard', () => {
  const titles = new Set(
    dashboardFiles()
      .flatMap((file) => JSON.stringify(readDashboard(file)).match(/"title":"[^"]*"/g))
      .map((text) => text.slice(9, -1)),
  );
  for (const file of runbooks()) {
    for (const [, list] of runbook(file).matchAll(/\bpanels? ("[^"]+"(?:(?:, | and )"[^"]+")*)/g)) {
      for (const [, title] of list.matchAll(/"([^"]+)"/g)) assert.ok(titles.has(title), `${file}: ${title}`);
    }
    for (const [, title] of runbook(file).matchAll(/dashboard (Paymesh \/ [A-Za-z]+(?: and [a-z]+)?)/g))
      assert.ok(titles.has(title), `${file}: ${title}`);
  }
});

test('a runbook that points to another alert points to one that there is', () => {
  const alerts = new Set(
    rules()
      .map(({alert}) => alert)
      .filter(Boolean),
  );
  for (const file of runbookFiles()) {
    for (const [name] of runbook(file).matchAll(
      /\b(?:Paymesh|Watcher|Settlement|Routing|Checkout|Ledger|Database|Tls|Schema|Trace)[A-Z]\w+\b/g,
    )) {
      assert.ok(alerts.has(name), `${file}: ${name}`);
    }
  }
});

test('the index lists every alert once, by its worst severity', () => {
  const text = runbook('README.md');
  const severities = new Map();
  for (const {alert, labels} of rules())
    if (alert && severities.get(alert) !== 'critical') severities.set(alert, labels.severity);
  for (const severity of ['critical', 'warning']) {
    const section = text.split(new RegExp(`^### .*${severity}.*$`, 'mi'))[1].split(/^###? /m)[0];
    const listed = [...section.matchAll(/^\| \[(\w+)\]\((\S+)\) \| (.{10,}) \|$/gm)];
    assert.deepEqual(
      listed.map(([, name]) => name),
      [...severities]
        .filter(([, own]) => own === severity)
        .map(([name]) => name)
        .sort(),
    );
    for (const [, name, link] of listed) assert.equal(link, `${name.toLowerCase()}.md`);
  }
});

test('what is wrong is found: quotes that the shell eats, words that nobody logs, tables and keys that are not there', () => {
  const logs = 'kubectl -n pay logs -l app.kubernetes.io/component=watcher --tail=9';
  assert.equal(standIns.run(`${logs} | grep '"level":"error"'`).status, 0);
  for (const bad of [
    `${logs} | grep ""level":"error""`,
    `${logs} | grep REQUEST_ID`,
    'psql "$WATCHER_DB" -c "SELECT 1 FROM no_such_table"',
    'psql "$WATCHER_DB" -c "DELETE FROM lease"',
    'curl -s 127.0.0.1:9464/metrics | grep no_such_metric',
  ]) {
    assert.notEqual(standIns.run(bad).status, 0, bad);
  }
  const judge = (line) => kubectlProblem(standIns.run(line).calls[0].slice(1));
  assert.equal(judge('kubectl -n pay get pods -l app.kubernetes.io/component=watcher'), '');
  assert.match(judge('kubectl -n pay get pods -l app.kubernetes.io/component=biller'), /nothing has the labels/);
  assert.match(judge('kubectl -n pay rollout restart deployment/watcher'), /no Deployment/);
  assert.match(judge('kubectl -n pay exec deploy/paymesh-watcher -- sh -c true'), /no sh/);
  assert.match(
    judge('kubectl -n pay exec deploy/paymesh-watcher -- /usr/bin/watcher resume-chain --config FILE --chain eip155:1'),
    /the pod's file is not FILE/,
  );
  assert.equal(payctlWords().commands.has('payouts resume'), false);
});
