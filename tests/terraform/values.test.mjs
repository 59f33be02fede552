// From Terraform's outputs to the chart: the values that a real terraform writes are a chart that a real helm renders.
import assert from 'node:assert/strict';
import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {spawnSync} from 'node:child_process';
import {pathToFileURL} from 'node:url';
import test, {after, before} from 'node:test';
import {hasTerraform, parseText, root, runTerraform, terraform, withoutTerraform} from './hcl.mjs';

const tools = join(root, 'tests', 'tools');
const YAML = createRequire(join(tools, 'package.json'))('yaml');
const module = join(terraform, 'modules', 'chart-values');
let folder;

function run(...args) {
  const {status, stdout, stderr} = runTerraform(args, {cwd: folder});
  assert.equal(status, 0, `terraform ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** The values for production with the given changes of variables, as the output's text. */
async function valuesWith(changes) {
  const parsed = await parseText('values.tftest.hcl', readFileSync(join(module, 'tests', 'values.tftest.hcl'), 'utf8'));
  const variables = Array.isArray(parsed.variables) ? parsed.variables[0] : parsed.variables;
  writeFileSync(join(folder, 'test.auto.tfvars.json'), JSON.stringify({...variables, ...changes}));
  run('apply', '-auto-approve', '-no-color', '-input=false');
  return run('output', '-raw', 'yaml');
}

function render(text, ...more) {
  const file = join(folder, 'values.aws.yaml');
  writeFileSync(file, text);
  const own = join(folder, 'own.yaml');
  writeFileSync(own, 'certManager: {issuerRef: {name: mesh-ca}}\nchains: {existingSecret: paymesh-chains}\n');
  const {status, stdout, stderr} = spawnSync(
    join(tools, 'bin', 'helm'),
    ['template', 'paymesh', join(root, 'helm', 'paymesh'), '--namespace', 'pay', '-f', file, '-f', own, ...more],
    {encoding: 'utf8', maxBuffer: 64 << 20},
  );
  assert.equal(status, 0, stderr);
  return YAML.parseAllDocuments(stdout)
    .map((document) => document.toJS())
    .filter(Boolean);
}

before(() => {
  if (!hasTerraform) return;
  folder = mkdtempSync(join(tmpdir(), 'paymesh-terraform-'));
  cpSync(module, folder, {recursive: true});
  run('init', '-backend=false', '-no-color', '-input=false');
});
after(() => folder && rmSync(folder, {recursive: true, force: true}));

test("the module's own tests pass", {skip: withoutTerraform}, () => {
  assert.match(run('test', '-no-color'), /Success! [3-9] passed, 0 failed/);
});

test('the chart renders with the values of an installation with Pod Identity', {skip: withoutTerraform}, async () => {
  const objects = render(await valuesWith({}));
  const accounts = objects.filter(({kind}) => kind === 'ServiceAccount').map(({metadata}) => metadata.name);
  assert.ok(accounts.includes('paymesh-settlement'), 'the account that Terraform ties the role to');
  const secrets = objects.filter(
    ({kind, metadata}) => kind === 'ExternalSecret' && !metadata.name.includes('migration'),
  );
  const read = new Set(secrets.flatMap(({spec}) => (spec.dataFrom ?? []).map(({extract}) => extract.key)));
  assert.deepEqual(
    [...read].sort(),
    ['checkout', 'routing', 'settlement', 'watcher'].map((name) => `paymesh-prod/${name}`),
  );
  const images = objects
    .filter(({kind}) => kind === 'Deployment')
    .map(({spec}) => spec.template.spec.containers[0].image);
  for (const image of images) assert.match(image, /^123456789012\.dkr\.ecr\.eu-central-1\.amazonaws\.com\/paymesh\//);
  const policy = objects.find(({kind, metadata}) => kind === 'NetworkPolicy' && metadata.name === 'paymesh-settlement');
  const text = JSON.stringify(policy.spec.egress);
  for (const cidr of ['10.20.64.0/24', '10.20.80.0/24', '169.254.170.23/32'])
    assert.ok(text.includes(cidr), `settlement reaches ${cidr}`);
  assert.ok(!text.includes('0.0.0.0/0'), 'settlement signs without a way out');
  const others = objects.filter(({kind, metadata}) => kind === 'NetworkPolicy' && metadata.name === 'paymesh-routing');
  assert.ok(
    others.length === 1 && !JSON.stringify(others).includes('10.20.80.0/24'),
    'routing has no business with AWS',
  );
});

test(
  "the store in README.md is the one that those values name, as its operator's schema has it",
  {skip: withoutTerraform},
  async () => {
    const text = /```yaml\n([\s\S]*?)```/.exec(readFileSync(join(terraform, 'README.md'), 'utf8'))[1];
    const store = YAML.parse(text);
    const models = join(
      tools,
      'node_modules',
      '@kubernetes-models',
      'external-secrets',
      'external-secrets.io',
      'v1',
      'ClusterSecretStore.js',
    );
    const {ClusterSecretStore} = await import(pathToFileURL(models).href);
    new ClusterSecretStore(store).validate();
    const secrets = render(await valuesWith({})).filter(({kind}) => kind === 'ExternalSecret');
    for (const {spec, metadata} of secrets) {
      assert.deepEqual(spec.secretStoreRef, {kind: store.kind, name: store.metadata.name});
      assert.deepEqual(store.spec.conditions, [{namespaces: [metadata.namespace]}]);
    }
  },
);

test(
  'the settlement of those values signs with the key in KMS and mounts no keystore',
  {skip: withoutTerraform},
  async () => {
    const objects = render(await valuesWith({}));
    const config = objects.find(
      ({kind, metadata, data}) =>
        kind === 'ConfigMap' && /^paymesh-settlement/.test(metadata.name) && data?.['config.yaml'],
    );
    const {signer} = YAML.parse(config.data['config.yaml']);
    assert.match(signer.kms.key_id, /^arn:aws:kms:eu-central-1:123456789012:key\//);
    assert.equal(signer.kms.region, 'eu-central-1');
    assert.equal(signer.keystore_file, undefined);
  },
);

test(
  "with web identity the role stands at settlement's account, and at no other",
  {skip: withoutTerraform},
  async () => {
    const objects = render(await valuesWith({identity_mode: 'irsa'}));
    const roles = objects
      .filter(({kind}) => kind === 'ServiceAccount')
      .flatMap(({metadata}) => (metadata.annotations?.['eks.amazonaws.com/role-arn'] ? [metadata.name] : []));
    assert.deepEqual([...new Set(roles)], ['paymesh-settlement']);
  },
);
