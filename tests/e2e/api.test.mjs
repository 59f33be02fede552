// The edge of the mesh: what it refuses, to whom, and how it says so.
import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after, before, test} from 'node:test';
import {connect, startMesh, tokenUnit} from './harness.mjs';

let mesh;
let alice;
let bob;
before(async () => {
  mesh = await startMesh();
  alice = await mesh.merchant({name: 'Alice', schedule: null});
  bob = await mesh.merchant({name: 'Bob', schedule: null});
});
after(() => mesh?.finish());

/** Amounts that are none: each must be refused with a field violation. */
const notAmounts = [
  '',
  ' ',
  '-0',
  '+1',
  '-1',
  '00',
  '01',
  '1.',
  '.5',
  '0.0000001',
  '1e6',
  '1E+6',
  '0x10',
  '1_000',
  '1,000',
  '1 000',
  'NaN',
  'Infinity',
  '-Infinity',
  '1.0',
  '1\n',
  '1\u0000',
  '\u0661\u0662\u0663',
  '\uff11\uff12\uff13',
  '1\u200b',
  '\u22121',
  String(2n ** 256n),
  String(10n ** 78n),
  String(10n ** 1000n),
  '9'.repeat(78),
  '9'.repeat(200_000),
];

async function refused(promise, code, reason) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, `${error.code} ${error.reason} ${error.message}`);
    if (reason) assert.equal(error.reason, reason, error.message);
    return true;
  });
}

test('every malformed amount is refused with a field violation and changes nothing', async () => {
  const before = (await mesh.operator.PaymentService.ListPayments({page_size: 500})).payments.length;
  for (const value of notAmounts) {
    await assert.rejects(
      alice.edge.PaymentService.CreatePayment({request_id: randomUUID(), price: {unit: 'iso4217/EUR', value}}),
      (error) => {
        assert.equal(
          error.code,
          'INVALID_ARGUMENT',
          `${JSON.stringify(value.slice(0, 40))}: ${error.code} ${error.message}`,
        );
        assert.ok(
          error.violations.some((violation) => violation.field.startsWith('price')),
          JSON.stringify(error.details),
        );
        return true;
      },
    );
  }
  const after = (await mesh.operator.PaymentService.ListPayments({page_size: 500})).payments.length;
  assert.equal(after, before);
});

test('amounts at the edges are exact or refused, never another number', async () => {
  for (const value of [
    '1',
    '1250',
    String(2n ** 63n - 1n),
    String(2n ** 63n),
    String(2n ** 64n - 1n),
    String(2n ** 64n),
    String(10n ** 30n - 1n),
    String(10n ** 30n),
  ]) {
    const {payment} = await alice.edge.PaymentService.CreatePayment({
      request_id: randomUUID(),
      price: {unit: 'iso4217/EUR', value},
    });
    assert.equal(payment.price.value, value);
    const option = payment.options.find((o) => o.symbol === 'tEUR');
    assert.equal(option.due.value, String(BigInt(value) * 10_000n));
  }
  for (const value of ['0', String(10n ** 30n + 1n), String(2n ** 256n - 1n), String(2n ** 128n)]) {
    await refused(
      alice.edge.PaymentService.CreatePayment({request_id: randomUUID(), price: {unit: 'iso4217/EUR', value}}),
      'INVALID_ARGUMENT',
    );
  }
});

test('a message beyond the limit is refused before anybody reads it', async () => {
  const value = '9'.repeat(1_000_000);
  await refused(
    alice.edge.PaymentService.CreatePayment({request_id: randomUUID(), price: {unit: 'iso4217/EUR', value}}),
    'RESOURCE_EXHAUSTED',
  );
});

test('a fee above the amount takes all of it and no more, and a currency without minor units converts exactly', async () => {
  const unit = tokenUnit(mesh.chains[0], mesh.chains[0].tokens.testUsd);
  const costly = await mesh.merchant({
    name: 'Costly',
    schedule: null,
    feePlan: {basis_points: 0, fixed: [{unit, value: '5000'}]},
  });
  const {payment: tiny} = await costly.edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit, value: '1'},
  });
  await mesh.pay(tiny, mesh.chains[0], 'testUsd', 1n);
  const paid = await mesh.until(tiny, 'SUCCEEDED');
  assert.deepEqual([paid.gross.value, paid.fee.value, paid.net.value], ['1', '1', '0']);

  const {payment: yen} = await alice.edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit: 'iso4217/JPY', value: '100'},
  });
  const option = yen.options.find((o) => o.symbol === 'tUSD');
  assert.equal(option.due.value, '670000'); // 100 yen at 0.0067 dollars, six decimals
});

