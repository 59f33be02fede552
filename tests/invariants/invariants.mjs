// What must hold over the four databases, the chains and the callers' history. README.md has the table.
//
//   const violations = await checkInvariants(mesh, {history});   // [] when everything holds
//   violations: [{id, what, rows}], rows naming what breaks it
//
// Each database is read in one snapshot, but one after the other and while the services run, so work in
// flight can look like a violation for a moment: a violation is one that stays. The harness asks again
// until its time is up.
import {Context} from './context.mjs';
import {evidence} from './evidence.mjs';
import {history as callers} from './history.mjs';
import {ledger} from './ledger.mjs';
import {payments} from './payments.mjs';
import {payouts} from './payouts.mjs';

const number = (check) => Number(check.id.slice(1));

/** Every check: {id, what, run(context) -> rows that break it}. */
export const invariants = [...ledger, ...evidence, ...payouts, ...payments, ...callers].sort(
  (a, b) => number(a) - number(b),
);

/** `only`: ids to run instead of all. `history`: what callers did, see history.mjs. */
export async function checkInvariants(mesh, {history = [], only} = {}) {
  const context = new Context(mesh, {history});
  const violations = [];
  try {
    for (const {id, what, run} of invariants) {
      if (only && !only.includes(id)) continue;
      const rows = await run(context);
      if (rows.length > 0) violations.push({id, what, rows});
    }
  } finally {
    await context.close();
  }
  return violations;
}
