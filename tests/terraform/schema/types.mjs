// Reads the provider's published types: which arguments a resource has, of which type, and which attributes.
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const lib = join(dirname(fileURLToPath(import.meta.url)), 'node_modules', '@cdktf', 'provider-aws', 'lib');
const camel = (name) => name.replace(/_+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const plain = (name) => name.replace(/_/g, '').toLowerCase();

/** {config: Map name -> field, interfaces, attributes: Set} of aws_x or data aws_x; undefined when there is none. */
export function readType(kind, type) {
  const folder = join(lib, `${kind === 'data' ? 'data-aws-' : ''}${type.replace(/^aws_/, '').replace(/_/g, '-')}`);
  if (!existsSync(folder)) return undefined;
  const text = readdirSync(folder)
    .filter((file) => file.endsWith('.d.ts'))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\//g, '');
  const interfaces = new Map();
  let config;
  for (const [, name, base, body] of text.matchAll(/export interface (\w+)( extends [\w.]+)? \{\n([\s\S]*?)\n\}/g)) {
    const fields = new Map();
    for (const [, field, optional, what] of body.matchAll(/readonly (\w+)(\?)?: ([^;{]+|\{[^}]*\});/g)) {
      fields.set(plain(field), {required: !optional, type: what.replace(/ \| cdktf\.IResolvable/g, '').trim()});
    }
    interfaces.set(name, fields);
    if (base) config = fields;
  }
  const attributes = new Set([...text.matchAll(/\n {4}get (\w+)\(\)/g)].map((match) => plain(match[1])));
  return {config, interfaces, attributes};
}

const meta = new Set(['for_each', 'count', 'depends_on', 'lifecycle', 'provider', 'provisioner', 'connection']);
const isExpression = (value) => typeof value === 'string' && value.includes('${');

function checkScalar(type, value) {
  if (isExpression(value)) return undefined;
  const numeric = typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
  if (type === 'string')
    return ['string', 'number', 'boolean'].includes(typeof value) ? undefined : 'a string is needed';
  if (type === 'number') return numeric ? undefined : 'a number is needed';
  if (type === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false is needed';
  return undefined;
}

function checkValue(schema, type, value, path, problems) {
  const say = (problem) => problem && problems.push(`${path}: ${problem}`);
  if (['string', 'number', 'boolean'].includes(type))
    return say(
      Array.isArray(value) || (value && typeof value === 'object') ? `a ${type} is needed` : checkScalar(type, value),
    );
  if (type.startsWith('{'))
    return say(
      isExpression(value) || (value && typeof value === 'object' && !Array.isArray(value))
        ? undefined
        : 'a map is needed',
    );
  const element = type.endsWith('[]') ? type.slice(0, -2) : type;
  if (['string', 'number', 'boolean'].includes(element)) {
    if (isExpression(value)) return undefined;
    if (!Array.isArray(value)) return say('a list is needed');
    return value.forEach((each) => say(checkScalar(element, each)));
  }
  const fields = schema.interfaces.get(element);
  if (!fields) return say(`the schema's type ${type} is not understood`);
  if (isExpression(value)) return undefined;
  if (!Array.isArray(value)) return say('a block is needed');
  if (!type.endsWith('[]') && value.length > 1) say('only one such block is allowed');
  for (const block of value) checkBody(schema, fields, block, path, problems);
  return undefined;
}

/** Problems of a resource's or block's body against its fields, as texts. */
export function checkBody(schema, fields, body, path, problems, top = false) {
  const given = new Map(Object.entries(body).filter(([name]) => name !== 'dynamic' && !(top && meta.has(name))));
  for (const [name, dynamics] of Object.entries(body.dynamic ?? {})) {
    given.set(
      name,
      dynamics.flatMap((dynamic) => dynamic.content),
    );
  }
  for (const [name, value] of given) {
    const field = fields.get(plain(camel(name)));
    if (!field) problems.push(`${path}.${name}: there is no such argument`);
    else if (value !== null) checkValue(schema, field.type, value, `${path}.${name}`, problems);
  }
  const names = new Set([...given.keys()].map((name) => plain(camel(name))));
  for (const [name, {required}] of fields)
    if (required && !names.has(name)) problems.push(`${path}: ${name} is required`);
  return problems;
}
