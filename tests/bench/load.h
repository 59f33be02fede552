// Load and what came of it. A closed loop keeps so many calls outstanding and finds the rate; an
// open loop starts calls by the clock, whatever the answers do, and finds latencies that a queue in
// front of the service cannot hide: each counts from the moment it should have started. RunLoad
// blocks its caller; `start` and `done` are called from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace paymesh::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

struct LoadOptions {
  int outstanding = 1;                     // of the closed loop
  double calls_per_second = 0;             // above zero: an open loop
  std::chrono::milliseconds warm_up{300};  // counted in `calls`, not measured
  std::chrono::milliseconds measured{2'000};
};

struct LoadResult {
  std::uint64_t calls = 0;  // all of them, warm-up and those after the end too
  std::uint64_t failed = 0;
  std::uint64_t measured = 0;  // successes answered within the measured time
  double seconds = 0;
  std::vector<std::int64_t> latencies_ns;  // of the measured ones, ascending
};

// Begins one call; `done` must be called once, from any thread but not from within `start`.
using StartCall = std::function<void(std::function<void(bool ok)> done)>;
LoadResult RunLoad(const LoadOptions& options, const StartCall& start);

// The same for blocking calls: `clients` threads, each with its own `call`, in a closed loop.
LoadResult RunThreads(const LoadOptions& options,
                      const std::function<std::function<bool()>(int client)>& make_call);

// The value below which `share` (0.99) of an ascending list lies; 0 of none.
std::int64_t Percentile(const std::vector<std::int64_t>& ascending, double share);

// User and system time of this process so far.
double CpuSeconds();

// One JSON object: rate, latencies in milliseconds, counts, this process's CPU, and `more`
// (`"name":value` pairs, each preceded by a comma).
std::string ToJson(const LoadResult& result, const std::string& more = {});

}  // namespace paymesh::bench
