// Writes deposit_addresses.json anew from the chain's own answers; run it after a change of the
// production contracts, which moves all addresses.
import {writeFileSync} from 'node:fs';
import {Chain, hashOfId} from './chain.mjs';

const ids = ['pay_1', 'pay_01hzy7q2s5k3v9w8x4n6m0b1c2', 'pay_01jd8r0000000000000000000z', 'pay_', ''];
const chain = await Chain.start();
try {
  const {owner, vault, factory, implementation, initCodeHash} = chain.contracts;
  const cases = [];
  for (const paymentId of ids) {
    const salt = hashOfId(paymentId);
    const depositAddress = await chain.read(chain.factory, 'depositAddress', salt);
    cases.push({paymentId, salt, depositAddress});
  }
  const about =
    'Deposit addresses of the development deployment, as the factory on chain gives ' +
    'them. The tests hold the chain to this list; other implementations are held to it as well.';
  const text = JSON.stringify({about, owner, vault, factory, implementation, initCodeHash, cases}, null, 2);
  writeFileSync(new URL('../deposit_addresses.json', import.meta.url), text + '\n');
} finally {
  await chain.stop();
}
