// Unary calls between gRPC and coroutines, with real servers on free ports.
#include <grpcpp/channel.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <future>

#include "common/rpc/client/client.h"
#include "common/rpc/testing/test_server.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;
using Interface = echo::EchoService::StubInterface::async_interface;

Task<Status> Copy(Call&, const echo::EchoRequest& request, echo::EchoResponse* response) {
  response->set_text(request.text());
  co_return Status();
}

// Calls Echo as a blocking client would.
grpc::Status BlockingEcho(TestServer& server, std::chrono::milliseconds timeout,
                          echo::EchoResponse* response) {
  auto stub = echo::EchoService::NewStub(server.Channel());
  grpc::ClientContext context;
  if (timeout.count() > 0) context.set_deadline(std::chrono::system_clock::now() + timeout);
  echo::EchoRequest request;
  request.set_text("hello");
  return stub->Echo(&context, request, response);
}

Task<Result<echo::EchoResponse>> EchoTask(echo::EchoService::Stub& stub, CallOptions options) {
  echo::EchoRequest request;
  request.set_text("hello");
  return CallUnary(*stub.async(), &Interface::Echo, std::move(request), options);
}

// A handler that never answers by itself, and what became of it.
struct Sleeper {
  std::atomic<int> running{0};
  std::atomic<int> cancelled{0};

  Task<Status> Sleep() {
    ++running;
    try {
      co_await runtime::SleepFor(60s);
    } catch (...) {
      ++cancelled;
      --running;
      throw;
    }
    co_return Status();
  }
  EchoHandlers handlers() {
    EchoHandlers made;
    made.echo = [this](Call&, const echo::EchoRequest&, echo::EchoResponse*) { return Sleep(); };
    return made;
  }
};

TEST(Bridge, AHandlerAnswers) {
  TestPool pool;
  TestServer server(pool, {.handlers = {.echo = Copy}});
  auto stub = echo::EchoService::NewStub(server.Channel());
  auto answer = runtime::StartOn(pool.executor(), EchoTask(*stub, {.timeout = 5s})).get();
  ASSERT_TRUE(answer.ok()) << answer.error().ToString();
  EXPECT_EQ(answer->text(), "hello");
}

TEST(Bridge, AnExceptionBecomesInternalWithAFixedText) {
  TestPool pool;
  EchoHandlers handlers;
  handlers.echo = [](Call&, const echo::EchoRequest&, echo::EchoResponse*) -> Task<Status> {
    throw std::runtime_error("SELECT secret");
    co_return Status();
  };
  TestServer server(pool, {.handlers = handlers});
  echo::EchoResponse response;
  const grpc::Status status = BlockingEcho(server, 5s, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "internal error");
  EXPECT_EQ(status.error_details().find("SELECT"), std::string::npos);
}

TEST(Bridge, AnErrorCarriesReasonDomainAndDetails) {
  TestPool pool;
  EchoHandlers handlers;
  handlers.echo = [](Call&, const echo::EchoRequest&, echo::EchoResponse*) -> Task<Status> {
    co_return Error::InvalidField("text", "must be longer");
  };
  TestServer server(pool, {.handlers = handlers});
  auto stub = echo::EchoService::NewStub(server.Channel());
  auto answer = runtime::StartOn(pool.executor(), EchoTask(*stub, {.timeout = 5s})).get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "INVALID_FIELD");
  ASSERT_EQ(answer.error().violations.size(), 1U);
  EXPECT_EQ(answer.error().violations[0].field, "text");
}

TEST(Bridge, AnExpiredDeadlineStopsTheHandler) {
  TestPool pool;
  Sleeper sleeper;
  TestServer server(pool, {.handlers = sleeper.handlers()});
  echo::EchoResponse response;
  EXPECT_EQ(BlockingEcho(server, 50ms, &response).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return sleeper.cancelled == 1 && sleeper.running == 0; }));
}

