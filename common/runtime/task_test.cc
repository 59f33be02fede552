#include "common/runtime/task.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <thread>

#include "common/runtime/resume.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;

// Answered by a thread of its own.
Task<int> FromThread(int value) {
  std::function<void(Resume<int>)> start = [value](Resume<int> resume) {
    std::thread([value, resume = std::move(resume)] { resume(value); }).detach();
  };
  return Suspend<int>(std::move(start), nullptr);
}

Task<int> Sum() {
  int sum = 0;
  for (int i = 1; i <= 100; ++i) sum += co_await FromThread(i);
  co_return sum;
}

TEST(Suspend, ResumesWithWhatAnotherThreadGives) { EXPECT_EQ(RunBlocking(Sum()), 5050); }

TEST(Suspend, ResumesEvenWhenAnsweredAtOnce) {
  std::function<void(Resume<int>)> start = [](Resume<int> resume) { resume(7); };
  EXPECT_EQ(RunBlocking(Suspend<int>(start, nullptr)), 7);
}

Task<void> WaitForCancel(bool* cancelled, bool* thrown) {
  Resume<int> kept;
  std::function<void(Resume<int>)> start = [&kept](Resume<int> resume) {
    kept = std::move(resume);
  };
  std::function<void()> cancel = [&kept, cancelled] {
    *cancelled = true;
    kept(1);
  };
  Task<int> wait = Suspend<int>(start, cancel);
  EXPECT_EQ(co_await std::move(wait), 1);
  try {
    co_await SleepFor(60s);
  } catch (...) {
    *thrown = IsCancellation(std::current_exception());
  }
}

TEST(Suspend, IsToldOfCancellationAndTheNextAwaitThrows) {
  boost::asio::io_context context;
  boost::asio::cancellation_signal signal;
  bool cancelled = false, thrown = false;
  boost::asio::co_spawn(
      context, WaitForCancel(&cancelled, &thrown),
      boost::asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  boost::asio::post(context, [&] { signal.emit(boost::asio::cancellation_type::terminal); });
  context.run();
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(thrown);
}

Task<void> Throw() {
  throw std::runtime_error("a bug");
  co_return;
}

TEST(SpawnDeathTest, AbortsWhenAnExceptionEscapes) {
  EXPECT_DEATH(
      {
        boost::asio::io_context context;
        Spawn(context.get_executor(), Throw(), "broken");
        context.run();
      },
      "task broken: a bug");
}

}  // namespace
}  // namespace paymesh::runtime
