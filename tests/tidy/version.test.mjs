// There is one version, the one of project() in the top CMakeLists.txt. The programs take it from there when they are built;
// files that are read without a build repeat it and are held to it here.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (file) => readFileSync(join(root, file), 'utf8');
const version = /^project\(paymesh VERSION (\d+\.\d+\.\d+)\b/m.exec(read('CMakeLists.txt'))[1];

test('the chart has the version of the programs, and so has what it installs', () => {
  const chart = read('helm/paymesh/Chart.yaml');
  assert.equal(/^version: "?([^"\n]+)"?$/m.exec(chart)[1], version);
  assert.equal(/^appVersion: "([^"\n]+)"$/m.exec(chart)[1], version);
});

test('the changelog begins with what is not released, then the newest release is the version', () => {
  const headings = [...read('deploy/CHANGELOG.md').matchAll(/^## \[?([^\]\s]+)\]?/gm)].map(([, name]) => name);
  assert.equal(headings[0], 'Unreleased');
  assert.equal(headings[1], version);
  assert.equal(new Set(headings).size, headings.length);
});

test('how to upgrade is told for the version', () => {
  assert.match(read('helm/paymesh/UPGRADING.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}$`, 'm'));
});

test('no source of the programs has the version typed into it', () => {
  const sources = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', 'common', 'services'],
    {cwd: root, encoding: 'utf8'},
  )
    .trim()
    .split('\n')
    .filter((file) => /\.(cc|h|in)$/.test(file));
  const typed = sources.filter((file) => {
    try {
      return read(file)
        .split('\n')
        .some((line) => !line.trimStart().startsWith('//') && line.includes(`"${version}"`));
    } catch {
      return false; // removed in the working tree
    }
  });
  assert.deepEqual(typed, []);
});
