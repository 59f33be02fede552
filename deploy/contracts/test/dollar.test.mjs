// The test dollar's signatures, made by an independent wallet library, on a real node.
import assert from 'node:assert/strict';
import {after, before, beforeEach, describe, test} from 'node:test';
import {Chain, kDollar, refused} from '../testing/chain.mjs';
import {load} from '../../local/node/modules.mjs';

const {hexToBigInt, maxUint256, numberToHex, pad, parseSignature, toHex} = await load('viem');

const kCurveOrder = hexToBigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');
const authorization = [
  {name: 'from', type: 'address'},
  {name: 'to', type: 'address'},
  {name: 'value', type: 'uint256'},
  {name: 'validAfter', type: 'uint256'},
  {name: 'validBefore', type: 'uint256'},
  {name: 'nonce', type: 'bytes32'},
];
const types = {
  Permit: [
    {name: 'owner', type: 'address'},
    {name: 'spender', type: 'address'},
    {name: 'value', type: 'uint256'},
    {name: 'nonce', type: 'uint256'},
    {name: 'deadline', type: 'uint256'},
  ],
  TransferWithAuthorization: authorization,
  ReceiveWithAuthorization: authorization,
  CancelAuthorization: [
    {name: 'authorizer', type: 'address'},
    {name: 'nonce', type: 'bytes32'},
  ],
};

