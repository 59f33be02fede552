#include "services/watcher/workers/invariant_worker.h"

#include "services/watcher/store/invariants.h"

namespace paymesh::watcher {

Task<void> InvariantWorker::Run() {
  prometheus::Gauge& checked = metrics_.Gauge("invariants_last_success_timestamp_seconds",
                                              "When the invariants were last counted");
  for (;;) {
    auto count = [](pg::Transaction& tx) -> Result<std::vector<InvariantCount>> {
      return CountViolations(tx);
    };
    const pg::TransactOptions options{.name = "invariants",
                                      .isolation = pg::Isolation::kRepeatableRead,
                                      .access = pg::Access::kReadOnly};
    Result<std::vector<InvariantCount>> counts = co_await database_.Transact(options, count);
    if (counts.ok()) {
      for (const InvariantCount& counted : *counts) {
        metrics_
            .Gauge("invariant_violations", "Rows that contradict an invariant; must be 0",
                   {{"id", counted.id}})
            .Set(static_cast<double>(counted.violations));
        if (counted.violations != 0) {
          log_.Error("an invariant is violated",
                     {{"invariant", counted.id}, {"violations", counted.violations}});
        }
      }
      checked.SetToCurrentTime();
    } else {
      log_.Warn("the invariants were not counted", {{"err", counts.error().ToString()}});
    }
    co_await runtime::SleepFor(interval_);
  }
}

}  // namespace paymesh::watcher
