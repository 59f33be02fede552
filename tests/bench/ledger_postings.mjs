// Postings through settlement's ledger store beside a transaction a transfer (seven statements), on
// one PostgreSQL: over 100,000 accounts on each side, and with one hot account on the debit side.
//
//   node tests/bench/ledger_postings.mjs
//
// Fails when a posting is lost or doubled, or when any account's sums are not those of its legs.
import {
  cpuLine,
  main,
  measure,
  milliseconds,
  progress,
  repetitions,
  report,
  shown,
  table,
  withCpu,
  withMesh,
} from './lib.mjs';

const kBatches = [1, 256]; // journals a transaction: a single one, and what a follower takes at once
const kNaiveClients = 8;

async function run(mesh) {
  await mesh.postgres.start();
  mesh.postgres.query('CREATE DATABASE ledger');
  const conninfo = ['--conninfo', mesh.postgres.adminConninfo('ledger')];
  progress('accounts');
  await measure('bench_ledger', ['prepare', ...conninfo]);
  const results = {};
  const posted = {ledger: 0, naive: 0};
  async function once(key, what, spread, more) {
    const prefix = `${key}-${results[key]?.length ?? 0}`;
    const result = await withCpu(mesh, {}, async () => {
      const measured = await measure('bench_ledger', [
        what,
        spread,
        ...conninfo,
        '--prefix',
        prefix,
        '--milliseconds',
        String(milliseconds),
        ...more,
      ]);
      return {...measured, calls: measured.postings};
    });
    posted[what] += result.postings;
    (results[key] ??= []).push(result);
  }
  for (let i = 0; i < repetitions; i++) {
    progress(`repetition ${i + 1} of ${repetitions}`);
    for (const spread of ['uniform', 'hot']) {
      for (const batch of kBatches)
        await once(`ledger-${spread}-${batch}`, 'ledger', spread, ['--batch', String(batch)]);
      await once(`naive-${spread}`, 'naive', spread, ['--clients', String(kNaiveClients)]);
    }
  }
  for (const kind of ['ledger', 'naive'])
    await measure('bench_ledger', ['check', kind, ...conninfo, '--posted', String(posted[kind])]);
  show(results, posted);
}

function show(results, posted) {
  const rows = [['', 'uniform /s', 'one hot account /s', 'hot to uniform']];
  const row = (name, key) => {
    const [uniform, hot] = ['uniform', 'hot'].map((spread) => results[key(spread)].map((r) => r.postings_per_second));
    rows.push([name, shown(uniform), shown(hot), shown(hot.map((rate, i) => rate / uniform[i]))]);
  };
  for (const batch of kBatches)
    row(`settlement's ledger, ${batch} a transaction`, (spread) => `ledger-${spread}-${batch}`);
  row(`peer: a transaction each, ${kNaiveClients} clients`, (spread) => `naive-${spread}`);
  const ratio = (spread) =>
    shown(
      results[`ledger-${spread}-${kBatches.at(-1)}`].map(
        (r, i) => r.postings_per_second / results[`naive-${spread}`][i].postings_per_second,
      ),
    );
  report(
    'ledger_postings',
    [
      table(rows),
      '',
      `Ledger in batches to the peer: uniform ${ratio('uniform')}, hot ${ratio('hot')}`,
      `CPU a posting, microseconds: ledger ${cpuLine(results[`ledger-uniform-${kBatches.at(-1)}`])}; peer ${cpuLine(results['naive-uniform'])}`,
      `${posted.ledger} and ${posted.naive} postings found once each; all accounts are the sums of their legs`,
    ],
    {results, posted},
  );
}

await main(() => withMesh({}, run));
