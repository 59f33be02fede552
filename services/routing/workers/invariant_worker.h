// Counts, once a minute, what must not be in the database, and shows it as a gauge that must be 0.
// Run: one strand.
#pragma once

#include "common/pg/database.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"

namespace paymesh::routing {

class InvariantWorker {
 public:
  InvariantWorker(pg::Database& database, runtime::Metrics& metrics);

  // Until cancelled.
  Task<void> Run();

 private:
  pg::Database& database_;
  prometheus::Gauge& unexplained_;
};

}  // namespace paymesh::routing
