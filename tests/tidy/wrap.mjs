// Wraps the paragraphs and list items of Markdown pages that have a line over the limit; others, tables, headings
// and examples stay as they are. A code span is never broken: people and tests search for what is in it.
// Usage: node tests/tidy/wrap.mjs FILE...
import {readFileSync, writeFileSync} from 'node:fs';

const kColumns = 140;
const kItem = /^(\s*)([-*+]|\d+\.)\s+/;
const kNoText = /^\s*$|^\s*[|#>]|^\s*<|^\s*\[[^\]]+\]:/;
/** What would begin a list or a heading at the start of a line. */
const kMarker = /^([-*+#|>]|#+|\d+\.)$/;

function wrapBlock(block) {
  const hardBreak = block.some((line) => / {2}$/.test(line));
  if (hardBreak || block.every((line) => [...line].length <= kColumns)) return block;
  const marker = kItem.exec(block[0])?.[0] ?? /^\s*/.exec(block[0])[0];
  const indent = block.length > 1 ? /^\s*/.exec(block[1])[0] : ' '.repeat(marker.length);
  const text = [block[0].slice(marker.length), ...block.slice(1)].map((line) => line.trim()).join(' ');
  const words = text.replace(/`[^`]*`/g, (span) => span.replaceAll(' ', '\0')).split(/ +/);
  const lines = [marker + words.shift()];
  for (const word of words) {
    const last = lines[lines.length - 1];
    if ([...`${last} ${word}`].length > kColumns && !kMarker.test(word)) lines.push(indent + word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => line.replaceAll('\0', ' '));
}

function wrap(text) {
  const result = [];
  let block = [];
  let fenced = false;
  const flush = () => {
    result.push(...(block.length > 0 ? wrapBlock(block) : []));
    block = [];
  };
  for (const line of text.split('\n')) {
    const fence = line.trimStart().startsWith('```');
    if (fenced || fence || kNoText.test(line)) {
      flush();
      result.push(line);
    } else {
      if (kItem.test(line)) flush();
      block.push(line);
    }
    if (fence) fenced = !fenced;
  }
  flush();
  return result.join('\n');
}

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  const wrapped = wrap(text);
  if (wrapped !== text) writeFileSync(file, wrapped);
}
