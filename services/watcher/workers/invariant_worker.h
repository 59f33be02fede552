// Counts, once in a while, what must not be in the database, and shows it as gauges that must be 0.
// Run: one strand.
#pragma once

#include <chrono>

#include "common/pg/database.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"

namespace paymesh::watcher {

class InvariantWorker {
 public:
  InvariantWorker(pg::Database& database, runtime::Logger& log, runtime::Metrics& metrics,
                  std::chrono::milliseconds interval)
      : database_(database), log_(log), metrics_(metrics), interval_(interval) {}

  // Until cancelled.
  Task<void> Run();

 private:
  pg::Database& database_;
  runtime::Logger& log_;
  runtime::Metrics& metrics_;
  const std::chrono::milliseconds interval_;
};

}  // namespace paymesh::watcher