test('units that are none are refused', async () => {
  const chain = mesh.chains[0];
  const units = [
    '',
    'EUR',
    'iso4217/eur',
    'iso4217/XXX',
    'iso4217/U\u0405D',
    'iso4217/EUR ',
    'caip19/eip155:1',
    'caip19/eip155:31337/erc20:0x1',
    `caip19/eip155:31337/erc721:${chain.tokens.testUsd}`,
    `caip19/eip155:0/erc20:${chain.tokens.testUsd.toLowerCase()}`,
    `caip19/eip155:31337/erc20:${chain.tokens.testUsd.toLowerCase()}\n`,
  ];
  for (const unit of units) {
    await refused(
      alice.edge.PaymentService.CreatePayment({request_id: randomUUID(), price: {unit, value: '100'}}),
      'INVALID_ARGUMENT',
    );
  }
});

test('a price in a token is due in that token, digit for digit', async () => {
  const unit = tokenUnit(mesh.chains[0], mesh.chains[0].tokens.testUsd);
  const {payment} = await alice.edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit, value: '123456789'},
  });
  assert.deepEqual(
    payment.options.map((o) => [o.due.unit, o.due.value]),
    [[unit, '123456789']],
  );
});

test('the same request gives the same payment and another body under its id is refused', async () => {
  const request = {request_id: randomUUID(), price: {unit: 'iso4217/EUR', value: '777'}, reference: 'once'};
  const first = await alice.edge.PaymentService.CreatePayment(request);
  const second = await alice.edge.PaymentService.CreatePayment(request);
  assert.deepEqual(second, first);
  await refused(
    alice.edge.PaymentService.CreatePayment({...request, reference: 'twice'}),
    'ALREADY_EXISTS',
    'IDEMPOTENCY_KEY_REUSED',
  );
  // The id belongs to its caller: another merchant's is another.
  const other = await bob.edge.PaymentService.CreatePayment(request);
  assert.notEqual(other.payment.payment_id, first.payment.payment_id);
});

test('fifty calls at once with one request id make one payment', async () => {
  const request = {request_id: randomUUID(), price: {unit: 'iso4217/EUR', value: '888'}};
  const answers = await Promise.all(
    Array.from({length: 50}, () => alice.edge.PaymentService.CreatePayment(request, {retries: 20})),
  );
  assert.equal(new Set(answers.map((a) => a.payment.payment_id)).size, 1);
});

