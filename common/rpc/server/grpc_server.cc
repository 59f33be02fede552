#include "common/rpc/server/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "common/rpc/server/unknown_calls.h"

namespace paymesh::rpc {
namespace {

// The reflection library registers itself for every server of the process. This decides for one.
class ReflectionOption final : public grpc::ServerBuilderOption {
 public:
  explicit ReflectionOption(bool on) : on_(on) {}
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
    if (on_) plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
  }

 private:
  bool on_;
};

int Milliseconds(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

void Limit(grpc::ServerBuilder& builder, const ServerOptions& options) {
  builder.SetMaxReceiveMessageSize(options.max_receive_bytes);
  builder.SetMaxSendMessageSize(options.max_send_bytes);
  builder.SetResourceQuota(
      grpc::ResourceQuota("server").Resize(static_cast<std::size_t>(options.resource_quota_bytes)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 300'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             Milliseconds(options.max_connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             Milliseconds(options.max_connection_age_grace));
  // Half-open handshakes hold a descriptor; the default is two minutes.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  // Two processes on one port would share its callers silently.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

struct Server::Impl {
  std::unique_ptr<UnknownCalls> unknown;  // outlives the server
  std::unique_ptr<grpc::Server> server;
  std::string address;
  int port = 0;
  bool down = false;
};

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              const std::vector<ServedService>& services) {
  grpc::EnableDefaultHealthCheckService(false);
  auto impl = std::make_unique<Impl>();
  grpc::ServerBuilder builder;
  Limit(builder, options);
  builder.SetOption(std::make_unique<ReflectionOption>(options.reflection));
  builder.AddListeningPort(options.address, options.credentials, &impl->port);
  for (const ServedService& served : services) builder.RegisterService(served.service);
  if (options.metrics != nullptr) {
    impl->unknown = std::make_unique<UnknownCalls>(*options.metrics);
    builder.RegisterCallbackGenericService(impl->unknown.get());
  }
  impl->server = builder.BuildAndStart();
  if (!impl->server || impl->port == 0) {
    return Error::Unavailable("PORT_TAKEN",
                              "cannot listen on " + options.address + " (is the port taken?)");
  }
  impl->address =
      options.address.substr(0, options.address.rfind(':') + 1) + std::to_string(impl->port);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { Shutdown(std::chrono::milliseconds(0)); }

int Server::port() const { return impl_->port; }
const std::string& Server::address() const { return impl_->address; }

void Server::Shutdown(std::chrono::milliseconds grace) {
  if (std::exchange(impl_->down, true)) return;
  // Without a deadline streams would never be cancelled, and this never return.
  impl_->server->Shutdown(std::chrono::system_clock::now() + grace);
  impl_->server->Wait();
}

}  // namespace paymesh::rpc
