// An error's reason is part of the contract: each one that a service raises itself is a constant of its reasons.h, where
// a comment explains it, the constant is used, and its README or its protos tell callers of it.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const read = (file) => readFileSync(join(root, file), 'utf8');
const isProduct = (file) => /\.(cc|h)$/.test(file) && !/_test\.cc$|\/testing\/|\/test_[^/]*$/.test(file);
const none = (problems) => assert.deepEqual(problems, []);

// Code without its comments, each line in its place.
const code = (file) => read(file).replace(/(^|\s)\/\/.*$/gm, '$1');
// What gives an error its reason, or compares one: Error::NotFound("X", ...), Error error{ErrorCode::kAborted, "X", ...},
// error.reason = "X", error.reason == "X".
const spelled = /(?:\bError::[A-Z]\w*\(\s*|\bErrorCode::k\w+,\s*|\.reason\s*[!=]?=\s*)"([A-Z][A-Z0-9_]+)"/g;
const literals = (file) => [...code(file).matchAll(spelled)].map((match) => match[1]);
// Of common a reason may be spelled as a literal wherever it is: it has no reasons.h.
const common = new Set(
  files
    .filter((file) => file.startsWith('common/') && isProduct(file))
    .flatMap((file) =>
      [...read(file).matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|"[A-Z]{3,}"/g)].map(([word]) =>
        word.replaceAll('"', ''),
      ),
    ),
);

const headers = files.filter((file) => /^services\/(.+\/)?reasons\.h$/.test(file));
// A reasons.h speaks for its folder and all below it that have none of their own.
const ownerOf = (file) =>
  headers.filter((header) => file.startsWith(`${dirname(header)}/`)).sort((one, other) => other.length - one.length)[0];
const constant = /((?:^ *\/\/.*\n)+)?^ *inline constexpr std::string_view (k\w+)\s*=\s*"(\w+)";/gm;

test('the services that raise reasons of their own say so in reasons.h', () => {
  for (const service of ['checkout', 'routing']) assert.ok(headers.includes(`services/${service}/reasons.h`), service);
});

test('no reason of a service is spelled outside its reasons.h', () => {
  const problems = [];
  for (const file of files.filter((each) => isProduct(each) && ownerOf(each) && !headers.includes(each))) {
    for (const reason of literals(file)) if (!common.has(reason)) problems.push(`${file}: ${reason}`);
  }
  none(problems);
});

test('each constant of a reasons.h is explained once, is used, and is told to callers', () => {
  const problems = [];
  for (const header of headers) {
    const service = header.split('/')[1];
    const found = [...read(header).matchAll(constant)];
    assert.ok(found.length > 0, header);
    const user =
      files
        .filter((file) => file.startsWith(`services/${service}/`) && isProduct(file) && !headers.includes(file))
        .map(code)
        .join('\n') + code(header).replace(constant, '');
    const told = files
      .filter(
        (file) =>
          (file.startsWith(`services/${service}/`) && file.endsWith('.md')) ||
          file.startsWith(`protos/paymesh/${service}/`),
      )
      .map(read)
      .join('\n');
    const seen = new Set();
    for (const [, comment, name, reason] of found) {
      if (!comment) problems.push(`${header}: ${name} has no comment`);
      if (
        name !==
        `k${reason
          .split('_')
          .map((word) => word[0] + word.slice(1).toLowerCase())
          .join('')}`
      )
        problems.push(`${header}: ${name} is not ${reason}`);
      if (seen.has(reason)) problems.push(`${header}: ${reason} stands twice`);
      if (!new RegExp(`\\b${name}\\b`).test(user)) problems.push(`${header}: ${name} is used by nobody`);
      if (!new RegExp(`\\b${reason}\\b`).test(told))
        problems.push(`${header}: no README and no proto tells of ${reason}`);
      seen.add(reason);
    }
  }
  none(problems);
});
