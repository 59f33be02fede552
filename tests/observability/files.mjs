// Where the rules, dashboards and runbooks are, and promtool.
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const alertsFolder = join(root, 'helm', 'paymesh', 'alerts');
export const inhibitionsPath = join(root, 'helm', 'paymesh', 'alertmanager', 'inhibitions.yaml');
export const dashboardsFolder = join(root, 'helm', 'paymesh', 'dashboards');
export const runbooksFolder = join(root, 'deploy', 'runbooks');
const tools = join(root, 'tests', 'tools');
if (!existsSync(join(tools, 'node_modules', 'yaml')))
  throw new Error('the tools are not installed: run tests/tools/install');
export const YAML = createRequire(join(tools, 'package.json'))('yaml');

/** The path of promtool: PAYMESH_PROMTOOL, tests/tools/bin, or the PATH. */
export function promtoolPath() {
  const places = [
    process.env.PAYMESH_PROMTOOL,
    join(tools, 'bin', 'promtool'),
    ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'promtool')),
  ];
  const found = places.find((path) => path && existsSync(path));
  if (!found) throw new Error('promtool is not installed: apt-get install prometheus');
  return found;
}

export function promtool(args, options = {}) {
  const {status, stdout, stderr} = spawnSync(promtoolPath(), args, {encoding: 'utf8', ...options});
  return {status, output: `${stdout}${stderr}`};
}

const names = (folder, suffix) =>
  (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.endsWith(suffix)).sort();
export const testFiles = () => names(alertsFolder, '.test.yaml');
export const ruleFiles = () => names(alertsFolder, '.yaml').filter((name) => !name.endsWith('.test.yaml'));
export const dashboardFiles = () => names(dashboardsFolder, '.json');
export const runbookFiles = () => names(runbooksFolder, '.md').filter((name) => name !== 'README.md');

export const readYaml = (name) => YAML.parse(readFileSync(join(alertsFolder, name), 'utf8'));
export const readDashboard = (name) => JSON.parse(readFileSync(join(dashboardsFolder, name), 'utf8'));

/** Every rule with its file. */
export function rules() {
  return ruleFiles().flatMap((file) =>
    readYaml(file).groups.flatMap((group) => group.rules.map((rule) => ({...rule, file}))),
  );
}

/** The metrics that the services expose, and those that Prometheus and the rules add. */
export function knownMetrics() {
  const listed = readFileSync(join(root, 'tests', 'observability', 'metrics.txt'), 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split(/\s+/));
  const known = new Set(['up', 'ALERTS']);
  for (const [name, kind] of listed) {
    known.add(name);
    if (kind === 'histogram') for (const suffix of ['_bucket', '_sum', '_count']) known.add(name + suffix);
  }
  for (const rule of rules()) if (rule.record) known.add(rule.record);
  return known;
}

const words = new Set(
  `and or unless on ignoring group_left group_right by without bool offset sum max min avg count topk bottomk quantile count_values
  rate increase irate changes time absent vector histogram_quantile label_replace clamp_min clamp_max avg_over_time max_over_time min_over_time
  delta deriv abs inf nan scalar sort sort_desc timestamp group stddev absent_over_time`.split(/\s+/),
);

/** The metrics that an expression names. */
export function metricsOf(expression) {
  const found = new Set();
  const names = expression.matchAll(/__name__=~"([^"]*)"/g);
  for (const [, list] of names) for (const name of list.split('|')) found.add(name);
  const bare = expression
    .replace(/#.*$/gm, '')
    .replace(/\{[^{}]*\}/g, ' ')
    .replace(/"[^"]*"/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)/g, ' ')
    .replace(/\boffset\s+\w+/g, ' ');
  for (const [name] of bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*/g))
    if (!words.has(name.toLowerCase()) || name === 'up') found.add(name);
  for (const name of [...found]) if (/^\d/.test(name) || /^e\d+$/i.test(name)) found.delete(name);
  return found;
}
