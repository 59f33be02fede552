// Server streams, written and read by coroutines.
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <future>

#include "common/rpc/client/client.h"
#include "common/rpc/testing/test_server.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;
using Interface = echo::EchoService::StubInterface::async_interface;
using CountStream = ClientStream<echo::CountResponse>;

struct Counter {
  std::atomic<int> written{0};
  std::atomic<int> ended{0};
  std::atomic<bool> refused{false};
  std::string padding;

  // Counts to `until`, then ends; for ever when that is negative.
  Task<Status> Count(const echo::CountRequest& request, Writer<echo::CountResponse>& writer) {
    struct OnExit {
      std::atomic<int>& ended;
      ~OnExit() { ++ended; }
    } on_exit{ended};
    for (int i = 1; request.until() < 0 || i <= request.until(); ++i) {
      echo::CountResponse response;
      response.set_number(i);
      response.set_padding(padding);
      const bool open = co_await writer.Write(std::move(response));
      if (!open) {
        refused = true;
        co_return Status();
      }
      ++written;
    }
    if (request.until() == 0) co_return Error::NotFound("NOTHING_THERE", "nothing to count");
    co_return Status();
  }
  EchoHandlers handlers() {
    EchoHandlers made;
    made.count = [this](Call&, const echo::CountRequest& request,
                        Writer<echo::CountResponse>& writer) { return Count(request, writer); };
    return made;
  }
};

CountStream Open(echo::EchoService::Stub& stub, int until, std::size_t read_ahead = 256) {
  echo::CountRequest request;
  request.set_until(until);
  return OpenStream(*stub.async(), &Interface::Count, std::move(request), {.timeout = 0ms},
                    read_ahead);
}

Task<Result<std::vector<int>>> ReadAll(echo::EchoService::Stub& stub, int until,
                                       std::size_t read_ahead) {
  CountStream stream = Open(stub, until, read_ahead);
  std::vector<int> numbers;
  for (;;) {
    auto batch = co_await stream.ReadBatch(7);
    if (!batch.ok()) co_return batch.error();
    if (batch->empty()) co_return numbers;
    for (const auto& message : *batch) numbers.push_back(message.number());
  }
}

TEST(Stream, IsWrittenAndReadToItsEnd) {
  TestPool pool;
  Counter counter;
  TestServer server(pool, {.handlers = counter.handlers()});
  auto stub = echo::EchoService::NewStub(server.Channel());
  for (std::size_t read_ahead : {1U, 4U, 1000U}) {
    auto numbers = runtime::StartOn(pool.executor(), ReadAll(*stub, 500, read_ahead)).get();
    ASSERT_TRUE(numbers.ok()) << numbers.error().ToString();
    ASSERT_EQ(numbers->size(), 500U);
    for (int i = 0; i < 500; ++i) EXPECT_EQ((*numbers)[static_cast<std::size_t>(i)], i + 1);
  }
}

TEST(Stream, EndsWithItsHandlersError) {
  TestPool pool;
  Counter counter;
  TestServer server(pool, {.handlers = counter.handlers()});
  auto stub = echo::EchoService::NewStub(server.Channel());
  auto numbers = runtime::StartOn(pool.executor(), ReadAll(*stub, 0, 8)).get();
  ASSERT_FALSE(numbers.ok());
  EXPECT_EQ(numbers.error().reason, "NOTHING_THERE");
}

Task<int> ReadSome(echo::EchoService::Stub& stub) {
  CountStream stream = Open(stub, -1, 4);
  int last = 0;
  for (int i = 0; i < 10; ++i) {
    auto message = co_await stream.Read();
    if (message.ok() && *message) last = (*message)->number();
  }
  co_return last;  // and so drops the stream
}

TEST(Stream, EndsWhenItsReaderLeaves) {
  TestPool pool;
  Counter counter;
  TestServer server(pool, {.handlers = counter.handlers()});
  auto stub = echo::EchoService::NewStub(server.Channel());
  EXPECT_EQ(runtime::StartOn(pool.executor(), ReadSome(*stub)).get(), 10);
  EXPECT_TRUE(Eventually([&] { return counter.ended == 1; }));
}

TEST(Stream, ASlowReaderHoldsTheWriterBack) {
  TestPool pool;
  Counter counter;
  counter.padding = std::string(10'000, 'x');
  TestServer server(pool, {.handlers = counter.handlers()});
  auto stub = echo::EchoService::NewStub(server.Channel());
  {
    CountStream stream = Open(*stub, -1, 2);
    ASSERT_TRUE(Eventually([&] { return counter.written > 2; }));
    // Written grows until gRPC's window is full, and then stands.
    int before = -1;
    ASSERT_TRUE(Eventually([&] {
      const int now = counter.written;
      std::this_thread::sleep_for(50ms);
      return std::exchange(before, now) == now;
    }));
    EXPECT_LT(counter.written, 2'000);
  }
  EXPECT_TRUE(Eventually([&] { return counter.ended == 1; }));
}

TEST(Stream, DrainEndsAStreamWithUnavailableAndTakesNoNewOne) {
  TestPool pool;
  EchoHandlers handlers;
  handlers.count = [](Call&, const echo::CountRequest&,
                      Writer<echo::CountResponse>& writer) -> Task<Status> {
    co_await writer.Write(echo::CountResponse());
    co_await runtime::SleepFor(60s);
    co_return Status();
  };
  TestServer server(pool, {.handlers = handlers});
  auto stub = echo::EchoService::NewStub(server.Channel());
  auto reading = runtime::StartOn(pool.executor(), ReadAll(*stub, 1, 8));
  ASSERT_TRUE(Eventually([&] { return server.runner().streams() == 1; }));
  std::this_thread::sleep_for(20ms);
  server.runner().CancelStreams();
  auto ended = reading.get();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "SHUTTING_DOWN");
  auto next = runtime::StartOn(pool.executor(), ReadAll(*stub, 1, 8)).get();
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, ErrorCode::kUnavailable);
}

TEST(Stream, DrainIsNotHeldUpByAReaderWhoTakesNothing) {
  TestPool pool;
  Counter counter;
  counter.padding = std::string(100'000, 'x');
  TestServer server(pool, {.handlers = counter.handlers()});
  auto stub = echo::EchoService::NewStub(server.Channel());
  CountStream stream = Open(*stub, -1, 1);
  ASSERT_TRUE(Eventually([&] { return counter.written > 1; }));
  server.runner().CancelStreams();
  EXPECT_TRUE(Eventually([&] { return server.runner().streams() == 0; }));
}

}  // namespace
}  // namespace paymesh::rpc
