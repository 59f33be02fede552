// A real server of the echo contract on a free port, with coroutines behind it, for the tests here.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "common/rpc/server/call_runner.h"
#include "common/rpc/server/grpc_server.h"
#include "common/rpc/server/server.h"
#include "common/rpc/testing/echo_test.grpc.pb.h"

namespace paymesh::rpc {

namespace echo = paymesh::echotest::v1;

// What the tests put behind the three methods.
struct EchoHandlers {
  std::function<Task<Status>(Call&, const echo::EchoRequest&, echo::EchoResponse*)> echo;
  std::function<Task<Status>(Call&, const echo::RelayRequest&, echo::RelayResponse*)> relay;
  std::function<Task<Status>(Call&, const echo::CountRequest&, Writer<echo::CountResponse>&)> count;
};

class EchoService final : public echo::EchoService::CallbackService {
 public:
  EchoService(CallRunner& runner, EchoHandlers handlers)
      : runner_(runner), handlers_(std::move(handlers)) {}
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const echo::EchoRequest* request,
                                 echo::EchoResponse* response) override {
    return Unary(runner_, context, request, response, handlers_.echo);
  }
  grpc::ServerUnaryReactor* Relay(grpc::CallbackServerContext* context,
                                  const echo::RelayRequest* request,
                                  echo::RelayResponse* response) override {
    return Unary(runner_, context, request, response, handlers_.relay);
  }
  grpc::ServerWriteReactor<echo::CountResponse>* Count(grpc::CallbackServerContext* context,
                                                       const echo::CountRequest* request) override {
    return Stream<echo::CountResponse>(runner_, context, request, handlers_.count);
  }

 private:
  CallRunner& runner_;
  EchoHandlers handlers_;
};

// Threads that run coroutines; joined at the end.
class TestPool {
 public:
  explicit TestPool(int threads = 2);
  ~TestPool();
  runtime::Executor executor() { return context_.get_executor(); }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::vector<std::thread> threads_;
};

struct TestServerOptions {
  EchoHandlers handlers = {};
  CallLimits limits = {};
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;  // null: no TLS
  Principal principal = {"spiffe://test/service/tester", Role::kService, "tester"};
  std::vector<Identity> identities = {};  // with TLS
  std::vector<std::string> allowed = {"role:service"};
  ApiKeyAuthenticator* authenticator = nullptr;
  runtime::Metrics* metrics = nullptr;
  runtime::Logger* log = nullptr;
  trace::Tracer* tracer = nullptr;
  bool reflection = false;
};

class TestServer {
 public:
  TestServer(TestPool& pool, TestServerOptions options);
  ~TestServer();
  std::string target() const { return server_->address(); }
  std::shared_ptr<grpc::Channel> Channel() const;  // plaintext
  CallRunner& runner() { return *runner_; }
  Server& server() { return *server_; }

 private:
  std::unique_ptr<CallRunner> runner_;
  std::unique_ptr<EchoService> service_;
  std::unique_ptr<Server> server_;
};

// Polls until `condition` holds; false after five seconds.
bool Eventually(const std::function<bool()>& condition);

}  // namespace paymesh::rpc
