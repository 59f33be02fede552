// Counts the calls that a process makes (call_metrics.h): an interceptor of its channels, so that
// whoever calls need not know. Any thread.
#pragma once

#include <grpcpp/support/client_interceptor.h>

#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>

#include "common/rpc/call_metrics.h"

namespace paymesh::rpc {

class ClientMetrics {
 public:
  // `methods`: what the process calls ("/package.Service/Method"), so that the series are there
  // before the first call. `metrics` outlives this.
  ClientMetrics(runtime::Metrics& metrics, std::span<const std::string> methods);

  // For any method of a contract; all others share one.
  const CallMetrics& Of(std::string_view path);

 private:
  runtime::Metrics& metrics_;
  std::shared_mutex mutex_;
  std::map<std::string, CallMetrics, std::less<>> methods_;  // only grows; guarded by mutex_
  std::unique_ptr<CallMetrics> other_;                       // guarded by mutex_
};

// For a channel.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> CountCalls(
    std::shared_ptr<ClientMetrics> metrics);

}  // namespace paymesh::rpc
