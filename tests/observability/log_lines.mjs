// The lines that a service can write to its log, rendered as the logger does, with an ellipsis where a value is put in. They
// are read from the code, so a message that changes is missed by the runbook that looks for it.
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {root} from './files.mjs';

const read = (path) => readFileSync(path, 'utf8');
const sources = (folder) =>
  readdirSync(join(root, folder), {recursive: true})
    .sort()
    .filter((name) => /\.(cc|h)$/.test(name) && !/(_test|test_\w+|_testing|\/testing\/.*)\.(cc|h)$/.test(name))
    .map((name) => read(join(root, folder, name)).replace(/^\s*\/\/.*$/gm, ''));

/** The end of the argument list that begins at `start`, behind its opening parenthesis. */
function argumentsEnd(text, start) {
  let depth = 1;
  for (let at = start; at < text.length; ++at) {
    if (text[at] === '"') {
      while (text[++at] !== '"') if (text[at] === '\\') ++at;
    } else if (text[at] === '(') {
      ++depth;
    } else if (text[at] === ')' && --depth === 0) {
      return at;
    }
  }
  return text.length;
}

const literals = (text) =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, literal]) => literal.replace(/\\(.)/g, '$1'));

function render(service, level, message, keys) {
  const fields = [
    ['ts', '2026-01-01T00:00:00.000Z'],
    ['level', level],
    ['msg', message],
    ['service', service],
    ['version', '0.1.0'],
    ...keys,
  ];
  return JSON.stringify(Object.fromEntries(fields));
}

/** log.Warn("message", {{"key", value}, ...}) */
function* messages(service, text) {
  for (const call of text.matchAll(/\blog(?:_|\(\)|\.|->)*\.?(Info|Warn|Error)\(/g)) {
    const start = call.index + call[0].length;
    const inside = text.slice(start, argumentsEnd(text, start));
    const [message] = literals(inside);
    if (!inside.trimStart().startsWith('"')) continue;
    const keys = [...inside.matchAll(/\{\s*"(\w+)",/g)].map(([, key]) => [key, '…']);
    yield render(service, call[1].toLowerCase(), message, keys);
  }
}

/** Log("text " + value + " more"): libraries put their sentences together and hand them to whoever owns the log. */
function* sentences(service, text) {
  for (const call of text.matchAll(/\b(?:Log|options_?\.log)\(/g)) {
    const start = call.index + call[0].length;
    const parts = literals(text.slice(start, argumentsEnd(text, start)));
    if (parts.length > 0) yield render(service, 'warn', `…${parts.join('…')}…`, []);
  }
}

const codeOf = (factory) => factory.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();

/** The constants of a service's reasons.h: their names, and the text of each. */
const reasonsOf = (service) =>
  new Map(
    [...read(join(root, 'services', service, 'reasons.h')).matchAll(/string_view (k\w+)\s*=\s*"(\w+)"/g)].map(
      ([, name, text]) => [name, text],
    ),
  );

/** The line of a call, for every reason that the code has; its keys are those of CallState::Log and NameInLog. */
function* calls(service, text) {
  const server = read(join(root, 'common', 'rpc', 'server', 'server_call.cc'));
  const keys = [
    ...server.matchAll(/fields\.emplace_back\("(\w+)"/g),
    ...read(join(root, 'common', 'rpc', 'server', 'server.h')).matchAll(/\badd\("(\w+)"/g),
  ].map(([, key]) => [key, '…']);
  const line = (code, reason) =>
    render(
      service,
      code === 'INTERNAL' ? 'error' : 'info',
      'call',
      Object.entries({...Object.fromEntries(keys), code, reason}),
    );
  for (const [, factory, reason] of text.matchAll(/\bError::(\w+)\(\s*"([A-Z][A-Z_]+)"/g))
    yield line(codeOf(factory), reason);
  for (const [, factory, name] of text.matchAll(/\bError::(\w+)\(\s*std::string\(reasons::(k\w+)\)/g))
    yield line(codeOf(factory), reasonsOf(service).get(name));
  for (const code of ['INTERNAL', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'UNKNOWN']) yield line(code, code);
}

const common = sources('common');

/** All lines of one service. */
export function logLines(service) {
  const lines = new Set();
  for (const text of [...common, ...sources(`services/${service}`)]) {
    for (const kind of [messages, sentences, calls]) for (const line of kind(service, text)) lines.add(line);
  }
  return [...lines];
}

/** The keys of all of a service's lines. */
export const logKeys = (lines) => new Set(lines.flatMap((line) => Object.keys(JSON.parse(line))));
