// What must not be in a database, as queries that count it, and the loop that counts: each query in
// a transaction of its own, so that one that fails hides none of the others. Run: one strand.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/pg/database.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"

namespace paymesh::pg {

struct Invariant {
  std::string_view id;   // as in metrics: invariant_violations{id}
  std::string_view sql;  // one row with one column `n`: how many rows break it
};

std::int64_t CountViolations(Transaction& tx, const Invariant& invariant);

class InvariantWorker {
 public:
  // Everything given outlives the worker. `interval` lies between two counts at least; a count that
  // reads all of history rests twenty times as long as it took, so that its share of the database
  // stays small however long the history grows.
  InvariantWorker(Database& database, runtime::Logger& log, runtime::Metrics& metrics,
                  const runtime::Clock& clock, std::span<const Invariant> invariants,
                  std::chrono::milliseconds interval);

  // Until cancelled. Gauges: invariant_violations{id}, which must be 0, and
  // invariants_last_success_timestamp_seconds, when all were last counted.
  Task<void> Run();

 private:
  Task<bool> Count(const Invariant& invariant);

  Database& database_;
  runtime::Logger& log_;
  runtime::Metrics& metrics_;
  const runtime::Clock& clock_;
  const std::span<const Invariant> invariants_;
  const std::chrono::milliseconds interval_;
};

}  // namespace paymesh::pg
