// How long to wait before something that failed is tried again: twice as long each time, and a
// random part of that, so that those who failed together do not come back together. Pure; any
// thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace paymesh::runtime {

// From half of `limit` to all of it.
template <class Generator>
std::chrono::milliseconds Jittered(std::chrono::milliseconds limit, Generator& random) {
  std::uniform_int_distribution<std::int64_t> spread(limit.count() / 2, limit.count());
  return std::chrono::milliseconds(spread(random));
}

struct Backoff {
  std::chrono::milliseconds first;
  std::chrono::milliseconds most;

  // The longest wait after the `failures`-th failure in a row, counted from 1.
  constexpr std::chrono::milliseconds Limit(int failures) const {
    std::chrono::milliseconds limit = first;
    for (int i = 1; i < failures && limit < most; ++i) limit *= 2;
    return std::min(limit, most);
  }

  template <class Generator>
  std::chrono::milliseconds Wait(int failures, Generator& random) const {
    return Jittered(Limit(failures), random);
  }
};

}  // namespace paymesh::runtime
