// A real Prometheus and Alertmanager over the local mesh, with the rules that the chart installs. Debian's packages
// prometheus and prometheus-alertmanager bring the programs.
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {delimiter, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {services} from './certificates.mjs';
import {yaml} from './configuration.mjs';
import {portTaken, waitFor} from './processes.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const alertsFolder = join(root, 'helm', 'paymesh', 'alerts');
export const inhibitionsPath = join(root, 'helm', 'paymesh', 'alertmanager', 'inhibitions.yaml');

/** Ports of both programs; tests move them by the mesh's offset. */
export const observePorts = (offset = 0) => ({prometheus: 7150 + offset, alertmanager: 7151 + offset});

/** A program of Debian's packages: PAYMESH_OBSERVE_BIN, or the PATH. */
function program(name) {
  const folders = [process.env.PAYMESH_OBSERVE_BIN, ...(process.env.PATH ?? '').split(delimiter)].filter(Boolean);
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed: deploy/local/install --observe`);
  return found;
}

/** The same labels as the chart's monitors give: job and service are the service's name. */
export function prometheusFile(mesh, {ports, ruleFiles, interval = '5s'}) {
  return yaml({
    global: {scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval},
    rule_files: ruleFiles,
    alerting: {alertmanagers: [{static_configs: [{targets: [`127.0.0.1:${ports.alertmanager}`]}]}]},
    scrape_configs: services.map((service) => ({
      job_name: service,
      static_configs: [{targets: [`127.0.0.1:${mesh.ports.metrics[service]}`], labels: {service, namespace: 'local'}}],
    })),
  }).trimStart();
}

/** Ends with the chart's inhibitions, as an operator's own Alertmanager does. */
export function alertmanagerFile({webhook} = {}) {
  return (
    yaml({
      route: {
        receiver: 'local',
        group_by: ['alertname', 'namespace', 'service', 'chain'],
        group_wait: '1s',
        group_interval: '5s',
        repeat_interval: '4h',
      },
      receivers: [{name: 'local', ...(webhook ? {webhook_configs: [{url: webhook}]} : {})}],
    }).trimStart() + readFileSync(inhibitionsPath, 'utf8')
  );
}

/** The chart's rules, copied beside the configuration; divided when a test is in a hurry. */
async function writeRules(folder, factor) {
  const names = readdirSync(alertsFolder).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));
  rmSync(join(folder, 'rules'), {recursive: true, force: true});
  mkdirSync(join(folder, 'rules'), {recursive: true});
  const local = (text) => text.replaceAll('namespace=~".+"', 'namespace="local"'); // as the chart does with the release's
  let change = local;
  if (factor !== 1) {
    const {scaleRules} = await import('../../../tests/observability/scale_rules.mjs');
    const {YAML} = await import('../../../tests/observability/files.mjs');
    change = (text) => YAML.stringify(scaleRules(YAML.parse(local(text)), factor), {lineWidth: 0});
  }
  return names.map((name) => {
    const path = join(folder, 'rules', name);
    writeFileSync(path, change(readFileSync(join(alertsFolder, name), 'utf8')));
    return path;
  });
}

const ready = (port) => async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;

/**
 * Starts both over a mesh that runs, and returns their addresses. `factor` divides the rules' durations; `webhook` is told
 * of each notification; `ports` are observePorts unless told otherwise.
 */
export async function startObserve(
  mesh,
  {factor = 1, ports = observePorts(), webhook, interval = factor === 1 ? '5s' : '1s'} = {},
) {
  const folder = mesh.path('observe');
  mkdirSync(folder, {recursive: true});
  for (const [name, port] of Object.entries(ports)) {
    if (!mesh.processes.pid(name) && (await portTaken(port)))
      throw new Error(`port ${port} (for ${name}) is taken by another program`);
  }
  const ruleFiles = await writeRules(folder, factor);
  const file = (name) => join(folder, `${name}.yaml`);
  writeFileSync(file('prometheus'), prometheusFile(mesh, {ports, ruleFiles, interval}));
  writeFileSync(file('alertmanager'), alertmanagerFile({webhook}));
  mesh.processes.start('alertmanager', program('prometheus-alertmanager'), [
    `--config.file=${file('alertmanager')}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
    '--cluster.listen-address=',
  ]);
  mesh.processes.start('prometheus', program('prometheus'), [
    `--config.file=${file('prometheus')}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    '--storage.tsdb.retention.time=2d',
    '--enable-feature=exemplar-storage', // a bucket's last trace: /api/v1/query_exemplars
    `--web.listen-address=127.0.0.1:${ports.prometheus}`,
  ]);
  for (const [name, port] of Object.entries(ports)) {
    await waitFor(`${name} on port ${port}`, () => {
      mesh.processes.requireAlive(name);
      return ready(port)();
    });
  }
  return {prometheus: `http://127.0.0.1:${ports.prometheus}`, alertmanager: `http://127.0.0.1:${ports.alertmanager}`};
}

/** Ends both; what Prometheus has stored stays below the mesh's folder. */
export async function stopObserve(mesh) {
  for (const name of ['prometheus', 'alertmanager']) await mesh.processes.stop(name, {graceMs: 10_000});
}

/** Names of the alerts that fire and are not inhibited, as Alertmanager sees them. */
export async function activeAlerts({alertmanager}) {
  const response = await fetch(`${alertmanager}/api/v2/alerts?active=true&silenced=false&inhibited=false`);
  if (!response.ok) throw new Error(`Alertmanager: ${response.status}`);
  return [...new Set((await response.json()).map(({labels}) => labels.alertname))].sort();
}
