// Counts, once in a while, what must not be in the database, and shows it as gauges that must be 0.
// Run: one strand.
#pragma once

#include <chrono>

#include "common/pg/database.h"
#include "common/runtime/log.h"
#include "common/runtime/task.h"
#include "services/checkout/store/invariants.h"
#include "services/checkout/usecases/metrics.h"

namespace paymesh::checkout {

class InvariantWorker {
 public:
  InvariantWorker(pg::Database& database, CheckoutMetrics& metrics, runtime::Logger& log,
                  std::chrono::milliseconds interval)
      : database_(database), metrics_(metrics), log_(log), interval_(interval) {}

  // Until cancelled.
  Task<void> Run();

 private:
  Task<void> Check(const Invariant& invariant);

  pg::Database& database_;
  CheckoutMetrics& metrics_;
  runtime::Logger& log_;
  const std::chrono::milliseconds interval_;
};

}  // namespace paymesh::checkout
