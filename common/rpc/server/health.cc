#include "common/rpc/server/health.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <mutex>

namespace paymesh::rpc {
namespace {

// No reflection here, which else registers itself for every server of the process.
class NoPlugins final : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
  }
};

}  // namespace

struct HealthServer::Impl {
  // Answers UNIMPLEMENTED to everything else; gRPC makes no server without a service of the user's.
  grpc::CallbackGenericService nothing;
  std::unique_ptr<grpc::Server> server;
  grpc::HealthCheckServiceInterface* health = nullptr;
  std::vector<std::string> services;
  int port = 0;
  std::mutex mutex;
  bool started = false;
  bool draining = false;

  void SetAll(bool serving) {
    for (const std::string& service : services) health->SetServingStatus(service, serving);
  }
};

Result<std::unique_ptr<HealthServer>> HealthServer::Start(const std::string& address,
                                                          std::vector<std::string> services) {
  auto impl = std::make_unique<Impl>();
  impl->services = std::move(services);
  impl->services.insert(impl->services.end(), {"", "readiness"});
  grpc::ServerBuilder builder;
  builder.SetOption(std::make_unique<NoPlugins>());
  builder.SetMaxReceiveMessageSize(16 * 1024);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  builder.RegisterCallbackGenericService(&impl->nothing);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &impl->port);
  // A switch of the whole process, read while a server is made: on for this one alone.
  grpc::EnableDefaultHealthCheckService(true);
  impl->server = builder.BuildAndStart();
  grpc::EnableDefaultHealthCheckService(false);
  if (!impl->server || impl->port == 0) {
    return Error::Unavailable("PORT_TAKEN",
                              "cannot listen on " + address + " (is the port taken?)");
  }
  impl->health = impl->server->GetHealthCheckService();
  impl->SetAll(false);
  impl->health->SetServingStatus("startup", false);
  impl->health->SetServingStatus("liveness", true);
  return std::unique_ptr<HealthServer>(new HealthServer(std::move(impl)));
}

HealthServer::HealthServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HealthServer::~HealthServer() {
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
}

int HealthServer::port() const { return impl_->port; }

void HealthServer::SetReady(bool ready) {
  std::lock_guard lock(impl_->mutex);
  if (impl_->draining) return;
  impl_->SetAll(ready);
  if (ready && !std::exchange(impl_->started, true)) {
    impl_->health->SetServingStatus("startup", true);
  }
}

void HealthServer::Drain() {
  std::lock_guard lock(impl_->mutex);
  impl_->draining = true;
  impl_->SetAll(false);
  impl_->health->SetServingStatus("startup", false);
}

}  // namespace paymesh::rpc
