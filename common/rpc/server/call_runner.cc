#include "common/rpc/server/call_runner.h"

#include "common/rpc/server/call_runner_impl.h"

namespace paymesh::rpc {

void CallRunner::Impl::AddMethods(const MethodTable& table) {
  for (const MethodRule& rule : table) {
    const auto* method = FindMethod(rule.method);
    ServedMethod served{.path = rule.method};
    if (options.metrics != nullptr) served.metrics.emplace(*options.metrics, Side::kServer, method);
    methods.emplace(method->input_type(), std::move(served));
  }
}

CallRunner::CallRunner(CallRunnerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {
  if (impl_->options.authorizer) impl_->AddMethods(impl_->options.authorizer->table());
  if (impl_->options.metrics == nullptr) return;
  runtime::Metrics& metrics = *impl_->options.metrics;
  auto& unary =
      metrics.Gauge("grpc_server_in_flight", "Calls being served.", {{"grpc_type", "unary"}});
  auto& streams = metrics.Gauge("grpc_server_in_flight", "Calls being served.",
                                {{"grpc_type", "server_stream"}});
  // The runner's state outlives the endpoint that renders the metrics (host.cc).
  metrics.OnCollect([impl = impl_.get(), &unary, &streams] {
    unary.Set(static_cast<double>(impl->unary.load()));
    streams.Set(static_cast<double>(impl->streams.load()));
  });
}

CallRunner::~CallRunner() = default;

void CallRunner::SetAuthorizer(std::shared_ptr<const Authorizer> authorizer) {
  impl_->options.authorizer = std::move(authorizer);
  impl_->AddMethods(impl_->options.authorizer->table());
}

std::size_t CallRunner::unary_in_flight() const { return impl_->unary; }
std::size_t CallRunner::streams() const { return impl_->streams; }

}  // namespace paymesh::rpc
