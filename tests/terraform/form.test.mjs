// The form of the Terraform tree: formatted, parsed, documented, pinned, and made of nothing but its own modules.
import assert from 'node:assert/strict';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'node:test';
import {
  environments,
  filesBelow,
  loadAll,
  parseText,
  requiredModules,
  root,
  runTerraform,
  terraform,
  withoutTerraform,
} from './hcl.mjs';

const files = filesBelow(terraform);
const modules = await loadAll();

test('every file is formatted as terraform fmt does', {skip: withoutTerraform}, () => {
  const {status, stdout} = runTerraform(['fmt', '-check', '-recursive', terraform]);
  assert.equal(status, 0, `run terraform fmt -recursive terraform: ${stdout}`);
});

test('every file parses, tests and examples included', async () => {
  const hcl = files.filter((file) => /\.(tf|hcl|tfvars)(\.example)?$/.test(file));
  assert.ok(hcl.length > 40, `only ${hcl.length} files found`);
  for (const file of hcl) {
    const parsed = await parseText(file.replace(/\.example$/, ''), readFileSync(join(terraform, file), 'utf8'));
    assert.ok(Object.keys(parsed).length > 0, `${file} says nothing`);
  }
});

test('the modules and environments of the plan exist, each with its whole set of files', () => {
  for (const name of requiredModules) {
    for (const file of ['main.tf', 'variables.tf', 'outputs.tf', 'versions.tf', 'README.md']) {
      assert.ok(existsSync(join(terraform, 'modules', name, file)), `modules/${name}/${file} is missing`);
    }
    assert.ok(
      files.some((file) => file.startsWith(`modules/${name}/tests/`) && file.endsWith('.tftest.hcl')),
      `${name} has no tests`,
    );
  }
  for (const name of environments) {
    const parts = [
      'main.tf',
      'variables.tf',
      'outputs.tf',
      'versions.tf',
      'backend.hcl.example',
      'terraform.tfvars.example',
    ];
    for (const file of parts)
      assert.ok(existsSync(join(terraform, 'environments', name, file)), `${name}/${file} is missing`);
  }
});

test('every variable has a type and a description, every output a description', () => {
  for (const module of modules) {
    for (const [name, [variable]] of Object.entries(module.variable)) {
      assert.ok(variable.type, `${module.folder}: variable ${name} has no type`);
      assert.notEqual(variable.type, '${any}', `${module.folder}: variable ${name} is of any type`);
      assert.ok(variable.description?.length > 8, `${module.folder}: variable ${name} is not described`);
    }
    for (const [name, [output]] of Object.entries(module.output)) {
      assert.ok(output.description?.length > 8, `${module.folder}: output ${name} is not described`);
    }
  }
});

test('every variable is used and every used variable and local exists', () => {
  for (const module of modules) {
    const {variable, ...rest} = module;
    const text = JSON.stringify({...rest, validations: Object.values(variable)});
    const locals = new Set(module.locals.flatMap((each) => Object.keys(each)));
    const bodies = JSON.stringify(rest);
    for (const name of Object.keys(variable)) {
      assert.match(bodies, new RegExp(`var\\.${name}\\b`), `${module.folder}: variable ${name} is not used`);
    }
    for (const [, name] of text.matchAll(/\bvar\.(\w+)/g))
      assert.ok(variable[name], `${module.folder}: var.${name} does not exist`);
    for (const [, name] of text.matchAll(/\blocal\.(\w+)/g))
      assert.ok(locals.has(name), `${module.folder}: local.${name} does not exist`);
    for (const name of locals)
      assert.match(text, new RegExp(`local\\.${name}\\b`), `${module.folder}: local ${name} is not used`);
  }
});

test('every reference to a resource, data source or module names one that is there', () => {
  for (const module of modules) {
    const text = JSON.stringify(module);
    const expressions = [...text.matchAll(/\$\{(.*?)\}(?=[^}]|$)/g)].map((match) => match[1]).join('\n');
    for (const [, data, type, name] of expressions.matchAll(/(?<![\w./:-])(data\.)?(aws_[a-z0-9_]+)\.(\w+)/g)) {
      const kind = data ? 'data' : 'resource';
      assert.ok(module[kind][type]?.[name], `${module.folder}: ${data ?? ''}${type}.${name} does not exist`);
    }
    for (const [, name] of expressions.matchAll(/(?<![\w./-])module\.(\w+)/g)) {
      assert.ok(module.module[name], `${module.folder}: module.${name} does not exist`);
    }
  }
});

