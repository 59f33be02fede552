// Trace context in and out of calls, and the spans that calls are, named and described as
// OpenTelemetry's conventions for RPC say. Any thread.
#pragma once

#include <google/protobuf/descriptor.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <span>

#include "common/error/error.h"
#include "common/trace/tracer.h"

namespace paymesh::rpc {

class Call;

// Below what the caller sent as traceparent (and tracestate), else of a trace of its own.
trace::Span StartServerSpan(trace::Tracer& tracer, const Call& call);
void EndServerSpan(trace::Span& span, const Status& status);

// `request` is the message type that only this method takes.
trace::Span StartClientSpan(trace::Tracer& tracer, std::span<const trace::SpanContext> causes,
                            const google::protobuf::Descriptor& request);
void EndClientSpan(trace::Span& span, const grpc::Status& status);
// Adds traceparent and tracestate.
void SendContext(grpc::ClientContext& context, const trace::Span& span);

}  // namespace paymesh::rpc