TEST(Bridge, ACallWithoutADeadlineGetsOne) {
  TestPool pool;
  Sleeper sleeper;
  TestServerOptions options{.handlers = sleeper.handlers()};
  options.limits.default_deadline = 50ms;
  TestServer server(pool, options);
  echo::EchoResponse response;
  EXPECT_EQ(BlockingEcho(server, 0ms, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(sleeper.cancelled, 1);
}

TEST(Bridge, ALongDeadlineIsCapped) {
  TestPool pool;
  Sleeper sleeper;
  TestServerOptions options{.handlers = sleeper.handlers()};
  options.limits.max_deadline = 50ms;
  TestServer server(pool, options);
  echo::EchoResponse response;
  EXPECT_EQ(BlockingEcho(server, 1h, &response).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

// Answers Echo by calling another's Echo.
Task<Status> Forward(echo::EchoService::Stub& peer, Call& call, echo::EchoResponse* response) {
  auto answer = co_await EchoTask(peer, {.timeout = 60s, .parent = &call});
  if (!answer.ok()) co_return answer.error();
  *response = *std::move(answer);
  co_return Status();
}
EchoHandlers Forwarder(echo::EchoService::Stub& peer) {
  EchoHandlers handlers;
  handlers.echo = [&peer](Call& call, const echo::EchoRequest&, echo::EchoResponse* response) {
    return Forward(peer, call, response);
  };
  return handlers;
}

TEST(Bridge, TheDeadlineReachesThePeer) {
  TestPool pool;
  EchoHandlers handlers;
  handlers.echo = [](Call& call, const echo::EchoRequest&,
                     echo::EchoResponse* response) -> Task<Status> {
    const auto left = *call.deadline() - std::chrono::steady_clock::now();
    response->set_deadline_ms(std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
    response->set_text(call.traceparent());
    co_return Status();
  };
  TestServer peer(pool, {.handlers = handlers});
  auto stub = echo::EchoService::NewStub(peer.Channel());
  TestServer server(pool, {.handlers = Forwarder(*stub)});
  echo::EchoResponse response;
  ASSERT_TRUE(BlockingEcho(server, 2s, &response).ok());
  EXPECT_GT(response.deadline_ms(), 1'000);
  EXPECT_LT(response.deadline_ms(), 1'900);  // a tenth stays with the caller
  EXPECT_EQ(response.text().size(), 55U);
}

TEST(Bridge, CancellingACallCancelsItsPeerCall) {
  TestPool pool;
  Sleeper sleeper;
  TestServer peer(pool, {.handlers = sleeper.handlers()});
  auto stub = echo::EchoService::NewStub(peer.Channel());
  TestServer server(pool, {.handlers = Forwarder(*stub)});
  auto client = echo::EchoService::NewStub(server.Channel());
  grpc::ClientContext context;
  auto pending = std::async(std::launch::async, [&] {
    echo::EchoResponse response;
    return client->Echo(&context, echo::EchoRequest(), &response);
  });
  ASSERT_TRUE(Eventually([&] { return sleeper.running == 1; }));
  context.TryCancel();
  EXPECT_EQ(pending.get().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return sleeper.cancelled == 1; }));
}

TEST(Bridge, ShutdownCancelsWhatRuns) {
  TestPool pool;
  Sleeper sleeper;
  TestServer server(pool, {.handlers = sleeper.handlers()});
  auto pending = std::async(std::launch::async, [&] {
    echo::EchoResponse response;
    return BlockingEcho(server, 30s, &response);
  });
  ASSERT_TRUE(Eventually([&] { return sleeper.running == 1; }));
  server.server().Shutdown(50ms);
  EXPECT_FALSE(pending.get().ok());
  EXPECT_EQ(sleeper.cancelled, 1);
}

TEST(Bridge, BeyondTheLimitOfCallsItSaysOverloadedAndWhenToComeBack) {
  TestPool pool;
  Sleeper sleeper;
  TestServerOptions options{.handlers = sleeper.handlers()};
  options.limits.max_unary_in_flight = 1;
  TestServer server(pool, options);
  auto stub = echo::EchoService::NewStub(server.Channel());
  auto first = runtime::StartOn(pool.executor(), EchoTask(*stub, {.timeout = 1s}));
  ASSERT_TRUE(Eventually([&] { return sleeper.running == 1; }));
  auto second = runtime::StartOn(pool.executor(), EchoTask(*stub, {.timeout = 1s})).get();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, "OVERLOADED");
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().retry_after, 200ms);
  EXPECT_FALSE(first.get().ok());
  EXPECT_TRUE(Eventually([&] { return server.runner().unary_in_flight() == 0; }));
}

TEST(Bridge, ManyShortDeadlinesFromManyThreadsLeaveNothingBehind) {
  TestPool pool;
  EchoHandlers inner;
  inner.echo = [](Call&, const echo::EchoRequest&, echo::EchoResponse*) -> Task<Status> {
    co_await runtime::SleepFor(2ms);
    co_return Status();
  };
  TestServer peer(pool, {.handlers = inner});
  auto stub = echo::EchoService::NewStub(peer.Channel());
  TestServer server(pool, {.handlers = Forwarder(*stub)});
  auto client = echo::EchoService::NewStub(server.Channel());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::milliseconds(1 + i % 4));
        echo::EchoResponse response;
        const grpc::Status ignored = client->Echo(&context, echo::EchoRequest(), &response);
        static_cast<void>(ignored);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Eventually([&] {
    return server.runner().unary_in_flight() == 0 && peer.runner().unary_in_flight() == 0;
  }));
  echo::EchoResponse response;
  EXPECT_TRUE(BlockingEcho(server, 5s, &response).ok());
}

TEST(Bridge, CountsAndTimesEveryMethodFromTheStart) {
  TestPool pool;
  runtime::Metrics metrics;
  TestServer server(pool, {.handlers = {.echo = Copy}, .metrics = &metrics});
  EXPECT_NE(metrics.Render().find("grpc_server_handled_total{grpc_code=\"Unavailable\","
                                  "grpc_method=\"Count\""),
            std::string::npos);
  echo::EchoResponse response;
  ASSERT_TRUE(BlockingEcho(server, 5s, &response).ok());
  EXPECT_NE(metrics.Render().find(
                "grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Echo\",grpc_service="
                "\"paymesh.echotest.v1.EchoService\",grpc_type=\"unary\"} 1"),
            std::string::npos);
}

TEST(Bridge, ATakenPortIsSaidAtOnce) {
  TestPool pool;
  TestServer server(pool, {.handlers = {.echo = Copy}});
  ServerOptions options;
  options.address = server.target();
  options.credentials = grpc::InsecureServerCredentials();
  CallRunner& runner = server.runner();
  EchoService service(runner, {});
  const auto second = Server::Start(options, {Serve<echo::EchoService>(service)});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, "PORT_TAKEN");
}

TEST(Bridge, TheProbeTellsALivingListenerFromADeadOne) {
  TestPool pool;
  TestServer server(pool, {.handlers = {.echo = Copy}});
  EXPECT_TRUE(ProbePort(server.target(), 2s));
  // A socket that listens and never accepts: the kernel still completes the connection.
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor deaf(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  EXPECT_FALSE(ProbePort("127.0.0.1:" + std::to_string(deaf.local_endpoint().port()), 100ms));
}

}  // namespace
}  // namespace paymesh::rpc
