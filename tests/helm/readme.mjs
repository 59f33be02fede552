// Writes the table of values in helm/paymesh/README.md from the `# --` comments of values.yaml. A value without a comment, on itself or
// on a map above it, is an error.
// Usage: node tests/helm/readme.mjs [--check]
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {YAML, chart} from './chart.mjs';

const file = join(chart, 'README.md');
const source = readFileSync(join(chart, 'values.yaml'), 'utf8');
const kBegin = '<!-- values: begin -->';
const kEnd = '<!-- values: end -->';

/** The comments by path, in the file's order. */
export function comments(text) {
  const found = new Map();
  const path = [];
  let comment = null;
  for (const line of text.split('\n')) {
    const [, indent, rest] = /^(\s*)(.*)$/.exec(line);
    if (rest.startsWith('# -- ')) {
      comment = rest.slice(5);
    } else if (rest.startsWith('# ') && comment !== null) {
      comment += ` ${rest.slice(2)}`;
    } else if (/^[\w]+:/.test(rest)) {
      path.length = indent.length / 2;
      path.push(rest.slice(0, rest.indexOf(':')));
      if (comment !== null) found.set(path.join('.'), comment);
      comment = null;
    } else {
      comment = null;
    }
  }
  return found;
}

function leaves(value, path = []) {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Object.keys(value).length === 0)
    return [path.join('.')];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key]));
}

const values = YAML.parse(source);
const documented = comments(source);
const silent = leaves(values).filter(
  (path) => !path.split('.').some((_, index, parts) => documented.has(parts.slice(0, index + 1).join('.'))),
);
if (silent.length > 0) {
  console.error(`values without a comment: ${silent.join(', ')}`);
  process.exit(1);
}

const cell = (text) => text.replaceAll('|', '\\|').replace(/<([^>]+)>/g, '&lt;$1&gt;');
const rows = [...documented].map(([path, comment]) => {
  const value = path.split('.').reduce((map, key) => map[key], values);
  return `| \`${path}\` | \`${JSON.stringify(value).replaceAll('|', '\\|')}\` | ${cell(comment)} |`;
});
const table = ['| key | default | meaning |', '|---|---|---|', ...rows].join('\n');
const readme = readFileSync(file, 'utf8');
const text = `${readme.slice(0, readme.indexOf(kBegin) + kBegin.length)}\n${table}\n${readme.slice(readme.indexOf(kEnd))}`;
if (process.argv.includes('--check')) {
  if (text !== readme) {
    console.error('the table in helm/paymesh/README.md is out of date: run node tests/helm/readme.mjs');
    process.exit(1);
  }
} else {
  writeFileSync(file, text);
}
