// Answers calls of methods that the server does not have: UNIMPLEMENTED, as gRPC itself would, but
// counted (call_metrics.h: `other`). It reads no message. Any thread.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include "common/rpc/call_metrics.h"

namespace paymesh::rpc {

class UnknownCalls final : public grpc::CallbackGenericService {
 public:
  // `metrics` outlives this.
  explicit UnknownCalls(runtime::Metrics& metrics) : metrics_(metrics, Side::kServer, nullptr) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  CallMetrics metrics_;
};

}  // namespace paymesh::rpc
