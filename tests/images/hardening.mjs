// What makes a program hard to misuse, read back from the file itself by readelf: a flag that a compiler
// or linker silently ignored shows here.
import {execFileSync} from 'node:child_process';

/** What the file lacks, in words; none for a hardened one. */
export function weaknesses(file) {
  const read = (...flags) => execFileSync('readelf', ['-W', ...flags, file], {encoding: 'utf8', maxBuffer: 64 << 20});
  const header = read('-h');
  const segments = read('-l');
  const dynamic = read('-d');
  const symbols = read('--dyn-syms');
  const flags = (tag) => (new RegExp(`\\(${tag}\\)\\s+(?:Flags:)?(.*)`).exec(dynamic)?.[1] ?? '').trim().split(/\s+/);
  const stack = /GNU_STACK.*?\s([RWE ]{3})\s+0x/.exec(segments)?.[1];
  const fortified = [...symbols.matchAll(/\s(__\w+_chk)\b/g)].filter(([, name]) => name !== '__stack_chk_fail');
  const wanted = [
    [/Type:\s+DYN/.test(header) && flags('FLAGS_1').includes('PIE'), 'it is not position independent'],
    [/GNU_RELRO/.test(segments), 'relocations stay writable'],
    [
      flags('FLAGS_1').includes('NOW') || flags('FLAGS').includes('BIND_NOW'),
      'functions are bound late, so their table stays writable',
    ],
    [stack !== undefined && !stack.includes('E'), 'its stack is executable'],
    [!/LOAD\s.*\sRWE\s/.test(segments), 'a segment is both writable and executable'],
    [!/TEXTREL/.test(dynamic), 'its code is relocated'],
    [!/R(UN)?PATH/.test(dynamic), 'it carries a search path for libraries'],
    [/__stack_chk_fail/.test(symbols), 'stacks are not checked'],
    [fortified.length > 0, 'buffers are not checked'],
  ];
  return wanted.filter(([holds]) => !holds).map(([, what]) => what);
}
