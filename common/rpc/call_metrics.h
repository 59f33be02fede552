// The metrics of calls, under the names that go-grpc-prometheus made common and with its labels
// grpc_type, grpc_service, grpc_method and grpc_code: grpc_{server,client}_started_total,
// _handled_total, _handling_seconds, _msg_received_total and _msg_sent_total. Every series of a
// method is there from the start, at 0. What no contract knows is `other`: a name that a caller
// invents must not become a label. Any thread.
#pragma once

#include <google/protobuf/descriptor.h>

#include <array>
#include <chrono>
#include <string_view>

#include "common/runtime/metrics.h"

namespace paymesh::rpc {

enum class Side { kServer, kClient };

// One method's metrics on one side, looked up once.
class CallMetrics {
 public:
  // `method` null: of whatever is not known.
  CallMetrics(runtime::Metrics& metrics, Side side,
              const google::protobuf::MethodDescriptor* method);

  void Started() const { started_->Increment(); }
  void Received() const { received_->Increment(); }
  void Sent() const { sent_->Increment(); }
  // An attempt that follows others of the same call; the server alone is told.
  void Retried() const { retries_->Increment(); }
  // `code` as in grpc::StatusCode; `trace_id` of a sampled call, else empty.
  void Handled(std::size_t code, std::chrono::duration<double> took,
               std::string_view trace_id) const;

 private:
  prometheus::Counter* started_;
  prometheus::Counter* received_;
  prometheus::Counter* sent_;
  prometheus::Counter* retries_ = nullptr;
  std::array<prometheus::Counter*, 17> handled_;  // by code
  runtime::TracedHistogram* seconds_;
};

// The method of a path ("/package.Service/Method"), or null.
const google::protobuf::MethodDescriptor* FindMethod(std::string_view path);

}  // namespace paymesh::rpc
