// What is written about the chart is generated from it, or names what exists.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {YAML, readChart} from './chart.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const check = (script) => spawnSync(process.execPath, [join(here, script), '--check'], {encoding: 'utf8'});

test('the table of values in README.md is up to date, and every value has a comment', () => {
  const {status, stderr} = check('readme.mjs');
  assert.equal(status, 0, stderr);
});

test('values.schema.json is up to date with values.yaml', () => {
  const {status, stderr} = check('schema.mjs');
  assert.equal(status, 0, stderr);
});

test('README.md and UPGRADING.md name values that exist', () => {
  const values = YAML.parse(readChart('values.yaml'));
  const exists = (path) => {
    let node = path[0] in values ? values : path[0] in values.defaults ? values.defaults : undefined;
    for (const key of path) {
      if (node === undefined || node === null || typeof node !== 'object') return false;
      if (!(key in node) && Object.keys(node).length === 0) return true;  // an open map
      const inherited = key in node ? node[key] : values.services.checkout === node || Object.values(values.services).includes(node) ? values.defaults[key] : undefined;
      node = inherited;
    }
    return node !== undefined;
  };
  for (const name of ['README.md', 'UPGRADING.md']) {
    const text = readChart(name);
    const outsideTable = text.replace(/<!-- values: begin -->[\s\S]*<!-- values: end -->/, '');
    const roots = [...Object.keys(values), ...Object.keys(values.defaults)];
    for (const [, path] of outsideTable.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)`/g)) {
      const parts = path.split('.');
      if (!roots.includes(parts[0]) || /^(yaml|pem|json)$/.test(parts.at(-1))) continue;
      assert.ok(exists(parts), `${name} names ${path}`);
    }
  }
});