test('modules come from this tree, get exactly the variables that they have, and are asked for outputs that exist', () => {
  const byFolder = new Map(modules.map((module) => [module.folder, module]));
  const meta = new Set(['source', 'providers', 'count', 'for_each', 'depends_on']);
  for (const caller of modules) {
    for (const [name, [call]] of Object.entries(caller.module)) {
      const where = `${caller.folder}: module ${name}`;
      assert.match(call.source, /^\.\.?\//, `${where} comes from ${call.source}`);
      const called = byFolder.get(join(caller.folder, call.source));
      assert.ok(called, `${where}: there is no ${call.source}`);
      for (const key of Object.keys(call)) {
        if (!meta.has(key)) assert.ok(called.variable[key], `${where}: ${key} is no variable of ${called.folder}`);
      }
      for (const [key, [variable]] of Object.entries(called.variable)) {
        assert.ok('default' in variable || key in call, `${where}: ${key} is not given`);
      }
      for (const [, output] of JSON.stringify(caller).matchAll(new RegExp(`(?<!\\w)module\\.${name}\\.(\\w+)`, 'g'))) {
        assert.ok(called.output[output], `${where}: ${output} is no output of ${called.folder}`);
      }
    }
  }
});

test('terraform and the provider are pinned, alike everywhere', () => {
  for (const module of modules) {
    const [settings] = module.terraform;
    assert.equal(settings?.required_version, '>= 1.11, < 2.0', `${module.folder}: required_version`);
    const usesAws = Object.keys(module.resource).length > 0 || Object.keys(module.provider).length > 0;
    const aws = settings.required_providers?.[0].aws;
    if (usesAws)
      assert.deepEqual(aws, {source: 'hashicorp/aws', version: '~> 6.25'}, `${module.folder}: the aws provider`);
    for (const provider of Object.keys(settings.required_providers?.[0] ?? {})) {
      assert.equal(provider, 'aws', `${module.folder}: what is inside the cluster is the chart's, not a provider's`);
    }
  }
});

test('modules configure no provider and no backend', () => {
  for (const module of modules.filter(({folder}) => folder.startsWith('modules/'))) {
    assert.deepEqual(module.provider, {}, `${module.folder} configures a provider`);
    assert.equal(module.terraform[0].backend, undefined, `${module.folder} has a backend`);
  }
});

test('examples fill in exactly the variables that have no default', async () => {
  for (const name of environments) {
    const folder = `environments/${name}`;
    const text = readFileSync(join(terraform, folder, 'terraform.tfvars.example'), 'utf8');
    const given = Object.keys(await parseText('terraform.tfvars', text)).sort();
    const needed = Object.entries(modules.find((module) => module.folder === folder).variable)
      .filter(([, [variable]]) => !('default' in variable))
      .map(([key]) => key)
      .sort();
    assert.deepEqual(given, needed, folder);
  }
});

test('each README tells every variable and output of its module', () => {
  for (const module of modules.filter(({folder}) => folder.startsWith('modules/'))) {
    const text = readFileSync(join(terraform, module.folder, 'README.md'), 'utf8');
    for (const name of [...Object.keys(module.variable), ...Object.keys(module.output)]) {
      assert.ok(text.includes(`\`${name}\``), `${module.folder}/README.md does not mention ${name}`);
    }
  }
});

test('no state, secret or account of somebody is in the tree', () => {
  for (const file of files) {
    if (/\.terraform|(\.tfstate|\.tfplan|terraform\.tfvars|backend\.hcl)$/.test(file)) {
      assert.fail(`${file} is nothing for the repository; it is ignored by git, but in the way of these tests`);
    }
    const text = readFileSync(join(root, 'terraform', file), 'utf8');
    assert.doesNotMatch(text, /AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY/, file);
  }
});
