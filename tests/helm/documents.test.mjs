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
  // A key of one service may also be one of the defaults; an empty map is open.
  const existsBelow = (node, path) =>
    path.length === 0 ||
    (node !== null &&
      typeof node === 'object' &&
      (Object.keys(node).length === 0 || (path[0] in node && existsBelow(node[path[0]], path.slice(1)))));
  const exists = ([first, ...rest]) =>
    existsBelow(values, [first, ...rest]) ||
    existsBelow(values.defaults, [first, ...rest]) ||
    (first === 'services' && rest[0] in values.services && existsBelow(values.defaults, rest.slice(1)));
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
