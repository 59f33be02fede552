#include "common/pg/lease.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "common/pg/database.h"
#include "common/runtime/metrics.h"

namespace paymesh::pg {
namespace {

// FOR UPDATE, not the weaker lock of the UPDATE itself: it must wait for the guarded transactions,
// which hold FOR KEY SHARE. Renewals take the weaker lock, so they wait for nobody.
constexpr char kLockExpired[] =
    "SELECT epoch FROM lease WHERE name = $1 AND expire_time <= clock_timestamp() FOR UPDATE";
constexpr char kTakeOver[] =
    "UPDATE lease SET holder = $2, epoch = epoch + 1,"
    " expire_time = clock_timestamp() + $3::bigint * interval '1 millisecond'"
    " WHERE name = $1 RETURNING epoch";
constexpr char kFirst[] =
    "INSERT INTO lease (name, holder, epoch, expire_time)"
    " VALUES ($1, $2, 1, clock_timestamp() + $3::bigint * interval '1 millisecond')"
    " ON CONFLICT (name) DO NOTHING RETURNING epoch";
constexpr char kRenew[] =
    "UPDATE lease SET expire_time = clock_timestamp() + $3::bigint * interval '1 millisecond'"
    " WHERE name = $1 AND epoch = $2";
constexpr char kRelease[] =
    "UPDATE lease SET expire_time = clock_timestamp() WHERE name = $1 AND epoch = $2";
constexpr char kRequire[] =
    "SELECT 1 AS held FROM lease WHERE name = $1 AND epoch = $2 FOR KEY SHARE";

}  // namespace

std::optional<std::int64_t> AcquireLease(Transaction& tx, std::string_view name,
                                         std::string_view holder, std::chrono::milliseconds ttl) {
  const Rows first = tx.Execute(kFirst, name, holder, ttl.count());
  if (!first.empty()) return first.front().Get<std::int64_t>("epoch");
  if (tx.Execute(kLockExpired, name).empty()) return std::nullopt;
  const Rows taken = tx.Execute(kTakeOver, name, holder, ttl.count());
  return taken.front().Get<std::int64_t>("epoch");
}

bool RenewLease(Transaction& tx, std::string_view name, std::int64_t epoch,
                std::chrono::milliseconds ttl) {
  return tx.Execute(kRenew, name, epoch, ttl.count()).affected() == 1;
}

void ReleaseLease(Transaction& tx, std::string_view name, std::int64_t epoch) {
  tx.Execute(kRelease, name, epoch);
}

Status RequireLease(Transaction& tx, std::string_view name, std::int64_t epoch) {
  if (!tx.Execute(kRequire, name, epoch).empty()) return {};
  return Error::Aborted("LEASE_LOST", "another replica has taken over " + std::string(name));
}

LeaseKeeper::LeaseKeeper(Database& database, LeaseOptions options)
    : database_(database), options_(std::move(options)) {}

std::optional<std::int64_t> LeaseKeeper::epoch() const {
  const auto now = options_.now();
  std::lock_guard lock(mutex_);
  if (!epoch_ || now - renewed_ >= options_.ttl * 2 / 3) return std::nullopt;
  return epoch_;
}

void LeaseKeeper::Remember(std::optional<std::int64_t> epoch,
                           std::chrono::steady_clock::time_point sent) {
  bool changed = false;
  {
    std::lock_guard lock(mutex_);
    changed = epoch_ != epoch;
    epoch_ = epoch;
    renewed_ = sent;
  }
  if (!changed || !options_.log) return;
  options_.log("lease " + options_.name +
               (epoch ? " taken, epoch " + std::to_string(*epoch) : " lost"));
}

Task<void> LeaseKeeper::Run() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  for (;;) {
    const std::chrono::milliseconds pause = co_await Step();
    timer.expires_after(pause);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

// One renewal or one try to acquire; how long to wait before the next.
Task<std::chrono::milliseconds> LeaseKeeper::Step() {
  std::optional<std::int64_t> held;
  {
    std::lock_guard lock(mutex_);
    held = epoch_;
  }
  const auto sent = options_.now();
  auto step = [held, name = options_.name, holder = options_.holder,
               ttl = options_.ttl](Transaction& tx) -> Result<std::optional<std::int64_t>> {
    if (held && RenewLease(tx, name, *held, ttl)) return held;
    return AcquireLease(tx, name, holder, ttl);
  };
  const TransactOptions transact{.name = "lease", .idempotent = true, .max_attempts = 2};
  Result<std::optional<std::int64_t>> now_held = co_await database_.Transact(transact, step);
  if (!now_held.ok()) {
    // The database is away. What we hold lapses by the clock; try again soon.
    co_return std::max(options_.ttl / 10, std::chrono::milliseconds(10));
  }
  Remember(*now_held, sent);
  co_return options_.ttl / 3;
}

void LeaseKeeper::Release() {
  std::optional<std::int64_t> held;
  {
    std::lock_guard lock(mutex_);
    held = std::exchange(epoch_, std::nullopt);
  }
  if (!held) return;
  auto release = [held, name = options_.name](Transaction& tx) -> Status {
    ReleaseLease(tx, name, *held);
    return {};
  };
  // Best effort: without it the lease lapses by itself.
  (void)database_.TransactBlocking({.name = "lease release", .idempotent = true}, release).ok();
}

void ExportLease(runtime::Metrics& metrics, const std::string& name, const LeaseKeeper& lease) {
  auto& held =
      metrics.Gauge("lease_held", "1 where this process holds the lease.", {{"lease", name}});
  metrics.OnCollect([&held, &lease] { held.Set(lease.epoch() ? 1 : 0); });
}

}  // namespace paymesh::pg
