// metrics.txt against a running mesh: PAYMESH_SCRAPE names its metrics pages, separated by commas.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {root} from './files.mjs';

const pages = (process.env.PAYMESH_SCRAPE ?? '').split(',').filter(Boolean);
const listed = readFileSync(join(root, 'tests', 'observability', 'metrics.txt'), 'utf8').split('\n')
    .filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/))
    .map(([name, kind, services, later]) => ({name, kind, services: services.split(','), later: later === 'later'}));

/** name -> kind of one page, and whose page it is. */
async function scrape(url) {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  const text = await response.text();
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));
  const [, service] = /paymesh_build_info\{[^}]*service="([^"]+)"/.exec(text) ?? [];
  assert.ok(service, `${url} does not say whose it is`);
  return {service, kinds, text};
}

test('a running mesh exposes what is listed, and nothing beside it', {skip: pages.length === 0 && 'PAYMESH_SCRAPE is not set'}, async () => {
  const scraped = await Promise.all(pages.map(scrape));
  for (const {service, kinds} of scraped) {
    for (const {name, kind, services, later} of listed) {
      if (!services.includes('all') && !services.includes(service)) continue;
      if (!kinds.has(name)) assert.ok(later, `${service} does not expose ${name}`);
      else assert.equal(kinds.get(name), kind, `${service}: ${name}`);
    }
    for (const name of kinds.keys()) {
      const known = listed.find((each) => each.name === name);
      assert.ok(known, `${service} exposes ${name}, which metrics.txt does not list`);
      assert.ok(known.services.includes('all') || known.services.includes(service), `${service} exposes ${name} too`);
    }
  }
});

test('no label is an id, an address or a hash', {skip: pages.length === 0 && 'PAYMESH_SCRAPE is not set'}, async () => {
  for (const {service, text} of await Promise.all(pages.map(scrape))) {
    for (const line of text.split('\n')) {
      if (line.startsWith('#') || line.startsWith('paymesh_chains_config_info')) continue;
      assert.doesNotMatch(line, /"(pay|mer|trf|pot|dst|req)_[0-9a-z]{10,}|0x[0-9a-fA-F]{40}/, service);
    }
  }
});
