// Every service has the shape of services/README.md: the same names at its top, an include that leads to its own floor or to a
// lower one, and no folder that one cannot take in at a glance.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (file) => readFileSync(join(root, file), 'utf8');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'services'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const services = readdirSync(join(root, 'services')).filter((name) =>
  existsSync(join(root, 'services', name, 'service.h')),
);

/** Settlement is held to its parts as soon as it has them. */
const inShape = services.filter(
  (service) => service !== 'settlement' || existsSync(join(root, 'services', service, 'ledger')),
);

/** What one service alone has at its top, beside the names that all may have. */
const parts = {settlement: ['ledger', 'payouts', 'sender', 'signing', 'transactions', 'vault']};
const everybody = [
  'CMakeLists.txt',
  'README.md',
  'api',
  'clients',
  'config',
  'convert',
  'domain',
  'main',
  'ports',
  'reasons',
  'service',
  'store',
  'testing',
  'usecases',
  'workers',
];
/** What none does without. */
const needed = ['CMakeLists.txt', 'README.md', 'api', 'config', 'main', 'reasons', 'service'];
/** Settlement does so in its parts. */
const neededOutsideParts = ['clients', 'convert', 'domain', 'ports', 'store', 'usecases', 'workers'];

/** From the ground up; rooms of one floor may include one another. */
const floors = [
  ['reasons'],
  ['domain'],
  ['config'],
  ['ports'],
  ['store', 'convert'],
  ['clients'],
  ['usecases'],
  ['api', 'workers'],
  ['service'],
  ['main'],
];
const floorsOf = {
  settlement: [
    ['reasons'],
    ['vault', 'signing'],
    ['transactions'],
    ['ledger'],
    ['store'],
    ['config'],
    ['payouts'],
    ['sender'],
    ['api'],
    ['service'],
    ['main'],
  ],
};
/** Within a part of settlement; `events` are rows and messages for the outbox, made by use cases. */
const floorsOfPart = [
  ['reasons'],
  ['domain'],
  ['ports'],
  ['store', 'convert', 'signer', 'verify_signed'],
  ['clients', 'events'],
  ['usecases'],
  ['workers'],
];
const kMostRooms = 13;

const isTest = (file) => /_test\.cc$|\/testing\//.test(file);
/** A folder, or a file with its header. */
const roomOf = (name) => name.replace(/\.(h|cc)$/, '');
const included = (file) => [...read(file).matchAll(/^#include "(services\/[^"]+)"/gm)].map((match) => match[1]);

/** The floor of a path below `folder`, or -1 for a name that the shape does not know. */
function floorOf(order, folder, path) {
  const name = roomOf(path.slice(folder.length + 1).split('/')[0]);
  return order.findIndex((floor) => floor.includes(name));
}

function upwards(folder, order) {
  const problems = [];
  for (const file of files.filter((each) => each.startsWith(`${folder}/`) && /\.(cc|h)$/.test(each) && !isTest(each))) {
    const own = floorOf(order, folder, file);
    for (const other of included(file).filter((each) => each.startsWith(`${folder}/`))) {
      if (own >= 0 && floorOf(order, folder, other) > own) problems.push(`${file}: ${other}`);
    }
  }
  return problems;
}

test('the services are those of the mesh', () => {
  for (const service of ['checkout', 'routing', 'settlement', 'watcher'])
    assert.ok(services.includes(service), service);
});

test('every service has the same names at its top', () => {
  const problems = [];
  for (const service of inShape) {
    const names = new Set(
      files
        .filter((file) => file.startsWith(`services/${service}/`))
        .map((file) => file.split('/')[2])
        .filter((name) => !/_test\.cc$/.test(name) && name !== `${service}.example.yaml`)
        .map(roomOf),
    );
    const allowed = [...everybody, ...(parts[service] ?? [])];
    for (const name of names)
      if (!allowed.includes(name)) problems.push(`services/${service}/${name} is not in the shape`);
    const wanted = [
      ...needed,
      ...(service in parts ? [] : neededOutsideParts.filter((name) => name !== 'ports' || names.has('ports'))),
    ];
    for (const name of wanted) if (!names.has(name)) problems.push(`services/${service} has no ${name}`);
  }
  assert.deepEqual(problems, []);
});

test('an include leads to its own floor or to a lower one', () => {
  assert.deepEqual(
    services.flatMap((service) => upwards(`services/${service}`, floorsOf[service] ?? floors)),
    [],
  );
});

test('so it does within each part of settlement', () => {
  assert.deepEqual(
    parts.settlement.flatMap((part) => upwards(`services/settlement/${part}`, floorsOfPart)),
    [],
  );
});

test('no folder has more rooms than one takes in at a glance', () => {
  const rooms = new Map();
  for (const file of files.filter(
    (each) => /\.(cc|h)$/.test(each) && !/_test\.cc$/.test(each) && inShape.includes(each.split('/')[1]),
  )) {
    const steps = file.split('/');
    for (let depth = 2; depth < steps.length; depth++) {
      const folder = steps.slice(0, depth).join('/');
      rooms.set(folder, (rooms.get(folder) ?? new Set()).add(roomOf(steps[depth])));
    }
  }
  assert.deepEqual(
    [...rooms].filter(([, names]) => names.size > kMostRooms).map(([folder, names]) => `${folder}: ${names.size}`),
    [],
  );
});

/** The tables that each part of settlement names in SQL of its own; a part also names those of the parts below it. */
const tablesOf = {
  transactions: ['sender_wallet', 'chain_transaction', 'chain_transaction_item', 'chain_transaction_attempt'],
  ledger: [
    'ledger_head',
    'ledger_account',
    'ledger_journal',
    'ledger_leg',
    'transfer_evidence',
    'chain_progress',
    'deposit',
    'payment_money',
    'deposit_holding',
  ],
  payouts: ['payout', 'payout_destination', 'payout_line', 'payout_plan', 'pause'],
  sender: ['sweep_backoff'],
};

test('a part of settlement names in SQL its own tables and those of parts below it', () => {
  const order = ['transactions', 'ledger', 'payouts', 'sender'];
  const problems = [];
  for (const part of order) {
    const above = order.slice(order.indexOf(part) + 1).flatMap((other) => tablesOf[other]);
    const named = new RegExp(`\\b(?:FROM|JOIN|INTO|UPDATE)\\s+(${above.join('|') || '$.'})\\b`, 'g');
    for (const file of files.filter(
      (each) => each.startsWith(`services/settlement/${part}/`) && each.endsWith('.cc') && !isTest(each),
    )) {
      for (const [, table] of read(file).matchAll(named)) problems.push(`${file}: ${table}`);
    }
  }
  assert.deepEqual(problems, []);
});
