// The dashboards: every expression parses, names what is exposed, and uses the variables.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {YAML, dashboardFiles, knownMetrics, metricsOf, promtool, readDashboard} from './files.mjs';

const all = dashboardFiles().map((file) => ({file, dashboard: readDashboard(file)}));
const expressions = all.flatMap(({file, dashboard}) =>
  dashboard.panels.flatMap((panel) => panel.targets.map(({expr}) => ({file, panel, expr}))),
);

test('there is one for the mesh, payments, chains, ledger and payouts, and one a service', () => {
  assert.deepEqual(
    dashboardFiles(),
    ['chains', 'checkout', 'ledger_payouts', 'mesh', 'payments', 'routing', 'settlement', 'watcher'].map(
      (name) => `${name}.json`,
    ),
  );
});

test('each has a stable uid of its own and the variables', () => {
  assert.equal(new Set(all.map(({dashboard}) => dashboard.uid)).size, all.length);
  for (const {file, dashboard} of all) {
    assert.equal(dashboard.uid, `paymesh-${file.replace('.json', '').replace('_', '-')}`);
    assert.deepEqual(
      dashboard.templating.list.map(({name}) => name),
      ['datasource', 'namespace', 'service'],
    );
    for (const panel of dashboard.panels) assert.equal(panel.datasource.uid, '$datasource', file);
    assert.equal(new Set(dashboard.panels.map(({id}) => id)).size, dashboard.panels.length);
    assert.equal(
      new Set(dashboard.panels.map(({title}) => title)).size,
      dashboard.panels.length,
      `${file}: a title twice`,
    );
  }
});

test('panels do not overlap', () => {
  for (const {file, dashboard} of all) {
    const taken = new Set();
    for (const {
      gridPos: {x, y, w, h},
    } of dashboard.panels) {
      assert.ok(x + w <= 24, file);
      for (let column = x; column < x + w; ++column) {
        for (let row = y; row < y + h; ++row) {
          assert.ok(!taken.has(`${column}/${row}`), `${file} ${column}/${row}`);
          taken.add(`${column}/${row}`);
        }
      }
    }
  }
});

test('every expression parses', () => {
  const folder = mkdtempSync(join(tmpdir(), 'paymesh-dashboards-'));
  try {
    const rules = expressions.map(({file, expr}, index) => ({
      record: `dashboard:${file.replace('.json', '')}:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', '.*').replaceAll('$service', '.*'),
    }));
    assert.ok(
      rules.every(({expr}) => !expr.includes('$')),
      'an unknown variable',
    );
    const path = join(folder, 'rules.yaml');
    writeFileSync(path, YAML.stringify({groups: [{name: 'dashboards', rules}]}, {lineWidth: 0}));
    const {status, output} = promtool(['check', 'rules', path]);
    assert.equal(status, 0, output);
  } finally {
    rmSync(folder, {recursive: true});
  }
});

test('every expression names metrics that the services expose', () => {
  const known = knownMetrics();
  for (const {file, panel, expr} of expressions) {
    const named = [...metricsOf(expr)];
    assert.ok(named.length > 0, expr);
    for (const metric of named) assert.ok(known.has(metric), `${file}, ${panel.title}: ${metric}`);
  }
});

test('every metric that the services expose is on a dashboard', () => {
  const shown = new Set(
    expressions.flatMap(({expr}) => [...metricsOf(expr)]).map((name) => name.replace(/_(bucket|sum|count)$/, '')),
  );
  const hidden = [...knownMetrics()].filter((name) => !/_(bucket|sum|count)$|:/.test(name) && !shown.has(name));
  assert.deepEqual(hidden, ['up']);
});
