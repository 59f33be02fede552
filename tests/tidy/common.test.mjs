// The folders of common are a stair: an include leads to the folder itself or to one that common/CMakeLists.txt adds before it,
// and nowhere do files include one another in a circle.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (file) => readFileSync(join(root, file), 'utf8');
const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'common'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => /\.(cc|h|cc\.in)$/.test(file) && existsSync(join(root, file)));
const stair = /foreach\(part ([a-z ]+)\)/.exec(read('common/CMakeLists.txt'))[1].split(' ');
const included = (file) => [...read(file).matchAll(/^#include "(common\/[^"]+)"/gm)].map((match) => match[1]);

/** A header and its source are one room; so is what only the two of them share. */
const roomOf = (file) => file.replace(/(_impl)?\.(pb\.h|h|cc|cc\.in)$/, '');

/** A circle of rooms as a list that ends where it begins; empty when there is none. */
function circleOf(graph) {
  const done = new Set();
  const walk = (room, path) => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return [];
    for (const next of graph.get(room) ?? []) {
      const circle = walk(next, [...path, room]);
      if (circle.length > 0) return circle;
    }
    done.add(room);
    return [];
  };
  for (const room of graph.keys()) {
    const circle = walk(room, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

test('every folder of common is a step of the stair, and includes lead down', () => {
  const step = (file) => stair.indexOf(file.split('/')[1]);
  assert.deepEqual(
    sources.filter((file) => step(file) < 0),
    [],
  );
  assert.deepEqual(
    sources.flatMap((file) =>
      included(file)
        .filter((other) => step(other) < 0 || step(other) > step(file))
        .map((other) => `${file}: ${other}`),
    ),
    [],
  );
});

test('no files of common include one another in a circle', () => {
  const graph = new Map();
  for (const file of sources.filter((each) => !/_test\.cc$|\/testing\//.test(each))) {
    const room = roomOf(file);
    const others = included(file)
      .map(roomOf)
      .filter((other) => other !== room);
    graph.set(room, new Set([...(graph.get(room) ?? []), ...others]));
  }
  assert.deepEqual(circleOf(graph), []);
});

test('the search finds a circle, and no circle where two ways lead to one room', () => {
  assert.deepEqual(
    circleOf(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['d']],
        ['c', ['d']],
      ]),
    ),
    [],
  );
  assert.deepEqual(
    circleOf(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['b']],
      ]),
    ),
    ['b', 'c', 'b'],
  );
});
