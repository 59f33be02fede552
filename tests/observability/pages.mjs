// The metrics pages of a running mesh, read as a scraper would.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from './files.mjs';

export const openMetrics = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

/** What metrics.txt lists: {name, kind, services, later}. */
export const listed = readFileSync(join(root, 'tests', 'observability', 'metrics.txt'), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => line.split(/\s+/))
  .map(([name, kind, services, later]) => ({name, kind, services: services.split(','), later: later === 'later'}));

/** A page's text, and its content type. */
export async function page(url, accept = '') {
  const response = await fetch(url, {headers: {accept}});
  assert.equal(response.status, 200, url);
  return {text: await response.text(), type: response.headers.get('content-type')};
}

/** name -> kind. */
export const kindsOf = (text) =>
  new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));

/** Every series of a page, `name{labels}` -> value. */
export const seriesOf = (text) =>
  new Map(
    text
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ');
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );

/** The labels of a series. */
export const labelsOf = (series) =>
  Object.fromEntries([...series.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]));
