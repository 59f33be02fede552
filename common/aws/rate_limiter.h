// How fast a service may be asked. Pure; one thread, or under the owner's lock.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "common/runtime/clock.h"

namespace paymesh::aws {

// A token bucket: `burst` requests at once, then `rate_per_second`.
class TokenBucket {
 public:
  TokenBucket(double rate_per_second, double burst)
      : rate_per_second_(rate_per_second), burst_(burst), tokens_(burst) {}

  // Takes a token; how long the caller must wait for it.
  std::chrono::milliseconds Take(runtime::SteadyTime now) {
    if (last_) {
      const std::chrono::duration<double> passed = now - *last_;
      tokens_ = std::min(burst_, tokens_ + passed.count() * rate_per_second_);
    }
    last_ = now;
    tokens_ -= 1;
    if (tokens_ >= 0) return std::chrono::milliseconds(0);
    return std::chrono::ceil<std::chrono::milliseconds>(
        std::chrono::duration<double>(-tokens_ / rate_per_second_));
  }

 private:
  double rate_per_second_;
  double burst_;
  double tokens_;
  std::optional<runtime::SteadyTime> last_;
};

}  // namespace paymesh::aws
