// The operator's tool against a running mesh: each verb, in the three forms of output, with data on
// stdout alone and an exit code that says what to do.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {after, before, test} from 'node:test';
import {startMesh, tokenUnit} from './harness.mjs';

let mesh;
let chain;
before(async () => {
  mesh = await startMesh();
  [chain] = mesh.chains;
});
after(() => mesh?.finish());

/** Runs payctl; resolves with {code, out, err}. */
function payctl(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(mesh.mesh.program('payctl'), ['--mesh', mesh.mesh.path('mesh.json'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const text = {out: '', err: ''};
    child.stdout.on('data', (chunk) => {
      text.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      text.err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({code, ...text}));
  });
}

async function json(...args) {
  const {code, out, err} = await payctl('-o', 'json', ...args);
  assert.equal(code, 0, `payctl ${args.join(' ')}: ${err}`);
  return JSON.parse(out);
}

const made = {};

test('a merchant is made with all tokens that are offered, and found again', async () => {
  const merchant = await json('merchants', 'create', '--name', 'Tool', '--fee-basis-points', '50');
  assert.equal(merchant.accepted_units.length, 2 * mesh.chains.length);
  made.merchant = merchant.merchant_id;
  assert.deepEqual(await json('merchants', 'get', made.merchant), merchant);
  const {merchants} = await json('merchants', 'list');
  assert.ok(merchants.some((each) => each.merchant_id === made.merchant));
});

test('an API key is shown once, listed without its secret, and revoked', async () => {
  const created = await json('keys', 'create', '--merchant', made.merchant, '--name', 'till');
  assert.ok(created.secret.length > 20);
  const listed = await payctl('-o', 'json', 'keys', 'list', '--merchant', made.merchant);
  assert.ok(!listed.out.includes(created.secret));
  assert.equal((await payctl('keys', 'revoke', created.api_key.api_key_id)).code, 0);
  const {api_keys: keys} = JSON.parse((await payctl('-o', 'json', 'keys', 'list', '--merchant', made.merchant)).out);
  assert.notEqual(keys.find((key) => key.api_key_id === created.api_key.api_key_id).revoke_time ?? null, null);
});

test('a destination is proposed by one person, approved by another, and a plan pays to it', async () => {
  const unit = tokenUnit(chain, chain.tokens.testUsd);
  const destination = await json(
    'destinations',
    'add',
    '--merchant',
    made.merchant,
    '--unit',
    unit,
    '--to',
    mesh.description.merchant_wallet,
  );
  made.destination = destination.destination_id;
  const self = await payctl('--as', 'operator', 'destinations', 'approve', made.destination);
  assert.equal(self.code, 4, self.err);
  assert.equal((await payctl('destinations', 'approve', made.destination)).code, 0);
  const {destinations} = await json('destinations', 'list', '--merchant', made.merchant);
  assert.equal(destinations.length, 1);
  assert.equal(
    (
      await payctl(
        'plans',
        'set',
        '--merchant',
        made.merchant,
        '--unit',
        unit,
        '--destination',
        made.destination,
        '--schedule',
        'manual',
        '--minimum',
        '0',
      )
    ).code,
    0,
  );
  assert.equal((await json('plans', 'list', '--merchant', made.merchant)).plans.length, 1);
});

test('a payment is asked for with a QR code, watched while it is paid, and its story told', async () => {
  const asked = await payctl(
    '-o',
    'json',
    'payments',
    'create',
    '--merchant',
    made.merchant,
    '--price',
    '12.50',
    '--currency',
    'EUR',
    '--reference',
    'tool-1',
    '--qr',
  );
  assert.equal(asked.code, 0, asked.err);
  assert.match(asked.err, /[█▀▄]/u); // the code is for people: not among the data
  const payment = JSON.parse(asked.out);
  made.payment = payment.payment_id;
  const watching = payctl('-o', 'csv', 'payments', 'watch', made.payment, '--until', 'succeeded');
  await mesh.pay(payment, chain, 'testUsd', mesh.option(payment, chain).due.value);
  const watched = await watching;
  assert.equal(watched.code, 0, watched.err);
  assert.match(watched.out, /SUCCEEDED|succeeded/);
  const story = await payctl('payments', 'timeline', made.payment);
  for (const step of ['created', 'seen', 'succeeded']) assert.ok(story.out.includes(step), story.out);
  assert.equal((await json('payments', 'get', made.payment)).payment_id, made.payment);
  for (const filter of [
    ['--reference', 'tool-1'],
    ['--merchant', made.merchant],
    ['--to-or-from', payment.deposit_address],
  ]) {
    const {payments} = await json('payments', 'list', ...filter);
    assert.ok(
      payments.some((each) => each.payment_id === made.payment),
      filter.join(' '),
    );
  }
});

test('a repeated request id gives the first answer again', async () => {
  const ask = () =>
    json(
      '--request-id',
      'tool-repeat-1',
      'payments',
      'create',
      '--merchant',
      made.merchant,
      '--price',
      '1.00',
      '--currency',
      'EUR',
    );
  const first = await ask();
  assert.deepEqual(await ask(), first);
  const {payments} = await json('payments', 'list', '--merchant', made.merchant);
  assert.equal(payments.filter((each) => each.payment_id === first.payment_id).length, 1);
  made.unpaid = first.payment_id;
});

test('a payment is cancelled, and one that ended cannot be', async () => {
  assert.equal((await json('payments', 'cancel', made.unpaid, '--reason', 'test')).state, 'PAYMENT_STATE_CANCELED');
  const late = await payctl('payments', 'cancel', made.payment);
  assert.equal(late.code, 5, late.err);
  assert.match(late.err, /PAYMENT_(CLOSED|IN_FLIGHT)/);
});

test('a payment in review is resolved on the revision that was looked at', async () => {
  const payment = await json('payments', 'create', '--merchant', made.merchant, '--price', '2.00', '--currency', 'EUR');
  await mesh.payMined(payment, chain, 'returnsNothing', 1_000_000n);
  const review = await mesh.until(payment, 'REQUIRES_REVIEW');
  const stale = await payctl(
    'payments',
    'resolve',
    payment.payment_id,
    '--action',
    'hold',
    '--reason',
    'test',
    '--revision',
    '1',
  );
  assert.equal(stale.code, 5, stale.err);
  const held = await json(
    'payments',
    'resolve',
    payment.payment_id,
    '--action',
    'hold',
    '--reason',
    'test',
    '--revision',
    String(review.revision),
  );
  assert.equal(held.state, 'PAYMENT_STATE_REQUIRES_REVIEW');
});

test('a payout that a person asks for waits for another, leaves, and the books agree with the chain', async () => {
  await mesh.until({payment_id: made.payment}, (p) => p.timeline.some((entry) => entry.kind === 'swept'), {
    timeoutMs: 60_000,
  });
  const unit = tokenUnit(chain, chain.tokens.testUsd);
  const ask = (amount) =>
    json(
      'payouts',
      'create',
      '--merchant',
      made.merchant,
      '--destination',
      made.destination,
      '--unit',
      unit,
      '--amount',
      amount,
    );
  const refused = await ask('0.5');
  assert.equal((await payctl('payouts', 'reject', refused.payout_id, '--reason', 'test')).code, 0);
  const canceled = await ask('0.25');
  assert.equal((await payctl('payouts', 'cancel', canceled.payout_id)).code, 0);
  const payout = await ask('1.5');
  assert.equal(payout.state, 'PAYOUT_STATE_AWAITING_APPROVAL');
  assert.equal((await payctl('payouts', 'approve', payout.payout_id)).code, 0);
  for (let state = ''; state !== 'PAYOUT_STATE_FINALIZED';) {
    ({state} = await json('payouts', 'get', payout.payout_id));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert.equal((await json('payouts', 'list', '--merchant', made.merchant)).payouts.length, 3);
  const proof = await payctl('ledger', 'prove');
  assert.equal(proof.code, 0, proof.out + proof.err);
});

test('the ledger is read by account and by payment', async () => {
  const {accounts} = await json('ledger', 'accounts', '--owner', made.merchant);
  assert.ok(
    accounts.some((account) => account.account_id.startsWith('2110:')),
    JSON.stringify(accounts),
  );
  const {journals} = await json('ledger', 'journals', '--payment', made.payment);
  assert.deepEqual(
    journals
      .map((journal) => journal.rule)
      .sort()
      .slice(0, 3),
    ['P1', 'P10', 'P2'],
  );
});

test('events are told in order, and a reader can begin behind a position', async () => {
  const {out} = await payctl(
    '-o',
    'csv',
    'events',
    'tail',
    '--no-follow',
    '--merchant',
    made.merchant,
    '--limit',
    '500',
  );
  const positions = out
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number(line.split(',')[0]));
  assert.ok(positions.length > 5);
  const behind = positions[2];
  const rest = await payctl(
    '-o',
    'csv',
    'events',
    'tail',
    '--no-follow',
    '--merchant',
    made.merchant,
    '--limit',
    '500',
    '--after',
    String(behind),
  );
  assert.ok(
    rest.out
      .trim()
      .split('\n')
      .slice(1)
      .every((line) => Number(line.split(',')[0]) > behind),
  );
  const money = await payctl(
    '-o',
    'csv',
    'events',
    'tail',
    '--service',
    'settlement',
    '--no-follow',
    '--payment',
    made.payment,
  );
  assert.match(money.out, /payment\.posted/);
});

test('a pause is put on, listed and taken off', async () => {
  assert.equal((await payctl('pause', 'on', '--chain', chain.chain, '--reason', 'test')).code, 0);
  const {pauses} = await json('pause', 'list');
  assert.ok(pauses.some((pause) => pause.scope.chain === chain.chain && pause.reason === 'test'));
  assert.equal((await payctl('pause', 'off', '--chain', chain.chain, '--reason', 'test')).code, 0);
  assert.equal((await json('pause', 'list')).pauses?.length ?? 0, 0);
});

test('chains and health show the whole mesh', async () => {
  assert.equal((await json('chains')).chains.length, mesh.chains.length);
  const health = await payctl('health');
  assert.equal(health.code, 0, health.out);
  for (const service of ['checkout', 'routing', 'watcher', 'settlement']) assert.ok(health.out.includes(service));
});

test('every list comes as a table, as JSON and as CSV with the same number of rows', async () => {
  for (const [command, field] of [
    [['merchants', 'list'], 'merchants'],
    [['payments', 'list'], 'payments'],
    [['payouts', 'list'], 'payouts'],
    [['destinations', 'list'], 'destinations'],
    [['ledger', 'accounts'], 'accounts'],
    [['chains'], 'chains'],
  ]) {
    const rows = (await json(...command))[field].length;
    for (const form of ['table', 'csv']) {
      const {code, out} = await payctl('-o', form, ...command);
      assert.equal(code, 0);
      assert.equal(out.trim().split('\n').length, rows + 1, `${command.join(' ')} as ${form}:\n${out}`);
    }
  }
});

test('the exit code says what went wrong, and nothing of it is on stdout', async () => {
  const cases = [
    [2, ['payments', 'create', '--merchant', made.merchant, '--price', '1.005', '--currency', 'EUR']],
    [2, ['payments', 'frobnicate']],
    [2, ['payments', 'create', '--merchant', made.merchant, '--unit', 'iso4217/EUR', '--value', '0']],
    [3, ['payments', 'get', 'pay_01hzzzzzzzzzzzzzzzzzzzzzzz']],
    [4, ['--as', 'reader', 'merchants', 'create', '--name', 'No']],
    [6, ['--address', 'checkout=127.0.0.1:1', '--timeout', '1s', 'payments', 'list']],
  ];
  for (const [wanted, args] of cases) {
    const {code, out, err} = await payctl(...args);
    assert.equal(code, wanted, `${args.join(' ')}: ${err}`);
    assert.equal(out, '', args.join(' '));
    assert.notEqual(err, '');
  }
});
