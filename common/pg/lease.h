// Leases: what must be done by one replica at a time, with an epoch that every guarded write
// checks. A holder that was paused finds its epoch gone; its writes are refused, whatever it
// believes. The functions on Transaction: one thread. LeaseKeeper: Run on one strand, the rest any
// thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/pg/transaction.h"
#include "common/runtime/task.h"

namespace paymesh::runtime {
class Metrics;
}

namespace paymesh::pg {

class Database;

// Takes the lease if nobody holds it or its time is over (by the database's clock): the new epoch,
// or nullopt. Waits for transactions that are guarded by the old epoch.
std::optional<std::int64_t> AcquireLease(Transaction& tx, std::string_view name,
                                         std::string_view holder, std::chrono::milliseconds ttl);
// False: lost.
bool RenewLease(Transaction& tx, std::string_view name, std::int64_t epoch,
                std::chrono::milliseconds ttl);
// Lets the next one in at once. Harmless when already lost.
void ReleaseLease(Transaction& tx, std::string_view name, std::int64_t epoch);

// The guard: ABORTED LEASE_LOST unless `epoch` is still the lease's; then nobody can take the lease
// before this transaction ends. Call it first in every transaction that only the holder may make.
Status RequireLease(Transaction& tx, std::string_view name, std::int64_t epoch);

struct LeaseOptions {
  std::string name;
  std::string holder;  // unique to this process
  std::chrono::milliseconds ttl{15'000};
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  std::function<void(std::string_view)> log = {};
};

// Acquires, renews at ttl/3, and stops believing at 2/3 of ttl since the last renewal was *sent*.
class LeaseKeeper {
 public:
  LeaseKeeper(Database& database, LeaseOptions options);

  // Until cancelled (operation_aborted). The lease is given back by Release, or lapses.
  Task<void> Run();

  // The epoch to act under, or nullopt: do nothing now.
  std::optional<std::int64_t> epoch() const;
  // Gives the lease back, blocking; for the drain, after Run has ended.
  void Release();

 private:
  Task<std::chrono::milliseconds> Step();
  void Remember(std::optional<std::int64_t> epoch, std::chrono::steady_clock::time_point sent);

  Database& database_;
  const LeaseOptions options_;
  mutable std::mutex mutex_;
  std::optional<std::int64_t> epoch_;
  std::chrono::steady_clock::time_point renewed_;
};

// lease_held{lease}: 1 while this process may act under it. Read at each collection; `lease`
// outlives `metrics`' last Render. `name` as a label: a lease's own name may hold an address.
void ExportLease(runtime::Metrics& metrics, const std::string& name, const LeaseKeeper& lease);

}  // namespace paymesh::pg
