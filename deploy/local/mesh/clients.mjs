// gRPC clients of the mesh from its .proto files alone, by an independent implementation (grpc-js):
// what any team outside C++ would write.
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {load} from '../node/modules.mjs';

const grpc = (await load('@grpc/grpc-js')).default;
const loader = (await load('@grpc/proto-loader')).default;
const protoRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'protos');

const files = [
  'checkout/v1/payment_service',
  'checkout/v1/merchant_service',
  'checkout/v1/event_service',
  'routing/v1/routing_service',
  'watcher/v1/transfer_service',
  'watcher/v1/chain_service',
  'watcher/v1/transaction_service',
  'settlement/v1/ledger_service',
  'settlement/v1/payout_service',
  'settlement/v1/pause_service',
  'settlement/v1/event_service',
];
const definition = loader.loadSync(
  files.map((file) => `paymesh/${file}.proto`),
  {
    includeDirs: [protoRoot],
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
  },
);
const packages = grpc.loadPackageDefinition(definition).paymesh;

/** Which package each service of the contracts belongs to. */
const serviceHomes = {
  PaymentService: 'checkout',
  MerchantService: 'checkout',
  RoutingService: 'routing',
  TransferService: 'watcher',
  ChainService: 'watcher',
  TransactionService: 'watcher',
  LedgerService: 'settlement',
  PayoutService: 'settlement',
  PauseService: 'settlement',
};

export const status = grpc.status;

/** Ends of a call after which nobody knows whether it happened; it is repeated under its request id. */
const unsure = ['UNAVAILABLE', 'ABORTED', 'DEADLINE_EXCEEDED', 'CANCELLED'];

/** A refused or failed call: the gRPC code's name, the stable reason and what the server said. */
export class CallError extends Error {
  constructor(error) {
    super(`${grpc.status[error.code]}: ${error.details}`);
    this.code = grpc.status[error.code];
    this.details = decodeDetails(error);
    this.reason = this.details.reason;
    this.violations = this.details.violations;
  }
}

/**
 * Clients for one identity: `const mesh = connect(description, 'operator')`, then
 * `await mesh.PaymentService.CreatePayment({...})`, `mesh.stream('PaymentService', 'WatchPayment', {...})`.
 * EventService exists twice: `mesh.CheckoutEvents` and `mesh.SettlementEvents`.
 * `record` is told how each attempt of a call with a request id ended: {caller, call, requestId, request, ok, response},
 * `ok` null when nobody knows. `headers` go with every call (traceparent, for example). `hostOf` names the host that a
 * service's certificate must be for.
 */
export function connect(
  description,
  who,
  {apiKey, retries = 0, deadlineMs = 10_000, addresses = {}, record, headers = {}, hostOf = () => 'localhost'} = {},
) {
  const caller = apiKey ?? (typeof who === 'string' ? who : who.certificate);
  const {certificate, key} = typeof who === 'string' ? description.clients[who] : who;
  const credentials = grpc.credentials.createSsl(
    readFileSync(description.ca),
    readFileSync(key),
    readFileSync(certificate),
  );
  const made = new Map();
  function stub(home, service) {
    const name = `${home}.${service}`;
    if (!made.has(name)) {
      const address = addresses[home] ?? description.services[home].grpc;
      made.set(
        name,
        new packages[home].v1[service](address, credentials, {
          'grpc.ssl_target_name_override': hostOf(home),
          'grpc.initial_reconnect_backoff_ms': 100,
          'grpc.max_reconnect_backoff_ms': 1000,
          'grpc.service_config': JSON.stringify({methodConfig: []}),
        }),
      );
    }
    return made.get(name);
  }
  const metadata = () => {
    const result = new grpc.Metadata();
    if (apiKey) result.set('authorization', `Bearer ${apiKey}`);
    for (const [name, value] of Object.entries(headers)) result.set(name, value);
    return result;
  };
  function once(home, service, method, request, deadline) {
    return new Promise((resolve, reject) => {
      stub(home, service)[method](request, metadata(), {deadline: Date.now() + deadline}, (error, response) => {
        if (record && request.request_id) {
          const ok = error ? (unsure.includes(grpc.status[error.code]) ? null : false) : true;
          record({caller, call: `${service}.${method}`, requestId: request.request_id, request, ok, response});
        }
        if (error) reject(new CallError(error));
        else resolve(response);
      });
    });
  }
  async function call(home, service, method, request, options = {}) {
    const most = options.retries ?? retries;
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(home, service, method, request, options.deadlineMs ?? deadlineMs);
      } catch (error) {
        if (!unsure.includes(error.code) || attempt >= most) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(1000, 50 * 2 ** attempt) * (0.5 + Math.random())));
      }
    }
  }
  const facade = (home, service) =>
    new Proxy(
      {},
      {
        get:
          (_, method) =>
          (request = {}, options) =>
            call(home, service, method, request, options),
      },
    );
  const all = Object.fromEntries(Object.entries(serviceHomes).map(([name, home]) => [name, facade(home, name)]));
  return {
    ...all,
    CheckoutEvents: facade('checkout', 'EventService'),
    SettlementEvents: facade('settlement', 'EventService'),
    /** Opens a server stream; iterate it, and `cancel()` it. */
    stream(service, method, request, {deadlineMs: limit = 24 * 3_600_000} = {}) {
      const [home, name] =
        service === 'CheckoutEvents'
          ? ['checkout', 'EventService']
          : service === 'SettlementEvents'
            ? ['settlement', 'EventService']
            : [serviceHomes[service], service];
      const stream = stub(home, name)[method](request, metadata(), {deadline: Date.now() + limit});
      stream.on('error', () => {});
      return stream;
    },
    close() {
      for (const client of made.values()) client.close();
    },
  };
}

