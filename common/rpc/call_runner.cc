#include "common/rpc/call_runner.h"

#include "common/rpc/call_runner_impl.h"

namespace paymesh::rpc {
namespace {

// As go-grpc-prometheus writes codes, which dashboards expect.
constexpr std::array<const char*, 17> kCodes = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

const runtime::Metrics::Buckets kBuckets = {.001, .0025, .005, .01, .025, .05, .1,
                                            .25,  .5,    1,    2.5, 5,    10};

ServedMethod MakeMethod(const google::protobuf::MethodDescriptor& method,
                        runtime::Metrics* metrics) {
  ServedMethod served;
  served.path = "/" + method.service()->full_name() + "/" + method.name();
  if (metrics == nullptr) return served;
  runtime::Metrics::Labels labels = {
      {"grpc_type", method.server_streaming() ? "server_stream" : "unary"},
      {"grpc_service", method.service()->full_name()},
      {"grpc_method", method.name()}};
  served.started =
      &metrics->Counter("grpc_server_started_total", "Calls started on the server.", labels);
  served.seconds = &metrics->Histogram("grpc_server_handling_seconds",
                                       "Time from a call's start to its end.", kBuckets, labels);
  for (std::size_t code = 0; code < kCodes.size(); ++code) {
    labels["grpc_code"] = kCodes[code];
    served.handled[code] = &metrics->Counter("grpc_server_handled_total",
                                             "Calls completed on the server, by code.", labels);
  }
  return served;
}

}  // namespace

void CallRunner::Impl::AddMethods(const MethodTable& table) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const MethodRule& rule : table) {
    std::string name = rule.method.substr(1);
    name[name.rfind('/')] = '.';
    const auto* method = pool->FindMethodByName(name);
    methods.emplace(method->input_type(), MakeMethod(*method, options.metrics));
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
