// The database's clock without a round trip for each look at it: the difference to our steady
// clock, measured now and then. Judgements about deadlines never rest on it, only deadlines given
// to new payments. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/error/error.h"
#include "common/runtime/clock.h"
#include "common/runtime/task.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::checkout {

class DatabaseClock {
 public:
  explicit DatabaseClock(const runtime::Clock& clock) : clock_(clock) {}

  // UNAVAILABLE until the first measurement.
  Result<Time> Now() const;
  Task<Status> Measure(pg::Database& database);

 private:
  const runtime::Clock& clock_;
  std::atomic<bool> measured_{false};
  std::atomic<std::int64_t> offset_microseconds_{0};  // database's time less steady time
};

}  // namespace paymesh::checkout
