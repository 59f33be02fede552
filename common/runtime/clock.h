// Time as a thing that is passed in: the system's clock, and one that tests move by hand; and RFC
// 3339 text. All classes: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh {
using Time = std::chrono::sys_time<std::chrono::microseconds>;
}  // namespace paymesh

namespace paymesh::runtime {

using paymesh::Time;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time Now() const = 0;           // the calendar, UTC
  virtual SteadyTime Steady() const = 0;  // for durations: never goes back
};

class SystemClock final : public Clock {
 public:
  Time Now() const override;
  SteadyTime Steady() const override;
};

// Stands still until it is told to move.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Time start = Time(std::chrono::seconds(1'700'000'000)));
  Time Now() const override;
  SteadyTime Steady() const override;
  void Advance(std::chrono::microseconds duration);

 private:
  const Time start_;
  std::atomic<std::int64_t> elapsed_microseconds_{0};
};

// "2026-11-22T21:45:00.123456Z": always UTC and six digits, so that text sorts as time does.
std::string FormatTime(Time time);
// RFC 3339 with any offset and at most nine digits of a second (cut to microseconds).
// INVALID_ARGUMENT INVALID_TIME.
Result<Time> ParseTime(std::string_view text);

}  // namespace paymesh::runtime
