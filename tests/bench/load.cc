#include "tests/bench/load.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

namespace paymesh::bench {
namespace {

using std::chrono::steady_clock;

struct Window {
  explicit Window(const LoadOptions& options)
      : from(steady_clock::now() + options.warm_up), until(from + options.measured) {}
  const SteadyTime from;
  const SteadyTime until;
};

// Counts answers; the last one, once no more are started, wakes the waiting thread.
class Tally {
 public:
  explicit Tally(const Window& window) : window_(window) {}

  void Started() {
    std::lock_guard lock(mutex_);
    ++result_.calls;
    ++running_;
  }
  void Answered(SteadyTime began, bool ok) {
    const SteadyTime now = steady_clock::now();
    std::lock_guard lock(mutex_);
    --running_;
    if (!ok) {
      ++result_.failed;
    } else if (now >= window_.from && now < window_.until) {
      ++result_.measured;
      result_.latencies_ns.push_back((now - began).count());
    }
    if (running_ == 0) idle_.notify_all();
  }
  LoadResult Finish() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    result_.seconds = std::chrono::duration<double>(window_.until - window_.from).count();
    std::sort(result_.latencies_ns.begin(), result_.latencies_ns.end());
    return std::move(result_);
  }

 private:
  const Window window_;
  std::mutex mutex_;
  std::condition_variable idle_;
  LoadResult result_;
  std::uint64_t running_ = 0;
};

// Starts one call and, when it is answered, the next, until the window closes.
void Chain(const StartCall& start, Tally& tally, const Window& window) {
  tally.Started();
  const SteadyTime began = steady_clock::now();
  start([&start, &tally, &window, began](bool ok) {
    // The next is started before this one is counted, so the tally never looks idle in between.
    if (steady_clock::now() < window.until) Chain(start, tally, window);
    tally.Answered(began, ok);
  });
}

void StartByTheClock(const LoadOptions& options, const StartCall& start, Tally& tally,
                     const Window& window) {
  const auto pause = std::chrono::duration_cast<steady_clock::duration>(
      std::chrono::duration<double>(1.0 / options.calls_per_second));
  for (SteadyTime due = steady_clock::now(); due < window.until; due += pause) {
    std::this_thread::sleep_until(due);
    tally.Started();
    start([&tally, due](bool ok) { tally.Answered(due, ok); });
  }
}

}  // namespace

LoadResult RunLoad(const LoadOptions& options, const StartCall& start) {
  const Window window(options);
  Tally tally(window);
  if (options.calls_per_second > 0) {
    StartByTheClock(options, start, tally, window);
  } else {
    tally.Started();  // holds the tally open until all chains have begun
    for (int i = 0; i < options.outstanding; ++i) Chain(start, tally, window);
    std::this_thread::sleep_until(window.until);
    tally.Answered(window.until, true);
  }
  LoadResult result = tally.Finish();
  if (options.calls_per_second <= 0) --result.calls;
  return result;
}

LoadResult RunThreads(const LoadOptions& options,
                      const std::function<std::function<bool()>(int client)>& make_call) {
  const Window window(options);
  std::vector<LoadResult> parts(static_cast<std::size_t>(options.outstanding));
  std::vector<std::thread> threads;
  for (int client = 0; client < options.outstanding; ++client) {
    threads.emplace_back([&, client] {
      LoadResult& part = parts[static_cast<std::size_t>(client)];
      const std::function<bool()> call = make_call(client);
      for (SteadyTime began = steady_clock::now(); began < window.until;) {
        ++part.calls;
        const bool ok = call();
        const SteadyTime now = steady_clock::now();
        if (!ok) {
          ++part.failed;
        } else if (now >= window.from && now < window.until) {
          part.latencies_ns.push_back((now - began).count());
        }
        began = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult all;
  for (const LoadResult& part : parts) {
    all.calls += part.calls;
    all.failed += part.failed;
    all.latencies_ns.insert(all.latencies_ns.end(), part.latencies_ns.begin(),
                            part.latencies_ns.end());
  }
  all.measured = all.latencies_ns.size();
  all.seconds = std::chrono::duration<double>(window.until - window.from).count();
  std::sort(all.latencies_ns.begin(), all.latencies_ns.end());
  return all;
}

std::int64_t Percentile(const std::vector<std::int64_t>& ascending, double share) {
  if (ascending.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(ascending.size()));
  return ascending[std::min(index, ascending.size() - 1)];
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string ToJson(const LoadResult& result, const std::string& more) {
  char text[512];
  const auto ms = [&result](double share) {
    return static_cast<double>(Percentile(result.latencies_ns, share)) / 1e6;
  };
  std::snprintf(text, sizeof(text),
                "{\"rate\":%.1f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
                "\"calls\":%llu,\"measured\":%llu,\"failed\":%llu,\"cpu_s\":%.3f",
                static_cast<double>(result.measured) / result.seconds, ms(0.5), ms(0.9), ms(0.99),
                ms(1.0), static_cast<unsigned long long>(result.calls),
                static_cast<unsigned long long>(result.measured),
                static_cast<unsigned long long>(result.failed), CpuSeconds());
  return text + more + "}";
}

}  // namespace paymesh::bench
