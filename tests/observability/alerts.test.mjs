// Alerts, their promtool tests and their runbooks: none without the others, and none that names what nobody exposes.
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {
  YAML,
  alertsFolder,
  inhibitionsPath,
  knownMetrics,
  metricsOf,
  promtool,
  readYaml,
  ruleFiles,
  rules,
  runbookFiles,
  runbooksFolder,
  testFiles,
} from './files.mjs';
import {scaleDuration, scaleExpression, scaleRules} from './scale_rules.mjs';
import {generated} from './generate.mjs';

const alerts = rules().filter((rule) => rule.alert);
const names = [...new Set(alerts.map((rule) => rule.alert))].sort();

test('promtool accepts the rules', () => {
  const {status, output} = promtool(['check', 'rules', ...ruleFiles().map((name) => join(alertsFolder, name))]);
  assert.equal(status, 0, output);
});

for (const file of testFiles()) {
  test(`each alert of ${file.replace('.test.yaml', '.yaml')} fires when it should and not otherwise`, () => {
    const {status, output} = promtool(['test', 'rules', file], {cwd: alertsFolder});
    assert.equal(status, 0, output.slice(0, 4000));
  });
}

test('each alert has a case that fires and one that does not', () => {
  const seen = new Map();
  for (const file of testFiles()) {
    for (const {alert_rule_test: cases} of readYaml(file).tests) {
      for (const {alertname, exp_alerts: expected} of cases) {
        const kinds = seen.get(alertname) ?? seen.set(alertname, new Set()).get(alertname);
        kinds.add(expected?.length > 0 ? 'fires' : 'quiet');
      }
    }
  }
  assert.deepEqual([...seen.keys()].sort(), names);
  for (const [name, kinds] of seen) assert.equal(kinds.size, 2, name);
});

test('each alert has a runbook, and each runbook an alert', () => {
  assert.deepEqual(runbookFiles(), names.map((name) => `${name.toLowerCase()}.md`).sort());
  for (const {alert, annotations} of alerts)
    assert.equal(annotations.runbook_url, `deploy/runbooks/${alert.toLowerCase()}.md`);
});

test('each runbook says what it is, what it means, what to check, do, and whom to call', () => {
  for (const file of runbookFiles()) {
    const text = readFileSync(join(runbooksFolder, file), 'utf8');
    const [, title] = /^# (\w+)\n/.exec(text) ?? [];
    assert.equal(`${title?.toLowerCase()}.md`, file);
    assert.deepEqual(
      [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading),
      ['Symptom', 'What it means for merchants', 'Check', 'Act', 'Escalate'],
      file,
    );
    for (const section of text.split(/^## .*$/m).slice(1)) assert.ok(section.trim().length > 10, file);
    assert.match(text, /```sh\n[\s\S]+?```/, file);
  }
});

test('each alert has a severity, a summary and a description', () => {
  for (const {alert, labels, annotations} of alerts) {
    assert.match(labels.severity, /^(critical|warning)$/, alert);
    assert.ok(annotations.summary && annotations.description, alert);
    assert.doesNotMatch(annotations.summary, /\$value/, 'a summary that changes makes a new notification each time');
  }
});

test('an inhibition can match: its alerts carry the labels that it looks at, and those that have to be equal', () => {
  const carried = new Map();
  for (const file of testFiles()) {
    for (const {alertname, exp_alerts: expected} of readYaml(file).tests.flatMap(({alert_rule_test: cases}) => cases)) {
      for (const {exp_labels: labels} of expected ?? [])
        (carried.get(alertname) ?? carried.set(alertname, []).get(alertname)).push(labels);
    }
  }
  for (const {alert, expr, labels: own} of alerts) {
    // The chart names the release's namespace in some; every severity of an alert carries what one does.
    if (expr.includes('namespace=~')) for (const labels of carried.get(alert)) labels.namespace = 'pay';
    carried.get(alert).push({...carried.get(alert)[0], ...own});
  }
  const {inhibit_rules: inhibitions} = YAML.parse(readFileSync(inhibitionsPath, 'utf8'));
  // By name and severity; of other labels the cases show only some values, so there the label is enough.
  const holds = (labels, [label, operator, value]) => {
    if (label !== 'alertname' && label !== 'severity') return label in labels;
    return operator === '=' ? labels[label] === value : new RegExp(`^(?:${value})$`).test(labels[label]);
  };
  const matched = (matchers) => {
    const tests = matchers.map((text) => /^(\w+)(=~|=)"(.*)"$/.exec(text).slice(1));
    const found = names
      .flatMap((alertname) => carried.get(alertname).map((labels) => ({alertname, ...labels})))
      .filter((labels) => tests.every((each) => holds(labels, each)));
    for (const name of tests.flatMap(([label, , value]) => (label === 'alertname' ? value.split('|') : []))) {
      assert.ok(
        found.some(({alertname}) => new RegExp(`^${name}$`).test(alertname)),
        `${name} never has ${matchers.join(', ')}`,
      );
    }
    return found;
  };
  for (const {source_matchers: source, target_matchers: target, equal} of inhibitions) {
    const [sources, targets] = [matched(source), matched(target)];
    for (const label of equal)
      assert.ok(
        sources.some((from) => label in from),
        `no source carries ${label}: ${source}`,
      );
    // A label that only one of two alerts carries is never equal.
    const meet = (from, to) => equal.every((label) => label in from === label in to);
    for (const from of sources)
      assert.ok(
        targets.some((to) => meet(from, to)),
        `${from.alertname} inhibits nothing by ${equal}`,
      );
    for (const to of targets)
      assert.ok(
        sources.some((from) => meet(from, to)),
        `${to.alertname} is never inhibited by ${equal}`,
      );
  }
});

test('each rule names metrics that the services expose', () => {
  const known = knownMetrics();
  for (const rule of rules()) {
    const named = [...metricsOf(rule.expr)];
    assert.ok(named.length > 0, rule.expr);
    for (const metric of named) assert.ok(known.has(metric), `${rule.alert ?? rule.record}: ${metric}`);
  }
});

test('generated files are up to date', () => {
  for (const [path, content] of generated()) {
    assert.equal(readFileSync(path, 'utf8') === content, true, `${path}: run node tests/observability/generate.mjs`);
  }
});

test('durations are divided, thresholds in seconds too, and nothing else', () => {
  assert.equal(scaleDuration('5m', 30), '10s');
  assert.equal(scaleDuration('1h30m', 30), '180s');
  assert.equal(scaleDuration('10s', 30, 1000), '1s');
  assert.throws(() => scaleDuration('soon', 30));
  assert.equal(
    scaleExpression('rate(a_total[5m] offset 1h) > 120 # seconds', 30),
    'rate(a_total[10s] offset 120s) > 4 # seconds',
  );
  assert.equal(scaleExpression('a > bool 60 # seconds', 30), 'a > bool 4 # seconds', 'but not below what can be told');
  assert.equal(
    scaleExpression('slo:sli_error:ratio_rate5m{window="5m"} > 0.9', 30),
    'slo:sli_error:ratio_rate5m{window="5m"} > 0.9',
  );
});

test('the scaled rules are rules too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-scaled-'));
  try {
    const scaled = ruleFiles().map((name) => {
      const path = join(folder, name);
      writeFileSync(path, YAML.stringify(scaleRules(readYaml(name), 30), {lineWidth: 0}));
      return path;
    });
    const {status, output} = promtool(['check', 'rules', ...scaled]);
    assert.equal(status, 0, output);
  } finally {
    rmSync(folder, {recursive: true});
  }
});
