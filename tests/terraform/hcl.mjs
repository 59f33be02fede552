// The Terraform tree as the tests see it: every file parsed, gathered by module, with verbs to look into it.
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {spawnSync} from 'node:child_process';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const terraform = join(root, 'terraform');
const tools = join(root, 'tests', 'tools');
if (!existsSync(join(tools, 'node_modules', '@cdktf', 'hcl2json'))) {
  throw new Error('the HCL parser is not installed: run tests/tools/install');
}
const require = createRequire(join(tools, 'package.json'));
const {parse} = require('@cdktf/hcl2json');

export const environments = ['dev', 'prod'];
export const requiredModules = ['network', 'cluster', 'database', 'registry', 'signing-keys', 'workload-identity'];

/** Paths of all files below a folder, relative to it, without what terraform itself puts there. */
export function filesBelow(folder, prefix = '') {
  return readdirSync(join(folder, prefix), {withFileTypes: true})
    .flatMap((entry) => {
      const path = join(prefix, entry.name);
      if (entry.name === '.terraform') return [];
      return entry.isDirectory() ? filesBelow(folder, path) : [path];
    })
    .sort();
}

export function parseText(name, text) {
  return parse(name, text);
}

/** One folder of .tf files as one object: blocks of equal type put together. */
async function loadModule(folder) {
  const module = {
    folder: relative(terraform, folder),
    resource: {},
    data: {},
    variable: {},
    output: {},
    module: {},
    locals: [],
    terraform: [],
    provider: {},
  };
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.tf'))
    .sort()) {
    const parsed = await parse(file, readFileSync(join(folder, file), 'utf8'));
    for (const [kind, content] of Object.entries(parsed)) {
      if (Array.isArray(content)) module[kind].push(...content);
      else
        for (const [name, value] of Object.entries(content)) {
          if (kind === 'resource' || kind === 'data') module[kind][name] = {...module[kind][name], ...value};
          else module[kind][name] = value;
        }
    }
  }
  return module;
}

/** Every module and root: [{folder, resource, variable, ...}]. */
export async function loadAll() {
  const folders = [
    ...new Set(
      filesBelow(terraform)
        .filter((file) => file.endsWith('.tf'))
        .map((file) => dirname(file)),
    ),
  ];
  return Promise.all(folders.map((folder) => loadModule(join(terraform, folder))));
}

/** [{module, type, name, body}] of the resources (or data sources) of a type, or of all. */
export function blocks(modules, kind, type) {
  return modules.flatMap((module) =>
    Object.entries(module[kind])
      .filter(([each]) => type === undefined || each === type)
      .flatMap(([each, byName]) =>
        Object.entries(byName).map(([name, [body]]) => ({
          module,
          type: each,
          name,
          body,
          where: `${module.folder}: ${each}.${name}`,
        })),
      ),
  );
}

/** Statements of a policy document, those in dynamic blocks too. */
export function statements(document) {
  return [...(document.statement ?? []), ...(document.dynamic?.statement ?? []).flatMap((block) => block.content)];
}

export const asList = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** Where terraform is, or undefined. It is given no configuration of the user's and never calls home. */
export function runTerraform(args, options = {}) {
  const env = {...process.env, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1', TF_CLI_CONFIG_FILE: '/dev/null'};
  return spawnSync('terraform', args, {encoding: 'utf8', env, ...options});
}

export const hasTerraform = runTerraform(['version']).status === 0;
export const withoutTerraform = hasTerraform ? false : 'terraform is not on this machine';
