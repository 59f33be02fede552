#include "tests/bench/load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace paymesh::bench {
namespace {

using std::chrono::milliseconds;

// Answers on a thread of its own, each after `pause`.
class SlowServer {
 public:
  explicit SlowServer(milliseconds pause) : thread_([this, pause] { Serve(pause); }) {}
  ~SlowServer() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  void Start(std::function<void(bool)> done) {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
    most_ = std::max(most_, waiting_.size());
    wake_.notify_all();
  }
  std::size_t most() {
    std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  void Serve(milliseconds pause) {
    for (;;) {
      std::function<void(bool)> done;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        done = std::move(waiting_.front());
        waiting_.pop_front();
      }
      std::this_thread::sleep_for(pause);
      done(true);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(bool)>> waiting_;
  std::size_t most_ = 0;
  bool closed_ = false;
  std::thread thread_;
};

TEST(Load, KeepsSoManyCallsOutstanding) {
  SlowServer server(milliseconds(1));
  const LoadResult result =
      RunLoad({.outstanding = 5, .warm_up = milliseconds(10), .measured = milliseconds(100)},
              [&](std::function<void(bool)> done) { server.Start(std::move(done)); });
  EXPECT_LE(server.most(), 5u);
  EXPECT_GT(result.measured, 0u);
  EXPECT_EQ(result.failed, 0u);
  EXPECT_GE(result.calls, result.measured);
  EXPECT_EQ(result.latencies_ns.size(), result.measured);
}

TEST(Load, CountsAQueueInFrontOfASlowServiceAsLatency) {
  SlowServer server(milliseconds(4));  // 250 a second at best
  const LoadResult result = RunLoad(
      {.calls_per_second = 1'000, .warm_up = milliseconds(0), .measured = milliseconds(200)},
      [&](std::function<void(bool)> done) { server.Start(std::move(done)); });
  // Each call waits for those before it: the last measured ones for most of the time.
  EXPECT_GT(Percentile(result.latencies_ns, 1.0), milliseconds(40) / std::chrono::nanoseconds(1));
}

TEST(Load, CountsWhatFails) {
  std::atomic<int> number{0};
  const LoadResult result = RunThreads(
      {.outstanding = 2, .warm_up = milliseconds(0), .measured = milliseconds(20)}, [&](int) {
        return [&] {
          std::this_thread::sleep_for(milliseconds(1));
          return ++number % 2 == 0;
        };
      });
  EXPECT_GT(result.failed, 0u);
  EXPECT_LE(result.measured + result.failed, result.calls);
}

TEST(Load, FindsPercentiles) {
  std::vector<std::int64_t> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  EXPECT_EQ(Percentile(values, 0.5), 51);
  EXPECT_EQ(Percentile(values, 0.99), 100);
  EXPECT_EQ(Percentile(values, 1.0), 100);
  EXPECT_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace paymesh::bench
