// Makes keystore.json and abi_dynamic.json with implementations that share nothing with Paymesh's:
// Node's own crypto for key derivation and cipher, viem for keccak, addresses, ABI and EIP-712.
// All input is fixed, so the files come out the same each time:  node tests/vectors/make.mjs
import {createCipheriv, pbkdf2Sync, scryptSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {load} from '../../deploy/local/node/modules.mjs';

const {encodeAbiParameters, encodeFunctionData, hashTypedData, keccak256, parseAbi, parseAbiParameters} =
  await load('viem');
const {privateKeyToAddress} = await load('viem/accounts');

const here = (name) => new URL(name, import.meta.url);
const save = (name, content) =>
  writeFileSync(here(name), JSON.stringify(content, (_, v) => (typeof v === 'bigint' ? `${v}` : v), 1) + '\n');
const bytes = (seed, length) => Buffer.from(keccak256(Buffer.from(seed)).slice(2).repeat(2), 'hex').subarray(0, length);

function keystore(seed, password, kdf, kdfparams) {
  const key = bytes(`key ${seed}`, 32);
  const salt = bytes(`salt ${seed}`, 32);
  const iv = bytes(`iv ${seed}`, 16);
  const derived =
    kdf === 'scrypt'
      ? scryptSync(password, salt, 32, {N: kdfparams.n, r: kdfparams.r, p: kdfparams.p, maxmem: 1 << 29})
      : pbkdf2Sync(password, salt, kdfparams.c, 32, 'sha256');
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(key), cipher.final()]);
  const mac = keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])).slice(2);
  const privateKey = `0x${key.toString('hex')}`;
  const address = privateKeyToAddress(privateKey);
  return {
    name: seed,
    password,
    privateKey,
    address,
    keystore: {
      version: 3,
      id: '3198bc9c-6672-4ab3-9995-4942343ae5b6',
      address: address.slice(2).toLowerCase(),
      crypto: {
        cipher: 'aes-128-ctr',
        cipherparams: {iv: iv.toString('hex')},
        ciphertext: ciphertext.toString('hex'),
        kdf,
        kdfparams: {dklen: 32, ...kdfparams, salt: salt.toString('hex')},
        mac,
      },
    },
  };
}

save('keystore.json', {
  meta: 'node:crypto scrypt, PBKDF2 and AES; viem keccak and address. See make.mjs',
  cases: [
    keystore('scrypt small', 'correct horse battery staple', 'scrypt', {n: 1024, r: 8, p: 1}),
    keystore('scrypt parallel', 'p\u00e4ssw\u00f6rd \u{1f511}', 'scrypt', {n: 4096, r: 8, p: 6}),
    keystore('pbkdf2', 'testpassword', 'pbkdf2', {c: 10240, prf: 'hmac-sha256'}),
    keystore('empty password', '', 'scrypt', {n: 1024, r: 8, p: 1}),
  ],
});

const [A, B, C] = [
  '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC',
  '0x90F79bf6EB2c4f870365E785982E1f101E93b906',
];
const word = (seed) => keccak256(Buffer.from(seed));

function call(signature, args) {
  const abi = parseAbi([`function ${signature}`]);
  return {signature, args, data: encodeFunctionData({abi, args})};
}
function values(types, args) {
  return {types, args, data: encodeAbiParameters(parseAbiParameters(types), args)};
}

const permit2 = {
  domain: {name: 'Permit2', chainId: 31337, verifyingContract: '0x000000000022D473030F116dDEE9F6B43aC78BA3'},
  types: {
    PermitWitnessTransferFrom: [
      {name: 'permitted', type: 'TokenPermissions'},
      {name: 'spender', type: 'address'},
      {name: 'nonce', type: 'uint256'},
      {name: 'deadline', type: 'uint256'},
      {name: 'witness', type: 'Deposit'},
    ],
    TokenPermissions: [
      {name: 'token', type: 'address'},
      {name: 'amount', type: 'uint256'},
    ],
    Deposit: [
      {name: 'salt', type: 'bytes32'},
      {name: 'tags', type: 'bytes4[]'},
      {name: 'notes', type: 'string[2]'},
      {name: 'parts', type: 'TokenPermissions[]'},
    ],
  },
  primaryType: 'PermitWitnessTransferFrom',
  message: {
    permitted: {token: A, amount: 12500000n},
    spender: B,
    nonce: 7n,
    deadline: 1893456000n,
    witness: {
      salt: word('salt'),
      tags: ['0x01020304', '0xa9059cbb'],
      notes: ['', 'two'],
      parts: [
        {token: B, amount: 1n},
        {token: C, amount: 2n},
      ],
    },
  },
};

save('abi_dynamic.json', {
  meta: 'viem encodeFunctionData, encodeAbiParameters and hashTypedData. See make.mjs',
  calls: [
    call('sweep(bytes32[],address)', [[word('1'), word('2')], A]),
    call('sweep(bytes32[],address)', [[], A]),
    call('paid(bytes32)', [word('1')]),
    call('pay(bytes32,address,address,uint256)', [word('1'), A, B, 1n]),
    call('payBatch((bytes32,address,address,uint256)[])', [
      [
        [word('1'), A, B, 1n],
        [word('2'), A, C, 2n ** 255n],
      ],
    ]),
    call('aggregate((address,bool,bytes)[])', [
      [
        [A, true, '0x'],
        [B, false, '0x010203'],
      ],
    ]),
    call(
      'permitWitnessTransferFrom(((address,uint256),uint256,uint256),(address,uint256),address,bytes32,string,bytes)',
      [[[A, 5n], 6n, 7n], [B, 8n], C, word('witness'), 'Deposit witness)', '0x' + 'ab'.repeat(65)],
    ),
    call('mixed(uint8[3],bytes4,string[],uint256[][])', [
      [1, 2, 255],
      '0x01020304',
      ['', 'a', 'x'.repeat(33)],
      [[1n], [], [2n, 3n]],
    ]),
  ],
  values: [
    values('string', ['USD Coin']),
    values('uint80,int256,uint256,uint256,uint80', [1n, 108340000n, 2n, 3n, 1n]),
    values('bool,bytes32,(uint256,(string,address)[2])', [
      true,
      word('x'),
      [
        9n,
        [
          ['p', A],
          ['', B],
        ],
      ],
    ]),
  ],
  typedData: [{...permit2, digest: hashTypedData(permit2)}],
});
