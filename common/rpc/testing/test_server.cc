#include "common/rpc/testing/test_server.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <cstdlib>

#include "common/rpc/credentials.h"

namespace paymesh::rpc {

TestPool::TestPool(int threads) : context_(threads), guard_(context_.get_executor()) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { context_.run(); });
}

TestPool::~TestPool() {
  guard_.reset();
  for (std::thread& thread : threads_) thread.join();
}

TestServer::TestServer(TestPool& pool, TestServerOptions options) {
  MethodTable table;
  for (const char* method : {"Echo", "Relay", "Count"}) {
    table.push_back({"/paymesh.echotest.v1.EchoService/" + std::string(method), options.allowed});
  }
  const std::vector<std::string> services = {"paymesh.echotest.v1.EchoService"};
  CallRunnerOptions runner;
  runner.executor = pool.executor();
  runner.domain = "echo.paymesh.dev";
  runner.authorizer = std::make_shared<const Authorizer>(Authorizer::Make(table, services).value());
  runner.identities =
      std::make_shared<const Identities>(Identities::Make(options.identities).value());
  runner.authenticator = [authenticator = options.authenticator] { return authenticator; };
  runner.limits = options.limits;
  runner.metrics = options.metrics;
  runner.log = options.log;
  runner.tracer = options.tracer;
  if (!options.credentials) {
    runner.identify = [principal = options.principal](const grpc::ServerContextBase&) {
      return Result<Principal>(principal);
    };
  }
  runner_ = std::make_unique<CallRunner>(std::move(runner));
  service_ = std::make_unique<EchoService>(*runner_, std::move(options.handlers));
  ServerOptions server;
  server.address = "127.0.0.1:0";
  server.credentials =
      options.credentials ? options.credentials : grpc::InsecureServerCredentials();
  server.reflection = options.reflection;
  server.metrics = options.metrics;
  server_ = Server::Start(server, {Serve<echo::EchoService>(*service_)}).value();
}

TestServer::~TestServer() { server_->Shutdown(std::chrono::milliseconds(200)); }

std::shared_ptr<grpc::Channel> TestServer::Channel() const {
  return MakeChannel(grpc::InsecureChannelCredentials(), {.target = target(), .retry = false});
}

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace paymesh::rpc
