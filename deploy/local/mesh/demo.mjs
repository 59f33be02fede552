// The demonstration: a merchant, a payment of 12.50 EUR, a payer with an independent wallet library,
// and the payment's life until the merchant's wallet has the money.
import {randomUUID} from 'node:crypto';
import {load} from '../node/modules.mjs';
import {connect, watchPayment} from './clients.mjs';

const {createPublicClient, createWalletClient, formatUnits, http, parseAbi} = await load('viem');
const {privateKeyToAccount} = await load('viem/accounts');
const erc20 = parseAbi([
  'function balanceOf(address) view returns (uint256)',
  'function transfer(address to, uint256 amount) returns (bool)',
]);

export const tokenOf = (unit) => unit.split('/erc20:')[1];
export const chainOf = (unit) => unit.replace(/^caip19\//, '').split('/')[0];
export const tokenUnit = (chain, address) => `caip19/${chain.chain}/erc20:${address.toLowerCase()}`;

export async function balanceOf(chain, token, address) {
  const client = createPublicClient({transport: http(chain.rpc_url)});
  return client.readContract({address: token, abi: erc20, functionName: 'balanceOf', args: [address]});
}

/** Sends a token as any wallet would and returns the transaction's hash. */
export async function payFrom(chain, key, token, to, amount) {
  const account = privateKeyToAccount(key);
  const wallet = createWalletClient({account, transport: http(chain.rpc_url), chain: null});
  return wallet.writeContract({
    address: token,
    abi: erc20,
    functionName: 'transfer',
    args: [to, BigInt(amount)],
    chain: null,
  });
}

/** A merchant with an API key, an approved destination and a payout plan for each accepted token. */
export async function setUpMerchant(
  description,
  {
    name = 'Café Aurora',
    schedule = 'PAYOUT_SCHEDULE_ON_FINAL',
    wallet,
    tokens = ['testUsd', 'testEur'],
    feePlan,
    policy,
  } = {},
) {
  const operator = connect(description, 'operator', {retries: 5});
  const approver = connect(description, 'approver', {retries: 5});
  const units = description.chains.flatMap((chain) => tokens.map((token) => tokenUnit(chain, chain.tokens[token])));
  const {merchant} = await operator.MerchantService.CreateMerchant({
    request_id: randomUUID(),
    display_name: name,
    accepted_units: units,
    confirmation_policy: policy ?? 'FINALITY_SAFE',
    fee_plan: feePlan ?? {basis_points: 50, fixed: []},
  });
  const {secret, api_key: apiKey} = await operator.MerchantService.CreateApiKey({
    request_id: randomUUID(),
    merchant_id: merchant.merchant_id,
    display_name: 'demonstration',
  });
  if (schedule) {
    for (const unit of units) {
      const {destination} = await operator.PayoutService.CreatePayoutDestination({
        request_id: randomUUID(),
        merchant_id: merchant.merchant_id,
        unit,
        address: wallet ?? description.merchant_wallet,
        display_name: 'main wallet',
      });
      await approver.PayoutService.ApprovePayoutDestination({
        request_id: randomUUID(),
        destination_id: destination.destination_id,
      });
      await operator.PayoutService.SetPayoutPlan({
        request_id: randomUUID(),
        plan: {
          merchant_id: merchant.merchant_id,
          unit,
          destination_id: destination.destination_id,
          schedule,
          minimum: {unit, value: '0'},
        },
      });
    }
  }
  operator.close();
  approver.close();
  return {merchant_id: merchant.merchant_id, api_key: secret, api_key_id: apiKey.api_key_id};
}

const kind = (text) => text.replace(/_/g, ' ');

/** Runs the demonstration and prints it; throws when the money does not arrive. */
export async function demonstrate(mesh, print = console.log) {
  const description = mesh.read('mesh.json');
  const operator = connect(description, 'operator', {retries: 5});
  const merchant = await setUpMerchant(description);
  mesh.rememberMerchant({merchant_id: merchant.merchant_id, api_key: merchant.api_key});
  print(
    `\nA merchant: ${merchant.merchant_id}, paid out to ${description.merchant_wallet} as soon as money is final; fee 0.50 %`,
  );

  const edge = connect(description, 'edge', {apiKey: merchant.api_key, retries: 5});
  const {payment} = await edge.PaymentService.CreatePayment({
    request_id: randomUUID(),
    price: {unit: 'iso4217/EUR', value: '1250'},
    reference: 'order-1001',
    description: 'Two coffees and a cake',
  });
  print(`A payment of 12.50 EUR: ${payment.payment_id}, to be sent to ${payment.deposit_address} on any of`);
  for (const option of payment.options) {
    const chain = description.chains.find((c) => c.chain === option.chain);
    print(
      `  ${option.rank}. ${formatUnits(BigInt(option.due.value), option.decimals)} ${option.symbol} on ${chain.name}   ${option.payment_uri}`,
    );
  }
  const option = payment.options[0];
  const chain = description.chains.find((c) => c.chain === option.chain);
  const token = tokenOf(option.due.unit);
  const show = (value) => `${formatUnits(BigInt(value), option.decimals)} ${option.symbol}`;
  const before = await balanceOf(chain, token, description.merchant_wallet);
  const hash = await payFrom(chain, chain.payer.key, token, payment.deposit_address, option.due.value);
  print(`The payer's wallet (viem) sends ${show(option.due.value)} on ${chain.name}: ${hash}\n`);

  const start = Date.now();
  let told = 0;
  const done = await watchPayment(
    edge,
    payment.payment_id,
    (p) => p.flags.includes('PAYMENT_FLAG_SETTLED_TO_MERCHANT'),
    {
      timeoutMs: 120_000,
      seen(current) {
        for (const entry of current.timeline.slice(told)) {
          const at = ((Date.now() - start) / 1000).toFixed(1).padStart(5);
          const what = [entry.object_id, entry.transaction_hash].filter(Boolean).join('  ');
          print(`  ${at} s  ${kind(entry.kind).padEnd(18)} ${what}`);
        }
        told = current.timeline.length;
      },
    },
  );
  const after = await balanceOf(chain, token, description.merchant_wallet);
  print(
    `\nPayment ${done.payment_id}: ${done.state.replace('PAYMENT_STATE_', '')}, gross ${show(done.gross.value)}, fee ${show(done.fee.value)}, ` +
      `net ${show(done.net.value)}`,
  );
  print(`The merchant's wallet held ${show(before)} and now holds ${show(after)}`);
  if (after - before < BigInt(done.net.value)) throw new Error("the merchant's wallet did not receive the net amount");

  const ofPayment = await operator.LedgerService.ListJournals({payment_id: done.payment_id, page_size: 100});
  const payout = done.timeline.find((entry) => entry.kind === 'paid_out').object_id;
  const ofPayout = await operator.LedgerService.ListJournals({payout_id: payout, page_size: 100});
  const journals = [...ofPayment.journals, ...ofPayout.journals].sort((a, b) => b.sequence - a.sequence);
  print("\nThe ledger's journals for it and its payout, each balanced:");
  for (const journal of [...journals].reverse()) {
    print(`  ${journal.rule.padEnd(5)} ${journal.journal_id}`);
    for (const leg of journal.legs) {
      const side = leg.side === 'NORMAL_SIDE_DEBIT' ? 'Dr' : '   Cr';
      print(
        `          ${side.padEnd(6)} ${leg.account_id.split(':').slice(0, 2).join(' ').padEnd(30)} ${leg.amount.value.padStart(24)}`,
      );
    }
  }
  const proof = await operator.LedgerService.ProveBalances({});
  const unequal = proof.proofs.filter((line) => !line.equal).length;
  print(`Books against the chains at their final blocks: ${proof.proofs.length} holdings, ${unequal} differences`);
  if (!proof.proven)
    throw new Error(
      `the ledger does not agree with the chain: ${JSON.stringify(proof.proofs.filter((p) => !p.equal))}`,
    );
  edge.close();
  operator.close();
  return done;
}