test("a merchant never sees another merchant's payments, in any way", async () => {
  const {payment} = await alice.edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit: 'iso4217/EUR', value: '555'},
    reference: 'alice-only',
  });
  const {payment_id: paymentId} = payment;
  const theirs = bob.edge.PaymentService;
  await refused(theirs.GetPayment({payment_id: paymentId}), 'NOT_FOUND', 'PAYMENT_NOT_FOUND');
  await refused(
    theirs.CancelPayment({request_id: randomUUID(), payment_id: paymentId, reason: 'no'}),
    'NOT_FOUND',
    'PAYMENT_NOT_FOUND',
  );
  await assert.rejects(
    async () => {
      for await (const _ of bob.edge.stream(
        'PaymentService',
        'WatchPayment',
        {payment_id: paymentId},
        {deadlineMs: 5000},
      ))
        assert.fail('saw it');
    },
    (error) => error.code === 5,
  );
  for (const filter of [{reference: 'alice-only'}, {address: payment.deposit_address}, {}]) {
    const {payments} = await theirs.ListPayments({page_size: 500, ...filter});
    assert.ok(payments.every((p) => p.merchant_id === bob.merchant_id));
  }
  const other = await theirs.ListPayments({merchant_id: alice.merchant_id}).catch((error) => error);
  assert.ok(
    other.code === 'NOT_FOUND' ||
      other.code === 'PERMISSION_DENIED' ||
      other.code === 'INVALID_ARGUMENT' ||
      other.payments?.length === 0,
  );
  await assert.rejects(
    theirs.CreatePayment({
      request_id: randomUUID(),
      merchant_id: alice.merchant_id,
      price: {unit: 'iso4217/EUR', value: '1'},
    }),
  );
  const {next_page_token: token} = await alice.edge.PaymentService.ListPayments({page_size: 1});
  assert.notEqual(token, '');
  await refused(theirs.ListPayments({page_size: 1, page_token: token}), 'INVALID_ARGUMENT', 'INVALID_PAGE_TOKEN');
  const {events} = await bob.edge.CheckoutEvents.ListEvents({page_size: 500});
  assert.ok(events.every((event) => event.merchant_id === bob.merchant_id));
  // Neither does the stream, from the first position on; it must have passed Alice's entries to tell Bob's own.
  await bob.edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit: 'iso4217/EUR', value: '444'},
    reference: 'bob-last',
  });
  const stream = bob.edge.stream('CheckoutEvents', 'StreamEvents', {after_position: 0}, {deadlineMs: 15_000});
  reading: for await (const {events: told} of stream) {
    for (const event of told) {
      assert.equal(event.merchant_id, bob.merchant_id);
      if (event.payment?.reference === 'bob-last') break reading;
    }
  }
  stream.cancel();
});

test('pages walk through everything once, and their tokens cannot be made up', async () => {
  const made = [];
  for (let i = 0; i < 7; i++) {
    const {payment} = await bob.edge.PaymentService.CreatePayment({
      request_id: randomUUID(),
      price: {unit: 'iso4217/EUR', value: String(100 + i)},
      reference: 'paged',
    });
    made.push(payment.payment_id);
  }
  const seen = [];
  let token = '';
  do {
    const page = await bob.edge.PaymentService.ListPayments({page_size: 3, page_token: token, reference: 'paged'});
    seen.push(...page.payments.map((p) => p.payment_id));
    token = page.next_page_token;
  } while (token);
  assert.deepEqual(seen, made.reverse());
  for (const bad of ['x', 'AAAA', '%00', "' or 1=1--", 'a'.repeat(10_000)]) {
    await refused(bob.edge.PaymentService.ListPayments({page_token: bad}), 'INVALID_ARGUMENT', 'INVALID_PAGE_TOKEN');
  }
  await refused(bob.edge.PaymentService.ListPayments({page_size: -1}), 'INVALID_ARGUMENT');
});

test('texts are kept as they are, whatever they look like', async () => {
  const texts = [
    "' or 1=1--",
    "'; drop table payment;--",
    '%',
    '_',
    '$1',
    '{{7*7}}',
    '<script>alert(1)</script>',
    '\u{1f980}',
  ];
  for (const text of texts) {
    const {payment} = await bob.edge.PaymentService.CreatePayment({
      request_id: randomUUID(),
      price: {unit: 'iso4217/EUR', value: '100'},
      reference: text,
      metadata: {note: text},
    });
    const {payments} = await bob.edge.PaymentService.ListPayments({reference: text});
    assert.ok(
      payments.some((p) => p.payment_id === payment.payment_id && p.metadata.note === text),
      text,
    );
  }
  // Lines and terminals are nobody's to write on.
  for (const text of ['\r\n{"level":"error"}', '\u0000', '\u001b[2J']) {
    await refused(
      bob.edge.PaymentService.CreatePayment({
        request_id: randomUUID(),
        price: {unit: 'iso4217/EUR', value: '100'},
        reference: text,
      }),
      'INVALID_ARGUMENT',
    );
  }
});

test('a caller without a key, with a wrong key or with a revoked key is refused', async () => {
  const request = {page_size: 1};
  await refused(connect(mesh.description, 'edge').PaymentService.ListPayments(request), 'UNAUTHENTICATED');
  await refused(
    connect(mesh.description, 'edge', {apiKey: 'pmk_wrong'}).PaymentService.ListPayments(request),
    'UNAUTHENTICATED',
  );
  const carol = await mesh.merchant({name: 'Carol', schedule: null});
  await carol.edge.PaymentService.ListPayments(request);
  await mesh.operator.MerchantService.RevokeApiKey({request_id: randomUUID(), api_key_id: carol.api_key_id});
  await refused(carol.edge.PaymentService.ListPayments(request), 'UNAUTHENTICATED');
});

