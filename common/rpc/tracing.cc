#include "common/rpc/tracing.h"

#include <optional>
#include <string>
#include <string_view>

#include "common/error/status.h"
#include "common/rpc/call.h"

namespace paymesh::rpc {
namespace {

std::optional<trace::SpanContext> CallersContext(const Call& call) {
  const auto text = call.Metadata("traceparent");
  if (!text) return std::nullopt;
  auto context = trace::ParseTraceparent(*text);
  const auto state = call.Metadata("tracestate");
  if (context && state) context->state = trace::ParseTracestate(*state);
  return context;
}

// "package.Service/Method", of which the parts are attributes.
void Describe(trace::Span& span, std::string_view name) {
  const std::size_t slash = name.find('/');
  span.Set("rpc.system", "grpc");
  span.Set("rpc.service", name.substr(0, slash));
  span.Set("rpc.method", slash == std::string_view::npos ? "" : name.substr(slash + 1));
}

// What the server is to blame for. Everything else is the caller's affair, and no failure here.
bool IsServersFault(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknown:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kUnimplemented:
    case ErrorCode::kInternal:
    case ErrorCode::kUnavailable:
      return true;
    default:
      return false;
  }
}

std::string NameOf(const google::protobuf::Descriptor& request) {
  const google::protobuf::FileDescriptor& file = *request.file();
  for (int i = 0; i < file.service_count(); ++i) {
    const google::protobuf::ServiceDescriptor& service = *file.service(i);
    for (int j = 0; j < service.method_count(); ++j) {
      if (service.method(j)->input_type() != &request) continue;
      return service.full_name() + "/" + service.method(j)->name();
    }
  }
  return request.full_name();
}

}  // namespace

trace::Span StartServerSpan(trace::Tracer& tracer, const Call& call) {
  std::optional<trace::SpanContext> parent;
  if (tracer.propagates()) parent = CallersContext(call);
  std::string_view name = call.method();
  if (!name.empty()) name.remove_prefix(1);
  trace::Span span =
      tracer.Start(name, {.kind = trace::Kind::kServer, .parent = parent ? &*parent : nullptr});
  if (span.recording()) Describe(span, name);
  return span;
}

void EndServerSpan(trace::Span& span, const Status& status) {
  if (!span.recording()) return;
  span.Set("rpc.grpc.status_code",
           std::int64_t{status.ok() ? 0 : static_cast<int>(status.error().code)});
  if (!status.ok()) {
    span.Set("error.type", status.error().reason);
    if (IsServersFault(status.error().code)) {
      span.SetOutcome(trace::Outcome::kError, status.error().reason);
    }
  }
  span.End();
}

trace::Span StartClientSpan(trace::Tracer& tracer, std::span<const trace::SpanContext> causes,
                            const google::protobuf::Descriptor& request) {
  const std::string name = tracer.enabled() ? NameOf(request) : std::string();
  trace::Span span = tracer.StartFor(causes, name, trace::Kind::kClient);
  if (span.recording()) Describe(span, name);
  return span;
}

void EndClientSpan(trace::Span& span, const grpc::Status& status) {
  if (!span.recording()) return;
  span.Set("rpc.grpc.status_code", std::int64_t{status.error_code()});
  if (!status.ok()) {
    const Error error = FromGrpc(status);
    span.Set("error.type", error.reason);
    span.SetOutcome(trace::Outcome::kError, error.reason);
  }
  span.End();
}

void SendContext(grpc::ClientContext& context, const trace::Span& span) {
  if (!span.context().valid()) return;
  context.AddMetadata("traceparent", span.context().ToTraceparent());
  if (!span.context().state.empty()) context.AddMetadata("tracestate", span.context().state);
}

}  // namespace paymesh::rpc
