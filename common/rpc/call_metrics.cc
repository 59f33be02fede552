#include "common/rpc/call_metrics.h"

#include <algorithm>
#include <string>

namespace paymesh::rpc {
namespace {

// As go-grpc-prometheus writes codes, which dashboards expect.
constexpr std::array<const char*, 17> kCodes = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};
constexpr std::size_t kUnknown = 2;

const char* TypeOf(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "bidi_stream" : "client_stream";
  return method.server_streaming() ? "server_stream" : "unary";
}

runtime::Metrics::Labels LabelsOf(const google::protobuf::MethodDescriptor* method) {
  // A type of its own too: objectives are about unary calls, and nobody may spend their budget by
  // calling what does not exist.
  if (method == nullptr) {
    return {{"grpc_type", "other"}, {"grpc_service", "other"}, {"grpc_method", "other"}};
  }
  return {{"grpc_type", TypeOf(*method)},
          {"grpc_service", method->service()->full_name()},
          {"grpc_method", method->name()}};
}

}  // namespace

CallMetrics::CallMetrics(runtime::Metrics& metrics, Side side,
                         const google::protobuf::MethodDescriptor* method) {
  const bool server = side == Side::kServer;
  const std::string prefix = server ? "grpc_server_" : "grpc_client_";
  const std::string where = server ? " on the server" : " by the client";
  runtime::Metrics::Labels labels = LabelsOf(method);
  const auto counter = [&](const char* name, const std::string& help) {
    return &metrics.Counter(prefix + name, help, labels);
  };
  started_ = counter("started_total", "Calls started" + where + ".");
  received_ = counter("msg_received_total", "Messages received" + where + ".");
  sent_ = counter("msg_sent_total", "Messages sent" + where + ".");
  if (server) retries_ = counter("retries_total", "Calls that a client had tried before.");
  seconds_ = &metrics.Traced(prefix + "handling_seconds", "Time from a call's start to its end.",
                             runtime::Metrics::CallBuckets(), labels);
  for (std::size_t code = 0; code < kCodes.size(); ++code) {
    labels["grpc_code"] = kCodes[code];
    handled_[code] = counter("handled_total", "Calls completed" + where + ", by code.");
  }
}

void CallMetrics::Handled(std::size_t code, std::chrono::duration<double> took,
                          std::string_view trace_id) const {
  handled_[code < kCodes.size() ? code : kUnknown]->Increment();
  if (trace_id.empty()) {
    seconds_->Observe(took.count());
  } else {
    seconds_->Observe(took.count(), trace_id);
  }
}

const google::protobuf::MethodDescriptor* FindMethod(std::string_view path) {
  if (path.empty()) return nullptr;
  std::string name(path.substr(1));
  std::replace(name.begin(), name.end(), '/', '.');
  return google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
}

}  // namespace paymesh::rpc
