// The services' configuration files for a mesh on this machine. Values are plain data written as YAML
// by a small writer, so that tests can change them by `overrides` before they are written.
import {join} from 'node:path';
import {services, spiffe} from './certificates.mjs';

/** YAML of maps, lists and scalars: every string quoted, so nothing is mistaken for another type. */
export function yaml(value, indent = '') {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []\n';
    return (
      '\n' +
      value
        .map((item) => {
          const text = yaml(item, `${indent}  `);
          return text.startsWith('\n') ? `${indent}-${text.slice(1 + indent.length + 1)}` : `${indent}-${text}`;
        })
        .join('')
    );
  }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0) return ' {}\n';
    return '\n' + entries.map(([key, item]) => `${indent}${key}:${yaml(item, `${indent}  `)}`).join('');
  }
  return ` ${typeof value === 'string' ? JSON.stringify(value) : String(value)}\n`;
}

/** chains.yaml, mounted into all services. */
export function chainsFile(mesh) {
  return yaml({
    chains: mesh.chains.map((chain) => {
      const contracts = mesh.contracts[chain.chain];
      const token = (name, symbol, currency, accepted) => ({
        asset: `${chain.chain}/erc20:${contracts.tokens[name].toLowerCase()}`,
        symbol,
        decimals: 6,
        currency,
        accepted,
      });
      return {
        chain: chain.chain,
        name: chain.name,
        block_time: `${Math.max(mesh.blockTime, 1)}s`,
        finality: {safe_min_depth: 1, finalized_min_depth: 2},
        endpoints: mesh.nodeUrls?.[chain.chain] ?? [chain.rpcUrl],
        contracts: {vault: contracts.vault, factory: contracts.factory, factory_init_code_hash: contracts.initCodeHash},
        start_block: 0,
        native: {symbol: 'ETH', decimals: 18},
        tokens: [
          token('testUsd', 'tUSD', 'USD', true),
          token('testEur', 'tEUR', 'EUR', true),
          token('returnsNothing', 'tOLD', 'USD', false),
        ],
      };
    }),
  }).trimStart();
}

const kRoles = {
  edge: 'edge',
  olivia: 'operator',
  anna: 'approver',
  rita: 'reader',
  ...Object.fromEntries(services.map((name) => [name, 'service'])),
};
const kPeers = {
  checkout: ['routing', 'watcher', 'settlement'],
  routing: ['watcher', 'checkout'],
  watcher: [],
  settlement: ['watcher', 'checkout'],
};

/** One service's file. `instead`: keys of the whole file that another process of the service has differently. */
export function serviceFile(mesh, service, instead = {}) {
  const local = (port) => `127.0.0.1:${port}`;
  const {ca, certificate, key} = mesh.certificates.paths(service);
  const config = {
    listen: {
      grpc: local(mesh.ports.grpc[service]),
      health: local(mesh.ports.health[service]),
      metrics: local(mesh.ports.metrics[service]),
    },
    tls: {certificate, key, ca},
    database: {conninfo: mesh.postgres.conninfo(service), pool_size: 8},
    chains_file: mesh.path('config', 'chains.yaml'),
    log: {level: 'info'},
    reflection: true,
    identities: Object.entries(kRoles).map(([name, role]) => ({uri: spiffe(name), role, name})),
    peers: Object.fromEntries(kPeers[service].map((peer) => [peer, local(mesh.ports.grpc[peer])])),
    ...kOwn[service](mesh),
    ...instead,
  };
  mesh.overrides[service]?.(config);
  return yaml(config).trimStart();
}

/** What each service has beside the common part; see its example file for the meaning. */
const kOwn = {
  checkout: () => ({}),
  routing: (mesh) => ({
    rates: {
      static: [
        {base: 'USD', quote: 'EUR', price: '0.92'},
        {base: 'GBP', quote: 'USD', price: '1.27'},
        {base: 'JPY', quote: 'USD', price: '0.0067'},
      ],
      feeds: [
        {
          base: 'EUR',
          quote: 'USD',
          chain: mesh.chains[0].chain,
          address: mesh.contracts[mesh.chains[0].chain].priceFeed,
          max_age: '876000h',
        },
      ],
    },
  }),
  watcher: () => ({}),
  settlement: (mesh) => ({
    signer: {
      keystore_file: join(mesh.folder, 'secrets', 'operator-keystore.json'),
      password_file: join(mesh.folder, 'secrets', 'operator-keystore-password'),
    },
    // Patience measured in one-second blocks.
    payouts: {destination_cooling_off: '0s', plan_interval: '500ms', park_for: '1s'},
    sending: {
      poll_interval: '200ms',
      retry_after: '500ms',
      resend_after: '10s',
      bump_after: '15s',
      funding_interval: '5s',
    },
  }),
};
