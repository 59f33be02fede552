// A service's README has the sections that somebody looks for who has never seen it, in one order for all.
import assert from 'node:assert/strict';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const services = ['checkout', 'routing', 'watcher', 'settlement'];
const kSections = ['What it needs', 'Invariants', 'When it is down, or its peers are', 'Scaling', 'Limits', 'Errors'];
const readme = (service) => readFileSync(join(root, 'services', service, 'README.md'), 'utf8');

test('every service tells what it needs, what holds, what fails, how it grows, where it ends and its errors, in this order', () => {
  for (const service of services) {
    const headings = [...readme(service).matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    assert.deepEqual(
      headings.filter((heading) => kSections.includes(heading)),
      kSections,
      service,
    );
    for (const [, title, text] of readme(service).matchAll(/^## (.*)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm))
      assert.ok(text.trim().length > 20, `${service}: ${title}`);
  }
});

test('what a service needs names every peer of its example, and the example itself', () => {
  for (const service of services) {
    const needs = /^## What it needs\n([\s\S]*?)^## /m.exec(readme(service))[1];
    const example = readFileSync(join(root, 'services', service, `${service}.example.yaml`), 'utf8');
    const peers = [...(/^peers: \{(.*)\}/m.exec(example)?.[1].matchAll(/(\w+): "?\d/g) ?? [])].map((match) => match[1]);
    const row = /^\| peers \| (.*) \|$/m.exec(needs)[1];
    for (const peer of peers) assert.ok(row.includes(peer), `${service}: ${peer}`);
    assert.equal(peers.length === 0, row === 'none', `${service}: ${row}`);
    for (const part of ['database', 'network', 'secrets', 'files'])
      assert.match(needs, new RegExp(`^\\| ${part} \\|`, 'm'), `${service}: ${part}`);
    assert.ok(needs.includes(`(${service}.example.yaml)`), service);
  }
});

test("a library's README has those of these sections that it needs, in the same order", () => {
  const common = join(root, 'common');
  const readmes = readdirSync(common)
    .map((folder) => join(common, folder, 'README.md'))
    .filter(existsSync);
  assert.ok(readmes.length > 8, `${readmes.length}`);
  for (const file of readmes) {
    const headings = [...readFileSync(file, 'utf8').matchAll(/^## (.*)$/gm)]
      .map((match) => match[1])
      .filter((heading) => kSections.includes(heading));
    assert.deepEqual(
      headings,
      kSections.filter((section) => headings.includes(section)),
      file,
    );
  }
});
