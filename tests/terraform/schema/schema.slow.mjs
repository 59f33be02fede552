// Every argument of every resource and data source exists in the AWS provider, with that type; every attribute
// that is asked for exists too. And the check itself catches planted mistakes.
import assert from 'node:assert/strict';
import test from 'node:test';
import {blocks, loadAll, parseText} from '../hcl.mjs';
import {checkBody, readType} from './types.mjs';

const modules = await loadAll();
const known = new Map();
const typeOf = (kind, type) => {
  const key = `${kind} ${type}`;
  if (!known.has(key)) known.set(key, readType(kind, type));
  return known.get(key);
};

function check(kind, {type, body, where}) {
  const schema = typeOf(kind, type);
  return schema ? checkBody(schema, schema.config, body, where, [], true) : [`${where}: there is no such ${kind}`];
}

test('every argument of every resource is in the schema, with its type', () => {
  const resources = blocks(modules, 'resource');
  assert.ok(resources.length > 60, `only ${resources.length} resources found`);
  assert.deepEqual(
    resources.flatMap((block) => check('resource', block)),
    [],
  );
});

test('every argument of every data source is in the schema, with its type', () => {
  assert.deepEqual(
    blocks(modules, 'data').flatMap((block) => check('data', block)),
    [],
  );
});

test('every attribute that an expression asks for is in the schema', () => {
  const problems = [];
  let asked = 0;
  for (const module of modules) {
    const references = JSON.stringify(module).matchAll(/(?<![\w.])(data\.)?(aws_\w+)\.\w+(?:\[[^\]]*\])?\.([a-z]\w*)/g);
    for (const [text, data, type, attribute] of references) {
      asked++;
      const kind = data ? 'data' : 'resource';
      const schema = typeOf(kind, type);
      const name = attribute.replace(/_/g, '').toLowerCase();
      // Attributes are getters; computed blocks have a getter each as well.
      if (!schema?.attributes.has(name)) problems.push(`${module.folder}: ${text}`);
    }
  }
  assert.ok(asked > 100, `only ${asked} references found`);
  assert.deepEqual(problems, []);
});

const planted = {
  'a misspelt argument': ['aws_kms_key', 'descripton = "x"', /there is no such argument/],
  'a misspelt argument in a block': [
    'aws_eks_cluster',
    'name = "x"\nrole_arn = "x"\nvpc_config {\nsubnet_id = []\n}',
    /subnet_id: there is no such argument/,
  ],
  'a wrong type': ['aws_kms_key', 'deletion_window_in_days = "a month"', /a number is needed/],
  'a string for a list': ['aws_db_subnet_group', 'subnet_ids = "one"', /a list is needed/],
  'a required argument left out': ['aws_ecr_repository', 'force_delete = false', /name is required/],
  'a block written twice': [
    'aws_ecr_repository',
    'name = "x"\nimage_scanning_configuration {\nscan_on_push = true\n}\nimage_scanning_configuration {\nscan_on_push = true\n}',
    /only one/,
  ],
  'an unknown resource': ['aws_kms_keys', '', /there is no such resource/],
};
for (const [mistake, [type, text, expected]] of Object.entries(planted)) {
  test(`the check catches ${mistake}`, async () => {
    const parsed = await parseText('planted.tf', `resource "${type}" "this" {\n${text}\n}\n`);
    const [body] = parsed.resource[type].this;
    assert.match(check('resource', {type, body, where: 'planted'}).join('; '), expected);
  });
}
