// What must hold in settlement's own database, each as a count of what breaks it.
// One thread (the transaction's).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/pg/transaction.h"

namespace paymesh::settlement {

struct InvariantCount {
  std::string id;
  std::int64_t violations = 0;
};
// The ids, for the gauges.
std::vector<std::string> InvariantIds();
std::vector<InvariantCount> CheckInvariants(pg::Transaction& tx);

// When to count again. A count reads all of history, so it rests twenty times as long as it took,
// and `interval` at least: its share of the database stays small however long the history grows.
template <class Duration>
constexpr std::chrono::milliseconds PauseAfterCount(std::chrono::milliseconds interval,
                                                    Duration took) {
  return std::max(interval, 20 * std::chrono::duration_cast<std::chrono::milliseconds>(took));
}

}  // namespace paymesh::settlement
