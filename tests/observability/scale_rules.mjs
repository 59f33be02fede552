// Rules with every duration divided: `for`, `interval`, windows, offsets, and numbers marked "# seconds". So a local
// test sees in seconds what an operator sees in minutes.
// Usage: node scale_rules.mjs FACTOR FILE... >scaled.yaml
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {YAML} from './files.mjs';

const milliseconds = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000};

const leastSeconds = 4; // block times are whole seconds and so are scrapes: less would tell of nothing

/** "5m" divided; never below `least`, as a rate needs two scrapes. */
export function scaleDuration(text, factor, least = 0) {
  let total = 0;
  const rest = String(text).replace(/(\d+)(ms|[smhdwy])/g, (_, count, unit) => {
    total += Number(count) * milliseconds[unit];
    return '';
  });
  if (rest !== '' && rest !== '0') throw new Error(`${text} is no duration`);
  const scaled = Math.max(Math.round(total / factor), total === 0 ? 0 : least);
  return scaled % 1000 === 0 ? `${scaled / 1000}s` : `${scaled}ms`;
}

export function scaleExpression(expression, factor) {
  return expression
    .replace(
      /\[(\w+)(?::(\w*))?\]/g,
      (_, range, step) =>
        `[${scaleDuration(range, factor, 4000)}${step === undefined ? '' : `:${step && scaleDuration(step, factor, 1000)}`}]`,
    )
    .replace(/\boffset\s+(\w+)/g, (_, offset) => `offset ${scaleDuration(offset, factor)}`)
    .replace(
      /(\d+(?:\.\d+)?)(\s*# seconds)/g,
      (_, seconds, mark) => `${factor === 1 ? seconds : Math.max(Number(seconds) / factor, leastSeconds)}${mark}`,
    );
}

/** A parsed rules file, with its durations divided. */
export function scaleRules(file, factor) {
  return {
    groups: file.groups.map((group) => ({
      ...group,
      ...(group.interval ? {interval: scaleDuration(group.interval, factor, 1000)} : {}),
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: scaleExpression(rule.expr, factor),
        ...(rule.for ? {for: scaleDuration(rule.for, factor)} : {}),
      })),
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [factor, ...files] = process.argv.slice(2);
  if (!(Number(factor) > 0) || files.length === 0) {
    console.error('usage: scale_rules.mjs FACTOR FILE...');
    process.exit(2);
  }
  const groups = files.flatMap((file) => scaleRules(YAML.parse(readFileSync(file, 'utf8')), Number(factor)).groups);
  process.stdout.write(YAML.stringify({groups}, {lineWidth: 0}));
}
