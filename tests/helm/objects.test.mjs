// Every object of every value file against the schemas of Kubernetes and of the extensions that it uses: their compiled
// validators for values, and the TypeScript compiler over typed literals for fields that no schema knows.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {hookOf, rendered, runHelm, tools, valueFiles, chart} from './chart.mjs';

const packages = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'external-secrets.io': '@kubernetes-models/external-secrets',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'keda.sh': '@kubernetes-models/keda',
};
// The versions that Kubernetes 1.30 to 1.34 and the extensions of today serve, for the kinds that the chart may make. Anything
// else is a mistake, most likely an API that has been removed.
const served = {
  v1: ['ConfigMap', 'Pod', 'Service', 'ServiceAccount'],
  'apps/v1': ['Deployment'],
  'batch/v1': ['Job'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'policy/v1': ['PodDisruptionBudget'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
  'cert-manager.io/v1': ['Certificate'],
  'external-secrets.io/v1': ['ExternalSecret'],
  'keda.sh/v1alpha1': ['ScaledObject'],
  'monitoring.coreos.com/v1': ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'],
};
const removed = [
  'extensions/v1beta1',
  'apps/v1beta1',
  'apps/v1beta2',
  'batch/v1beta1',
  'batch/v2alpha1',
  'policy/v1beta1',
  'autoscaling/v2beta1',
  'autoscaling/v2beta2',
  'networking.k8s.io/v1beta1',
  'rbac.authorization.k8s.io/v1beta1',
  'apiextensions.k8s.io/v1beta1',
  'external-secrets.io/v1beta1',
  'external-secrets.io/v1alpha1',
  'cert-manager.io/v1alpha2',
];

const moduleOf = (object) => {
  const group = object.apiVersion.split('/').length > 1 ? object.apiVersion.split('/')[0] : '';
  return `${packages[group] ?? 'kubernetes-models'}/${object.apiVersion}`;
};
const where = (file, object) => `${file}: ${object.kind} ${object.metadata.name}`;

/** Every distinct object with the file that it was first seen in. */
const distinct = new Map();
for (const file of valueFiles) {
  for (const object of rendered(file)) {
    const key = JSON.stringify(object);
    if (!distinct.has(key)) distinct.set(key, {file, object});
  }
}

test('a dozen value files are rendered', () => {
  assert.ok(valueFiles.length >= 12, `${valueFiles.length} files`);
});

test('helm lint finds nothing in any value file', () => {
  for (const file of valueFiles) {
    const {status, stdout, stderr} = runHelm('lint', '--strict', chart, '--values', join(chart, 'ci', file));
    assert.equal(status, 0, `${file}: ${stdout}${stderr}`);
    assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]/, `${file}: ${stdout}`);
  }
});

test('objects use API versions that are served, and none that was removed', () => {
  for (const {file, object} of distinct.values()) {
    assert.ok(!removed.includes(object.apiVersion), `${where(file, object)} uses ${object.apiVersion}`);
    assert.ok(served[object.apiVersion]?.includes(object.kind), `${where(file, object)} uses ${object.apiVersion}`);
  }
});

test("names are there once, valid and in the release's namespace", () => {
  for (const file of valueFiles) {
    const names = rendered(file)
      .filter((object) => !file.startsWith('extras') || !object.metadata.name.endsWith('-extra'))
      .map((object) => {
        assert.match(object.metadata.name, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, where(file, object));
        assert.ok(object.metadata.namespace === 'pay' || object.kind.endsWith('Monitor'), where(file, object));
        return `${object.apiVersion} ${object.kind} ${object.metadata.name}`;
      });
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
      file,
    );
    assert.ok(
      rendered(file).some((object) => hookOf(object) === 'test'),
      `${file} has no test`,
    );
  }
});

test("every value satisfies the schema's validators", async () => {
  for (const {file, object} of distinct.values()) {
    const module = pathToFileURL(join(tools, 'node_modules', moduleOf(object), `${object.kind}.js`)).href;
    const {[object.kind]: Model} = await import(module);
    try {
      new Model(object).validate();
    } catch (error) {
      assert.fail(`${where(file, object)}: ${error.message}`);
    }
  }
});

/** Type checks objects as literals of their kinds; the compiler's words, by file and kind. */
function compile(entries) {
  const folder = join(tools, 'node_modules', '.paymesh-objects');
  rmSync(folder, {recursive: true, force: true});
  mkdirSync(folder, {recursive: true});
  const imports = new Set();
  const literals = [];
  entries.forEach(({object}, index) => {
    const alias = `I${object.apiVersion.replace(/[^a-zA-Z0-9]/g, '_')}_${object.kind}`;
    imports.add(`import type {I${object.kind} as ${alias}} from '${moduleOf(object)}/${object.kind}';`);
    literals.push(`export const o${index}: ${alias} = ${JSON.stringify(object)};`);
  });
  const head = [...imports];
  writeFileSync(join(folder, 'objects.ts'), [...head, ...literals].join('\n'));
  try {
    execFileSync(
      process.execPath,
      [
        join(tools, 'node_modules', 'typescript', 'lib', 'tsc.js'),
        '--strict',
        '--noEmit',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--moduleResolution',
        'nodenext',
        '--target',
        'es2022',
        'objects.ts',
      ],
      {cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']},
    );
    return [];
  } catch (error) {
    return error.stdout
      .split('\n')
      .filter((line) => /error TS/.test(line))
      .map((line) => {
        const number = Number(/^objects\.ts\((\d+)/.exec(line)?.[1]) - head.length - 1;
        const entry = entries[number];
        return entry ? `${where(entry.file, entry.object)}: ${line.replace(/^.*?: error/, 'error')}` : line;
      });
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

test('no object has a field that its schema does not know, and the check would see one', () => {
  // The mistakes are planted in the same compilation: one at the top, one deep, one of a wrong type.
  const deployment = structuredClone([...distinct.values()].find(({object}) => object.kind === 'Deployment').object);
  deployment.spec.template.spec.containers[0].lifecycle.preStop.slep = {seconds: 1};
  const certificate = structuredClone([...distinct.values()].find(({object}) => object.kind === 'Certificate').object);
  certificate.spec.uriSANs = [];
  const policy = structuredClone([...distinct.values()].find(({object}) => object.kind === 'NetworkPolicy').object);
  policy.spec.policyTypes = 'Ingress';
  const planted = [deployment, certificate, policy].map((object) => ({file: 'planted', object}));
  const found = compile([...distinct.values(), ...planted]);
  assert.deepEqual(
    found.filter((line) => !line.startsWith('planted:')),
    [],
  );
  const kinds = new Set(found.map((line) => /^planted: (\w+)/.exec(line)?.[1]));
  assert.deepEqual([...kinds].sort(), ['Certificate', 'Deployment', 'NetworkPolicy']);
});
