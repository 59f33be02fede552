// What a reviewer should not have to look for: which way includes point, calls that belong in one
// place, numbered migrations, living links, and reasons that are documented.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const read = (file) => readFileSync(join(root, file), 'utf8');
const sources = files.filter((file) => /\.(cc|h)$/.test(file));
const none = (problems) => assert.deepEqual(problems, []);

test("dependencies point one way: common knows no service, and no service another's files", () => {
  const problems = [];
  for (const file of sources) {
    const [top, own] = file.split('/');
    for (const [, included] of read(file).matchAll(/^#include "([^"]+)"/gm)) {
      const [otherTop, other] = included.split('/');
      if (top === 'common' && ['services', 'tests'].includes(otherTop)) problems.push(`${file}: ${included}`);
      if (top === 'services' && otherTop === 'services' && other !== own) problems.push(`${file}: ${included}`);
      if (top === 'services' && otherTop === 'tests') problems.push(`${file}: ${included}`);
    }
  }
  none(problems);
});

test('a domain knows no gRPC, no SQL and no clock of its own', () => {
  const banned =
    /grpcpp|common\/(pg|rpc|outbox|host)\/|common\/error\/status|system_clock::now|steady_clock::now|\.pb\.h/;
  none(
    files
      .filter((file) => /^services\/(.*\/)?domain\/(?!.*_test\.)/.test(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .map((line, index) => (banned.test(line) ? `${file}:${index + 1}: ${line.trim()}` : null))
          .filter(Boolean),
      ),
  );
});

test('services ask no calendar and no randomness but what they are handed', () => {
  const asked = sources.filter((file) => /^services\/(?!payctl\/)/.test(file) && !/_test\.cc$|\/testing\//.test(file));
  none(
    asked.flatMap((file) =>
      read(file)
        .split('\n')
        .map((line, index) =>
          /system_clock::now\(|std::random_device\b/.test(line.replace(/\/\/.*/, '')) ? `${file}:${index + 1}` : null,
        )
        .filter(Boolean),
    ),
  );
});

/** The calls of paymesh_library, paymesh_program and paymesh_test in a CMake file: what is built, its name, its sources and what it links. */
function targetsOf(text) {
  return [...text.replace(/#.*$/gm, '').matchAll(/\bpaymesh_(library|program|test)\(([^)]*)\)/g)].map(
    ([, kind, body]) => {
      const lists = {};
      let key = '';
      for (const word of body.trim().split(/\s+/)) {
        if (/^[A-Z_]+$/.test(word)) lists[(key = word)] = [];
        else lists[key]?.push(word);
      }
      return {
        kind,
        name: lists.NAME?.[0] ?? '',
        sources: [...(lists.SOURCES ?? []), ...(lists.APART ?? [])],
        links: lists.DEPS ?? [],
      };
    },
  );
}

/** What of a target would bring help for tests into a program: a library for tests and a program of nothing else are free. */
function helpForTests({kind, name, sources, links}) {
  const helps = (source) => source.includes('testing/');
  if (kind === 'test' || name.endsWith('_testing') || (kind === 'program' && sources.every(helps))) return [];
  return [...sources.filter(helps), ...links.filter((link) => /_testing$|^paymesh_source_dir$/.test(link))].map(
    (what) => `${name}: ${what}`,
  );
}

test('only tests and testing folders use what is in a testing folder', () => {
  const problems = sources
    .filter((file) => !/_test\.cc$|\/testing\/|^tests\//.test(file))
    .flatMap((file) =>
      [...read(file).matchAll(/^#include "((?:.*\/)?testing\/[^"]+)"/gm)].map(([, included]) => `${file}: ${included}`),
    );
  for (const file of files.filter((each) => /(^|\/)CMakeLists\.txt$|\.cmake$/.test(each))) {
    problems.push(
      ...targetsOf(read(file))
        .flatMap(helpForTests)
        .map((problem) => `${file}: ${problem}`),
    );
  }
  none(problems);
});

test('the check of testing folders sees a library that links or compiles help for tests', () => {
  const [bad, good, program] = targetsOf(`paymesh_library(NAME a SOURCES a.cc testing/b.cc  # one
    DEPS paymesh::pg paymesh::pg_testing TESTS a_test.cc TEST_DEPS paymesh::c_testing)
    paymesh_library(NAME a_testing SOURCES testing/b.cc DEPS paymesh::pg_testing)
    paymesh_program(NAME p SOURCES main.cc DEPS paymesh_source_dir)`);
  assert.deepEqual(helpForTests(bad), ['a: testing/b.cc', 'a: paymesh::pg_testing']);
  assert.deepEqual(helpForTests(good), []);
  assert.deepEqual(helpForTests(program), ['p: paymesh_source_dir']);
});

test('nothing is left open in the code', () => {
  const open = /\b(TODO|FIXME|HACK)\b(?!\))/;
  none(
    files
      .filter((file) => /\.(cc|h|mjs|sql|sol|sh|proto|yaml|tf)$/.test(file) && !/^tests\/(tidy\/|runner)/.test(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .map((line, index) => (open.test(line) ? `${file}:${index + 1}: ${line.trim()}` : null))
          .filter(Boolean),
      ),
  );
});

test('every migration of a folder has a number of its own', () => {
  const seen = new Map();
  const problems = [];
  for (const file of files.filter((each) => /\/migrations\/.*\.sql$/.test(each))) {
    const match = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file.split('/').pop());
    const key = `${dirname(file)}/${match?.[1]}`;
    if (!match || seen.has(key)) problems.push(file);
    seen.set(key, file);
  }
  none(problems);
});

test('every link in a README leads somewhere', () => {
  const problems = [];
  for (const file of files.filter((each) => each.endsWith('.md'))) {
    const text = read(file).replace(/```[\s\S]*?```/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|#|mailto:)/.test(target)) continue;
      if (!existsSync(join(root, dirname(file), target.split('#')[0]))) problems.push(`${file}: ${target}`);
    }
  }
  none(problems);
});

test('every payctl command that a page tells people to run is one that payctl has', () => {
  const known = new Set();
  for (const [, group, verbs = ''] of read('services/payctl/README.md').matchAll(
    /^\| `([a-z]+)(?: ([a-z|\\]+))?[^`]*` \|/gm,
  )) {
    for (const verb of verbs.split('\\|')) known.add(`${group} ${verb}`.trim());
  }
  assert.ok(known.size > 20, [...known].join(', '));
  none(
    files
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...read(file).matchAll(/(?:`|^\s*)(?:build\/release\/bin\/)?payctl ([a-z]+)(?: ([a-z]+))?/gm)]
          .filter(([, group, verb]) => !known.has(group) && !known.has(`${group} ${verb}`))
          .map(([told]) => `${file}: ${told}`),
      ),
  );
});

test('every service has a README and an example of its configuration', () => {
  for (const service of ['checkout', 'routing', 'watcher', 'settlement']) {
    assert.ok(existsSync(join(root, 'services', service, 'README.md')), service);
    assert.ok(existsSync(join(root, 'services', service, `${service}.example.yaml`)), service);
  }
});

test('the two commands of the README are there and can be run', () => {
  const readme = read('README.md');
  for (const command of ['deploy/local/up', 'tests/run']) {
    assert.ok(readme.includes(`./${command}`), command);
    assert.ok(execFileSync('test', ['-x', join(root, command)]) !== null);
  }
});

test('no lock file names a package host', () => {
  none(files.filter((file) => file.endsWith('package-lock.json')).filter((file) => /"resolved":/.test(read(file))));
});
