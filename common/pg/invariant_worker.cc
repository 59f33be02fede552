#include "common/pg/invariant_worker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/pg/transaction.h"

namespace paymesh::pg {
namespace {

constexpr int kRestFactor = 20;

}  // namespace

std::int64_t CountViolations(Transaction& tx, const Invariant& invariant) {
  return tx.Execute(invariant.sql).front().Get<std::int64_t>("n");
}

InvariantWorker::InvariantWorker(Database& database, runtime::Logger& log,
                                 runtime::Metrics& metrics, const runtime::Clock& clock,
                                 std::span<const Invariant> invariants,
                                 std::chrono::milliseconds interval)
    : database_(database),
      log_(log),
      metrics_(metrics),
      clock_(clock),
      invariants_(invariants),
      interval_(interval) {}

Task<void> InvariantWorker::Run() {
  for (;;) {
    const runtime::SteadyTime start = clock_.Steady();
    bool all = true;
    for (const Invariant& invariant : invariants_) {
      const bool counted = co_await Count(invariant);
      all = all && counted;
    }
    if (all) {
      metrics_
          .Gauge("invariants_last_success_timestamp_seconds",
                 "When all invariants were last counted")
          .Set(std::chrono::duration<double>(clock_.Now().time_since_epoch()).count());
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - start);
    co_await runtime::SleepFor(std::max(interval_, kRestFactor * took));
  }
}

Task<bool> InvariantWorker::Count(const Invariant& invariant) {
  auto count = [invariant](Transaction& tx) -> Result<std::int64_t> {
    return CountViolations(tx, invariant);
  };
  const TransactOptions options{.name = "invariant",
                                .idempotent = true,
                                .isolation = Isolation::kRepeatableRead,
                                .access = Access::kReadOnly};
  auto counting = database_.Transact(options, std::move(count));
  const Result<std::int64_t> violations = co_await std::move(counting);
  if (!violations.ok()) {
    log_.Warn("an invariant was not counted",
              {{"invariant", invariant.id}, {"err", violations.error().ToString()}});
    co_return false;
  }
  metrics_
      .Gauge("invariant_violations", "Rows that break an invariant of this database; must be 0",
             {{"id", std::string(invariant.id)}})
      .Set(static_cast<double>(*violations));
  if (*violations != 0) {
    log_.Error("an invariant is broken",
               {{"invariant", invariant.id}, {"violations", *violations}});
  }
  co_return true;
}

}  // namespace paymesh::pg
