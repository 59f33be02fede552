// A receiver of OTLP over gRPC: grpc-js with the message definitions that OpenTelemetry itself
// publishes, so that nothing here knows how our exporter writes.
import {load} from '../../deploy/local/node/modules.mjs';

const grpc = await load('@grpc/grpc-js');
const {default: root} = await load('@opentelemetry/otlp-transformer/build/src/generated/root.js');
const {ExportTraceServiceRequest: Request, ExportTraceServiceResponse: Response} =
  root.opentelemetry.proto.collector.trace.v1;

const export_ = {
  path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  requestStream: false,
  responseStream: false,
  requestSerialize: (message) => Buffer.from(Request.encode(message).finish()),
  requestDeserialize: (bytes) => Request.decode(bytes),
  responseSerialize: (message) => Buffer.from(Response.encode(message).finish()),
  responseDeserialize: (bytes) => Response.decode(bytes),
};

const hex = (bytes) => Buffer.from(bytes ?? []).toString('hex');
const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const attributesOf = (list) =>
  Object.fromEntries(
    list.map(({key, value}) => {
      const held = value.value; // the name of the field that is set
      return [key, typeof value[held] === 'object' ? Number(value[held]) : value[held]];
    }),
  );

/** One span in plain words; ids as hex, '' for none. */
function toSpan(resource, span) {
  return {
    service: resource['service.name'],
    resource,
    name: span.name,
    kind: kinds[span.kind],
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    state: span.traceState,
    attributes: attributesOf(span.attributes),
    links: span.links.map((link) => ({traceId: hex(link.traceId), spanId: hex(link.spanId)})),
    start: Number(span.startTimeUnixNano),
    end: Number(span.endTimeUnixNano),
    failed: span.status?.code === 2,
  };
}

/** Listens on a free port; `spans` grows as they arrive. */
export async function startReceiver() {
  const spans = [];
  const server = new grpc.Server();
  server.addService(
    {Export: export_},
    {
      Export: (call, done) => {
        for (const {resource, scopeSpans} of call.request.resourceSpans) {
          const described = attributesOf(resource.attributes);
          for (const {spans: some} of scopeSpans) for (const span of some) spans.push(toSpan(described, span));
        }
        done(null, {});
      },
    },
  );
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    of: (traceId) => spans.filter((span) => span.traceId === traceId),
    linkedTo: (traceId) => spans.filter((span) => span.links.some((link) => link.traceId === traceId)),
    close: () => server.forceShutdown(),
  };
}
