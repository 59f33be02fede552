// Makes development keys: a fresh secp256k1 key, and its Web3 secret storage file (version 3).
import {createCipheriv, randomBytes, randomUUID, scryptSync} from 'node:crypto';
import {load} from '../node/modules.mjs';

/** A fresh private key as 0x and 64 hex digits. */
export async function newKey() {
  const {generatePrivateKey} = await load('viem/accounts');
  return generatePrivateKey();
}

export async function addressOf(key) {
  const {privateKeyToAccount} = await load('viem/accounts');
  return privateKeyToAccount(key).address;
}

/** The key, encrypted with the password, as the text of a keystore file. */
export async function keystoreFile(key, password) {
  const {keccak256, concat, toHex} = await load('viem');
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const scrypt = {n: 8192, r: 8, p: 1, dklen: 32}; // light: a development key behind file permissions
  const derived = scryptSync(password, salt, scrypt.dklen, {N: scrypt.n, r: scrypt.r, p: scrypt.p});
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(key.slice(2), 'hex')), cipher.final()]);
  const mac = keccak256(concat([toHex(derived.subarray(16, 32)), toHex(ciphertext)])).slice(2);
  const address = (await addressOf(key)).slice(2).toLowerCase();
  return JSON.stringify(
    {
      version: 3,
      id: randomUUID(),
      address,
      crypto: {
        cipher: 'aes-128-ctr',
        cipherparams: {iv: iv.toString('hex')},
        ciphertext: ciphertext.toString('hex'),
        kdf: 'scrypt',
        kdfparams: {...scrypt, salt: salt.toString('hex')},
        mac,
      },
    },
    null,
    2,
  );
}