/** Follows a payment until `done(payment)`; calls `seen` with each revision. Survives restarts. */
export async function watchPayment(mesh, paymentId, done, {seen = () => {}, timeoutMs = 120_000} = {}) {
  const deadline = Date.now() + timeoutMs;
  let revision = 0;
  let last = null;
  while (Date.now() < deadline) {
    const stream = mesh.stream(
      'PaymentService',
      'WatchPayment',
      {payment_id: paymentId, after_revision: revision},
      {deadlineMs: deadline - Date.now()},
    );
    try {
      for await (const {payment} of stream) {
        revision = payment.revision;
        last = payment;
        seen(payment);
        if (done(payment)) {
          stream.cancel();
          return payment;
        }
      }
    } catch (error) {
      if (![grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED, grpc.status.CANCELLED].includes(error.code))
        throw error;
    }
    stream.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(
    `payment ${paymentId} did not get there within ${timeoutMs / 1000} s; it is in ${last?.state} ` +
      `with ${JSON.stringify(last?.flags)} at revision ${revision}`,
  );
}

const healthDefinition = grpc.loadPackageDefinition(
  loader.fromJSON(
    {
      nested: {
        grpc: {
          nested: {
            health: {
              nested: {
                v1: {
                  nested: {
                    HealthCheckRequest: {fields: {service: {type: 'string', id: 1}}},
                    HealthCheckResponse: {
                      fields: {status: {type: 'ServingStatus', id: 1}},
                      nested: {ServingStatus: {values: {UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3}}},
                    },
                    Health: {
                      methods: {Check: {requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse'}},
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
    {enums: String, defaults: true},
  ),
);

/** One health check on the plaintext port: 'SERVING', 'NOT_SERVING', … */
export function checkHealth(port, service = '') {
  const client = new healthDefinition.grpc.health.v1.Health(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return new Promise((resolve, reject) => {
    client.Check({service}, {deadline: Date.now() + 2000}, (error, response) => {
      client.close();
      if (error) reject(error);
      else resolve(response.status);
    });
  });
}

const detailTypes = loader.fromJSON(
  {
    nested: {
      google: {
        nested: {
          protobuf: {nested: {Any: {fields: {type_url: {type: 'string', id: 1}, value: {type: 'bytes', id: 2}}}}},
          rpc: {
            nested: {
              Status: {
                fields: {
                  code: {type: 'int32', id: 1},
                  message: {type: 'string', id: 2},
                  details: {rule: 'repeated', type: 'google.protobuf.Any', id: 3},
                },
              },
              ErrorInfo: {
                fields: {
                  reason: {type: 'string', id: 1},
                  domain: {type: 'string', id: 2},
                  metadata: {keyType: 'string', type: 'string', id: 3},
                },
              },
              BadRequest: {
                fields: {field_violations: {rule: 'repeated', type: 'FieldViolation', id: 1}},
                nested: {
                  FieldViolation: {fields: {field: {type: 'string', id: 1}, description: {type: 'string', id: 2}}},
                },
              },
              Carrier: {
                methods: {
                  A: {requestType: 'Status', responseType: 'ErrorInfo'},
                  B: {requestType: 'BadRequest', responseType: 'Status'},
                },
              },
            },
          },
        },
      },
    },
  },
  {keepCase: true, defaults: true, arrays: true, objects: true},
);

/** The rich part of an error (google.rpc.Status in grpc-status-details-bin). */
function decodeDetails(error) {
  const raw = error.metadata?.get('grpc-status-details-bin')?.[0];
  const result = {reason: '', domain: '', metadata: {}, violations: []};
  if (!raw) return result;
  const carrier = detailTypes['google.rpc.Carrier'];
  const decoded = carrier.A.requestDeserialize(raw);
  for (const detail of decoded.details) {
    if (detail.type_url.endsWith('google.rpc.ErrorInfo')) {
      const info = carrier.A.responseDeserialize(detail.value);
      Object.assign(result, {reason: info.reason, domain: info.domain, metadata: info.metadata});
    } else if (detail.type_url.endsWith('google.rpc.BadRequest')) {
      result.violations = carrier.B.requestDeserialize(detail.value).field_violations;
    }
  }
  return result;
}
