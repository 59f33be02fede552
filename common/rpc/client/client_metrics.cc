#include "common/rpc/client/client_metrics.h"

#include <grpcpp/support/interceptor.h>

#include <mutex>

#include "common/rpc/call.h"

namespace paymesh::rpc {
namespace {

namespace experimental = grpc::experimental;
using experimental::InterceptionHookPoints;
using std::chrono::steady_clock;

// One call. gRPC runs its hooks one after another.
class CallCounter final : public experimental::Interceptor {
 public:
  explicit CallCounter(const CallMetrics& metrics)
      : metrics_(metrics), started_(steady_clock::now()) {}

  void Intercept(experimental::InterceptorBatchMethods* methods) override {
    const auto at = [methods](InterceptionHookPoints point) {
      return methods->QueryInterceptionHookPoint(point);
    };
    if (at(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      metrics_.Started();
      RememberTrace(*methods->GetSendInitialMetadata());
    }
    if (at(InterceptionHookPoints::PRE_SEND_MESSAGE)) metrics_.Sent();
    if (at(InterceptionHookPoints::POST_RECV_MESSAGE) && methods->GetRecvMessage() != nullptr) {
      metrics_.Received();
    }
    if (at(InterceptionHookPoints::POST_RECV_STATUS)) {
      metrics_.Handled(static_cast<std::size_t>(methods->GetRecvStatus()->error_code()),
                       steady_clock::now() - started_, trace_id_);
    }
    methods->Proceed();
  }

 private:
  void RememberTrace(const std::multimap<std::string, std::string>& metadata) {
    const auto found = metadata.find("traceparent");
    if (found != metadata.end() && IsSampled(found->second)) {
      trace_id_ = found->second.substr(3, 32);
    }
  }

  const CallMetrics& metrics_;
  const steady_clock::time_point started_;
  std::string trace_id_;  // of a sampled call
};

class Factory final : public experimental::ClientInterceptorFactoryInterface {
 public:
  explicit Factory(std::shared_ptr<ClientMetrics> metrics) : metrics_(std::move(metrics)) {}
  experimental::Interceptor* CreateClientInterceptor(experimental::ClientRpcInfo* info) override {
    return new CallCounter(metrics_->Of(info->method()));  // gRPC's from here on
  }

 private:
  const std::shared_ptr<ClientMetrics> metrics_;
};

}  // namespace

ClientMetrics::ClientMetrics(runtime::Metrics& metrics, std::span<const std::string> methods)
    : metrics_(metrics) {
  for (const std::string& path : methods) Of(path);
}

const CallMetrics& ClientMetrics::Of(std::string_view path) {
  {
    std::shared_lock lock(mutex_);
    const auto found = methods_.find(path);
    if (found != methods_.end()) return found->second;
  }
  const auto* method = FindMethod(path);
  std::unique_lock lock(mutex_);
  if (method == nullptr) {
    if (!other_) other_ = std::make_unique<CallMetrics>(metrics_, Side::kClient, nullptr);
    return *other_;
  }
  return methods_.try_emplace(std::string(path), metrics_, Side::kClient, method).first->second;
}

std::unique_ptr<experimental::ClientInterceptorFactoryInterface> CountCalls(
    std::shared_ptr<ClientMetrics> metrics) {
  return std::make_unique<Factory>(std::move(metrics));
}

}  // namespace paymesh::rpc