test('a merchant has two active keys at most', async () => {
  const dave = await mesh.merchant({name: 'Dave', schedule: null});
  const create = () =>
    mesh.operator.MerchantService.CreateApiKey({request_id: randomUUID(), merchant_id: dave.merchant_id});
  await create();
  await refused(create(), 'FAILED_PRECONDITION', 'TOO_MANY_API_KEYS');
});

test('a valid certificate of another service opens only what the table lists for it', async () => {
  const as = (name) => connect(mesh.description, mesh.mesh.certificates.paths(name));
  const unit = tokenUnit(mesh.chains[0], mesh.chains[0].tokens.testUsd);
  const routing = as('routing');
  await refused(routing.PaymentService.ListPayments({}), 'PERMISSION_DENIED', 'METHOD_NOT_ALLOWED');
  await refused(
    routing.TransactionService.BroadcastTransaction({chain: 'eip155:31337', raw_transaction: Buffer.from('02')}),
    'PERMISSION_DENIED',
  );
  await refused(routing.PayoutService.CreatePayout({}), 'PERMISSION_DENIED');
  await refused(as('checkout').PayoutService.ApprovePayout({}), 'PERMISSION_DENIED');
  await refused(as('settlement').RoutingService.Decide({}), 'PERMISSION_DENIED');
  await refused(
    as('rita').PauseService.PausePayouts({request_id: 'x', scope: {unit}, reason: 'x'}),
    'PERMISSION_DENIED',
  );
  await refused(as('rita').MerchantService.CreateMerchant({request_id: 'x'}), 'PERMISSION_DENIED');
  await refused(
    connect(mesh.description, 'edge', {apiKey: alice.api_key}).LedgerService.ListJournals({}),
    'PERMISSION_DENIED',
  );
  for (const client of [routing]) client.close();
});

test('nobody approves what he proposed himself', async () => {
  const {certificates} = mesh.mesh;
  // An approver's certificate cannot propose, and who proposes has no approver's certificate.
  const unit = tokenUnit(mesh.chains[0], mesh.chains[0].tokens.testUsd);
  const proposal = {
    request_id: randomUUID(),
    merchant_id: alice.merchant_id,
    unit,
    address: alice.wallet,
    display_name: 'mine',
  };
  await refused(
    connect(mesh.description, certificates.paths('anna')).PayoutService.CreatePayoutDestination(proposal),
    'PERMISSION_DENIED',
  );
  const {destination} = await mesh.operator.PayoutService.CreatePayoutDestination(proposal);
  await refused(
    mesh.operator.PayoutService.ApprovePayoutDestination({
      request_id: randomUUID(),
      destination_id: destination.destination_id,
    }),
    'PERMISSION_DENIED',
  );
});

test('payouts may not go to addresses that would lose the money', async () => {
  const chain = mesh.chains[0];
  const unit = tokenUnit(chain, chain.tokens.testUsd);
  for (const address of [
    '0x0000000000000000000000000000000000000000',
    chain.vault,
    chain.factory,
    chain.tokens.testUsd,
    '0x12',
    'vitalik.eth',
    '',
  ]) {
    await refused(
      mesh.operator.PayoutService.CreatePayoutDestination({
        request_id: randomUUID(),
        merchant_id: alice.merchant_id,
        unit,
        address,
        display_name: 'bad',
      }),
      'INVALID_ARGUMENT',
    );
  }
});

test('a certificate of another authority gets no connection', async () => {
  const {Certificates} = await import('../../deploy/local/mesh/certificates.mjs');
  const {mkdtempSync} = await import('node:fs');
  const {tmpdir} = await import('node:os');
  const {join} = await import('node:path');
  const foreign = new Certificates(mkdtempSync(join(tmpdir(), 'paymesh-foreign-')));
  foreign.ensure();
  await refused(connect(mesh.description, foreign.paths('olivia')).PaymentService.ListPayments({}), 'UNAVAILABLE');
});
