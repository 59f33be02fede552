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
  // W3C trace context: the caller's, or a new one. Passed on by client calls that name this parent.
  const std::string& traceparent() const { return traceparent_; }
  std::string_view trace_id() const { return std::string_view(traceparent_).substr(3, 32); }
  // Whether the trace is recorded, by the caller's word.
  bool sampled() const { return IsSampled(traceparent_); }
  // The first value of a request header, keys in lower case.
  std::optional<std::string_view> Metadata(std::string_view key) const;
  // Adds a field to the call's line in the access log: ids, never secrets.
  void AddLogField(std::string key, std::string value);
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
  std::string traceparent_;
  std::vector<std::pair<std::string, std::string>> log_fields_;
  runtime::Executor executor_;
  const grpc::CallbackServerContext* context_ = nullptr;
};

}  // namespace paymesh::rpc