describe('TestDollar', () => {
  let chain;
  let snapshot;
  let now;

  before(async () => {
    chain = await Chain.start({chainId: 8453});
    await chain.mint(chain.dollar, chain.payer, 100n * kDollar);
    ({timestamp: now} = await chain.client.getBlock());
    snapshot = await chain.control.snapshot();
  });
  beforeEach(async () => {
    await chain.control.revert({id: snapshot});
    snapshot = await chain.control.snapshot();
  });
  after(() => chain?.stop());

  const domain = (changes) => ({
    name: 'Test Dollar',
    version: '2',
    chainId: 8453,
    verifyingContract: chain.dollar.address,
    ...changes,
  });
  const sign = async (primaryType, message, {signer = chain.payer, changes = {}} = {}) => {
    const {r, s, yParity} = parseSignature(
      await signer.signTypedData({domain: domain(changes), types, primaryType, message}),
    );
    return [27 + yParity, r, s];
  };
  const message = (changes = {}) => ({
    from: chain.payer.address,
    to: chain.merchant.address,
    value: 5n * kDollar,
    validAfter: 0n,
    validBefore: now + 3600n,
    nonce: pad(toHex(1)),
    ...changes,
  });
  const fields = ({from, to, value, validAfter, validBefore, nonce}) => [
    from,
    to,
    value,
    validAfter,
    validBefore,
    nonce,
  ];
  const submit = (what, signature, {by = chain.stranger, receive = false} = {}) =>
    chain.write(
      by,
      chain.dollar,
      receive ? 'receiveWithAuthorization' : 'transferWithAuthorization',
      ...fields(what),
      ...signature,
    );

  test('anyone submits a signed transfer, once', async () => {
    const what = message();
    const signature = await sign('TransferWithAuthorization', what);
    const receipt = await submit(what, signature);
    assert.deepEqual(chain.events(chain.dollar, receipt), [
      ['AuthorizationUsed', {authorizer: chain.payer.address, nonce: what.nonce}],
      ['Transfer', {from: chain.payer.address, to: chain.merchant.address, value: 5n * kDollar}],
    ]);
    assert.equal(await chain.read(chain.dollar, 'authorizationState', chain.payer.address, what.nonce), true);
    await assert.rejects(submit(what, signature), refused('authorization is used or canceled'));
    const other = message({value: 1n});
    await assert.rejects(
      submit(other, await sign('TransferWithAuthorization', other)),
      refused('authorization is used or canceled'),
    );
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
  });

  test('refuses a signature of another, for another chain, token, version or message', async () => {
    const what = message();
    const bad = [
      await sign('TransferWithAuthorization', what, {signer: chain.stranger}),
      await sign('TransferWithAuthorization', what, {changes: {chainId: 1}}),
      await sign('TransferWithAuthorization', what, {changes: {verifyingContract: chain.vault.address}}),
      await sign('TransferWithAuthorization', what, {changes: {version: '1'}}),
      await sign('TransferWithAuthorization', {...what, value: 1n}),
      await sign('ReceiveWithAuthorization', what),
    ];
    for (const signature of bad) {
      await assert.rejects(submit(what, signature), refused('invalid signature'));
    }
  });

  test('refuses the second form of a good signature', async () => {
    const what = message();
    const [v, r, s] = await sign('TransferWithAuthorization', what);
    const highS = numberToHex(kCurveOrder - hexToBigInt(s), {size: 32});
    await assert.rejects(submit(what, [v === 27 ? 28 : 27, r, highS]), refused('invalid signature'));
    await assert.rejects(submit(what, [v - 27, r, s]), refused('invalid signature'));
  });

  test('holds a signed transfer to its window', async () => {
    const early = message({validAfter: now + 3000n});
    await assert.rejects(submit(early, await sign('TransferWithAuthorization', early)), refused('not yet valid'));
    const late = message({validBefore: now});
    await assert.rejects(submit(late, await sign('TransferWithAuthorization', late)), refused('is expired'));
  });

  test('only the payee submits a signed receipt', async () => {
    const what = message();
    const signature = await sign('ReceiveWithAuthorization', what);
    await assert.rejects(submit(what, signature, {receive: true}), refused('caller must be the payee'));
    await submit(what, signature, {receive: true, by: chain.merchant});
    assert.equal(await chain.balance(chain.dollar, chain.merchant), 5n * kDollar);
  });

  test('a cancelled authorisation moves nothing', async () => {
    const what = message();
    const cancel = {authorizer: what.from, nonce: what.nonce};
    const receipt = await chain.write(
      chain.stranger,
      chain.dollar,
      'cancelAuthorization',
      what.from,
      what.nonce,
      ...(await sign('CancelAuthorization', cancel)),
    );
    assert.deepEqual(chain.events(chain.dollar, receipt), [['AuthorizationCanceled', cancel]]);
    await assert.rejects(
      submit(what, await sign('TransferWithAuthorization', what)),
      refused('authorization is used or canceled'),
    );
  });

  test('a permit sets an allowance, once and in time', async () => {
    const permit = {
      owner: chain.payer.address,
      spender: chain.stranger.address,
      value: 5n * kDollar,
      nonce: 0n,
      deadline: maxUint256,
    };
    const use = (what, signature) =>
      chain.write(
        chain.stranger,
        chain.dollar,
        'permit',
        what.owner,
        what.spender,
        what.value,
        what.deadline,
        ...signature,
      );
    const signature = await sign('Permit', permit);
    await use(permit, signature);
    assert.equal(await chain.read(chain.dollar, 'allowance', permit.owner, permit.spender), 5n * kDollar);
    assert.equal(await chain.read(chain.dollar, 'nonces', permit.owner), 1n);
    await chain.write(chain.stranger, chain.dollar, 'transferFrom', permit.owner, chain.merchant.address, 5n * kDollar);
    await assert.rejects(use(permit, signature), refused('invalid signature'));
    const late = {...permit, nonce: 1n, deadline: now - 1n};
    await assert.rejects(use(late, await sign('Permit', late)), refused('permit is expired'));
  });

  test('a blacklisted account neither sends, receives nor signs; a pause stops all', async () => {
    const what = message();
    const signature = await sign('TransferWithAuthorization', what);
    const receipt = await chain.write(chain.owner, chain.dollar, 'blacklist', chain.payer.address);
    assert.deepEqual(chain.events(chain.dollar, receipt), [['Blacklisted', {account: chain.payer.address}]]);
    await assert.rejects(submit(what, signature), refused('account is blacklisted'));
    await assert.rejects(
      chain.write(chain.payer, chain.dollar, 'transfer', chain.merchant.address, 1n),
      refused('account is blacklisted'),
    );
    await chain.write(chain.owner, chain.dollar, 'unBlacklist', chain.payer.address);
    await chain.write(chain.owner, chain.dollar, 'pause');
    await assert.rejects(submit(what, signature), refused('paused'));
    await chain.write(chain.owner, chain.dollar, 'unpause');
    await submit(what, signature);
    await assert.rejects(
      chain.write(chain.stranger, chain.dollar, 'blacklist', chain.payer.address),
      refused('OwnableUnauthorizedAccount'),
    );
  });

  test('the domain separator is the one that wallets compute', async () => {
    const {hashDomain} = await load('viem');
    assert.equal(
      await chain.read(chain.dollar, 'DOMAIN_SEPARATOR'),
      hashDomain({
        domain: domain(),
        types: {
          EIP712Domain: [
            {name: 'name', type: 'string'},
            {name: 'version', type: 'string'},
            {name: 'chainId', type: 'uint256'},
            {name: 'verifyingContract', type: 'address'},
          ],
        },
      }),
    );
  });

  test('the price feed is fresh until a round is set', async () => {
    const latest = () => chain.read(chain.feed, 'latestRoundData');
    assert.equal(await chain.read(chain.feed, 'decimals'), 8);
    const [round, answer, , updatedAt] = await latest();
    assert.deepEqual([round, answer], [1n, 108_500_000n]);
    assert.ok(updatedAt >= now);
    await chain.write(chain.owner, chain.feed, 'setRound', 109_000_000n, now - 500n);
    assert.deepEqual(await latest(), [2n, 109_000_000n, now - 500n, now - 500n, 2n]);
    await chain.write(chain.owner, chain.feed, 'setAnswer', 107_000_000n);
    assert.ok((await latest())[3] >= now);
    await assert.rejects(
      chain.write(chain.stranger, chain.feed, 'setAnswer', 1n),
      refused('OwnableUnauthorizedAccount'),
    );
  });
});
