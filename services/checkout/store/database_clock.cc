#include "services/checkout/store/database_clock.h"

#include <chrono>

#include "common/pg/database.h"

namespace paymesh::checkout {
namespace {
std::int64_t SteadyMicroseconds(const runtime::Clock& clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.Steady().time_since_epoch())
      .count();
}
}  // namespace

Result<Time> DatabaseClock::Now() const {
  if (!measured_.load()) {
    return Error::Unavailable("DATABASE_UNAVAILABLE", "the database's time is not known yet",
                              std::chrono::milliseconds(500));
  }
  return Time(std::chrono::microseconds(SteadyMicroseconds(clock_) + offset_microseconds_.load()));
}

Task<Status> DatabaseClock::Measure(pg::Database& database) {
  const std::int64_t before = SteadyMicroseconds(clock_);
  auto read = [](pg::Transaction& tx) -> Result<Time> {
    return tx.Execute("SELECT clock_timestamp() AS now").front().Get<Time>("now");
  };
  const pg::TransactOptions options{.name = "clock", .idempotent = true};
  Result<Time> now = co_await database.Transact(options, read);
  if (!now.ok()) co_return now.error();
  const std::int64_t middle = before + (SteadyMicroseconds(clock_) - before) / 2;
  offset_microseconds_.store(now->time_since_epoch().count() - middle);
  measured_.store(true);
  co_return Status();
}

}  // namespace paymesh::checkout
