// The mesh is broken in five ways, one after another, under a real Prometheus and Alertmanager with the chart's rules, their
// durations divided by thirty: exactly the alerts that name the cause are left, and none once it is repaired.
import assert from 'node:assert/strict';
import {dirname} from 'node:path';
import {after, before, test} from 'node:test';
import {spiffe} from '../../deploy/local/mesh/certificates.mjs';
import {activeAlerts, startObserve, stopObserve} from '../../deploy/local/mesh/observe.mjs';
import {freePorts, rpc, startMesh, waitFor} from '../e2e/harness.mjs';
import {promtoolPath} from './files.mjs';

process.env.PAYMESH_OBSERVE_BIN ??= dirname(promtoolPath());
const factor = 30;
const stays = 6_000; // how long the set must stay as it is

let mesh;
let addresses;
before(async () => {
  mesh = await startMesh({
    overrides: {
      settlement: (config) => {
        config.invariant_interval = '1s';
        config.sending.funding_interval = '1s';
      },
      watcher: (config) => {
        config.follow = {node_timeout: '1s', unreachable_after: '2s', invariants_interval: '1s'};
      },
    },
  });
  const merchant = await mesh.merchant();
  const [chain] = mesh.chains;
  const payment = await mesh.payable(merchant, chain);
  await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  await mesh.settled(payment); // so that there are books, and nonces that were used
  const [prometheus, alertmanager] = await freePorts(2);
  addresses = await startObserve(mesh.mesh, {factor, ports: {prometheus, alertmanager}});
});
after(async () => {
  if (!mesh) return;
  await stopObserve(mesh.mesh);
  await mesh.finish();
});

/** Waits until exactly these alerts are left after inhibition, and stay so. */
async function see(...expected) {
  const wanted = JSON.stringify([...expected].sort());
  let since = null;
  const before = new Set(); // what was seen on the way: a cause may be later than its consequences
  await waitFor(
    `the alerts ${wanted}, for ${stays / 1000} s`,
    async () => {
      const active = JSON.stringify(await activeAlerts(addresses));
      if (active !== wanted) {
        since = null;
        before.add(active);
        throw new Error(`there are: ${active}`);
      }
      since ??= Date.now();
      return Date.now() - since >= stays;
    },
    {timeoutMs: 120_000, everyMs: 250},
  );
  if (before.size > 0) console.log(`before ${wanted}: ${[...before].join(' ')}`);
}

/** Breaks, sees the alerts, repairs, and sees them go. */
async function broken({by, repaired, alerts}) {
  await by();
  try {
    await see(...alerts);
  } finally {
    await repaired();
  }
  await see();
}

test('a healthy mesh has no alerts', () => see());

test('settlement is killed', () =>
  broken({
    by: () => mesh.kill('settlement'),
    alerts: ['PaymeshTargetDown'],
    repaired: () => mesh.restart('settlement'),
  }));

test('a certificate is about to end', () =>
  broken({
    by: () => mesh.mesh.certificates.issue('routing', [spiffe('routing')], {days: 1}),
    alerts: ['TlsCertificateExpiringImminent'],
    repaired: () => mesh.mesh.certificates.issue('routing', [spiffe('routing')]),
  }));

test('nonces are missing', async () => {
  const chain = mesh.chains[0];
  const nonce = await rpc(chain, 'eth_getTransactionCount', [chain.operator, 'latest']);
  assert.ok(Number(nonce) >= 2, 'a sweep and a payout have left');
  await broken({
    by: () => rpc(chain, 'anvil_setNonce', [chain.operator, '0x0']),
    alerts: ['SettlementNonceGap'],
    repaired: () => rpc(chain, 'anvil_setNonce', [chain.operator, nonce]),
  });
});

test('the ledger does not balance', async () => {
  const {postgres} = mesh.mesh;
  // Triggers refuse it even to an administrator, unless he goes round them.
  const add = (sign) =>
    postgres.query(
      `SET session_replication_role = replica;
       UPDATE ledger_account SET debits = debits ${sign} 1 WHERE account_number = (SELECT max(account_number) FROM ledger_account WHERE code = 4100)`,
      {database: 'paymesh_settlement'},
    );
  await broken({by: () => add('+'), alerts: ['LedgerUnbalanced'], repaired: () => add('-')});
});

// The last one: an outage spends of the error budgets, whose alerts rightly outlive it.
test('a node stands still', async () => {
  const [chain] = mesh.mesh.chains;
  mesh.mesh.processes.signal(chain.process, 'SIGSTOP');
  try {
    await see('WatcherChainUnreachable');
  } finally {
    mesh.mesh.processes.signal(chain.process, 'SIGCONT');
  }
});
