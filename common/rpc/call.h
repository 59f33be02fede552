// One served call as its handler sees it. Lives on the call's strand until the handler returns.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/rpc/identity.h"
#include "common/runtime/task.h"
#include "common/trace/tracer.h"

namespace grpc {
class CallbackServerContext;
}

namespace paymesh::rpc {

// The sampled flag of a well-formed W3C traceparent; false for an empty text.
inline bool IsSampled(std::string_view traceparent) {
  constexpr std::string_view kOdd = "13579bdf";
  return traceparent.size() >= 55 && kOdd.find(traceparent[54]) != std::string_view::npos;
}

class Call {
 public:
  const Principal& principal() const { return principal_; }
  const std::string& method() const { return method_; }  // "/package.Service/Method"
  // When the handler must have answered; nothing for a stream without one. Approximate: the wire
  // carries a timeout that each hop rounds up.
  std::optional<std::chrono::steady_clock::time_point> deadline() const { return deadline_; }
  // The call's own span, below the caller's or the first of a new trace. Client calls that name
  // this parent are below it; so is, later, what an outbox entry with this traceparent causes.
  trace::Span& span() { return span_; }
  trace::Tracer* tracer() const { return tracer_; }  // null in ForTest
  const trace::SpanContext& trace() const { return span_.context(); }
  const std::string& traceparent() const { return traceparent_; }
  std::string_view trace_id() const { return std::string_view(traceparent_).substr(3, 32); }
  std::string_view span_id() const { return std::string_view(traceparent_).substr(36, 16); }
  // Whether somebody records the trace: bit 0 of the traceparent's flags.
  bool sampled() const { return trace().sampled; }
  // The first value of a request header, keys in lower case.
  std::optional<std::string_view> Metadata(std::string_view key) const;
  // Adds a field to the call's line in the access log and to its span: ids, never secrets. The key
  // is a literal: it is not copied.
  void AddLogField(std::string_view key, std::string value);
  // The call's strand.
  runtime::Executor executor() const { return executor_; }

  // For unit tests of handlers: a call that no server made.
  static Call ForTest(Principal principal, std::string method, runtime::Executor executor);

 private:
  friend class CallState;
  Call() = default;
  Principal principal_;
  std::string method_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  trace::Tracer* tracer_ = nullptr;
  trace::Span span_;
  std::string traceparent_;
  std::vector<std::pair<std::string_view, std::string>> log_fields_;
  runtime::Executor executor_;
  const grpc::CallbackServerContext* context_ = nullptr;
};

}  // namespace paymesh::rpc
