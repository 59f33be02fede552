#include "services/routing/workers/invariant_worker.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "services/routing/store/decision_store.h"

namespace paymesh::routing {

InvariantWorker::InvariantWorker(pg::Database& database, runtime::Metrics& metrics)
    : database_(database),
      unexplained_(metrics.Gauge("invariant_violations", "Rows that break an invariant.",
                                 {{"id", "routing_unexplained_decision"}})) {}

Task<void> InvariantWorker::Run() {
  for (;;) {
    auto count = [](pg::Transaction& tx) -> Result<std::int64_t> { return CountUnexplained(tx); };
    const pg::TransactOptions options{.name = "invariants", .access = pg::Access::kReadOnly};
    auto run = database_.Transact(options, count);
    const Result<std::int64_t> counted = co_await std::move(run);
    if (counted.ok()) unexplained_.Set(static_cast<double>(*counted));
    co_await runtime::SleepFor(std::chrono::minutes(1));
  }
}

}  // namespace paymesh::routing
