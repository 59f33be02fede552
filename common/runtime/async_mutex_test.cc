#include "common/runtime/async_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "common/runtime/run_blocking.h"

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

std::chrono::steady_clock::time_point In(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

Task<void> Note(AsyncMutex& mutex, std::string name, std::vector<std::string>& order) {
  const auto lock = co_await mutex.Acquire(In(10s));
  order.push_back(name + (lock ? " in" : " late"));
  co_await SleepFor(1ms);
  order.push_back(name + " out");
}

TEST(AsyncMutex, LetsOneInAfterTheOtherInTheOrderOfTheirComing) {
  asio::io_context context;
  AsyncMutex mutex;
  std::vector<std::string> order;
  for (const char* name : {"a", "b", "c"}) {
    Spawn(context.get_executor(), Note(mutex, name, order), name);
  }
  context.run();
  EXPECT_EQ(order, (std::vector<std::string>{"a in", "a out", "b in", "b out", "c in", "c out"}));
  EXPECT_TRUE(mutex.TryAcquire());
}

Task<bool> Get(AsyncMutex& mutex, std::chrono::milliseconds within) {
  const auto lock = co_await mutex.Acquire(In(within));
  co_return lock.has_value();
}

TEST(AsyncMutex, GivesUpAtItsDeadlineAndLosesNothing) {
  AsyncMutex mutex;
  {
    const auto held = mutex.TryAcquire();
    EXPECT_FALSE(mutex.TryAcquire());
    EXPECT_FALSE(RunBlocking(Get(mutex, 5ms)));
  }
  EXPECT_TRUE(RunBlocking(Get(mutex, 5ms)));
  EXPECT_TRUE(mutex.TryAcquire());
}

TEST(AsyncMutex, AWaiterThatIsCancelledLeavesTheQueue) {
  asio::io_context context;
  AsyncMutex mutex;
  asio::cancellation_signal signal;
  bool cancelled = false;
  auto held = std::make_optional(mutex.TryAcquire());
  asio::co_spawn(context, Get(mutex, 10s),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, bool) {
                   cancelled = IsCancellation(error);
                 }));
  asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
  context.run();
  EXPECT_TRUE(cancelled);
  held.reset();
  EXPECT_TRUE(mutex.TryAcquire());
}

TEST(AsyncMutex, AWaiterWhoseProgramEndsPassesTheLockOn) {
  AsyncMutex mutex;
  {
    asio::io_context context;
    const auto held = mutex.TryAcquire();
    asio::co_spawn(context, Get(mutex, 10s), asio::detached);
    context.poll();
  }
  EXPECT_TRUE(mutex.TryAcquire());
}

struct Counted {
  AsyncMutex mutex;
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  std::atomic<int> done{0};
};

Task<void> Enter(Counted& counted) {
  for (int i = 0; i < 50; ++i) {
    const auto lock = co_await counted.mutex.Acquire(In(60s));
    if (counted.inside.fetch_add(1) != 0) ++counted.overlaps;
    if (i % 10 == 0) co_await SleepFor(0ms);
    counted.inside.fetch_sub(1);
    ++counted.done;
  }
}

TEST(AsyncMutex, KeepsStrandsOfSeveralThreadsApart) {
  Counted counted;
  asio::thread_pool pool(4);
  for (int i = 0; i < 20; ++i) Spawn(MakeStrand(pool.get_executor()), Enter(counted), "enter");
  pool.join();
  EXPECT_EQ(counted.done, 1'000);
  EXPECT_EQ(counted.overlaps, 0);
}

}  // namespace
}  // namespace paymesh::runtime
