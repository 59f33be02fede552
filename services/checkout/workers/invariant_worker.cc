#include "services/checkout/workers/invariant_worker.h"

#include <cstdint>
#include <string>
#include <utility>

namespace paymesh::checkout {

Task<void> InvariantWorker::Run() {
  for (;;) {
    for (const Invariant& invariant : Invariants()) co_await Check(invariant);
    co_await runtime::SleepFor(interval_);
  }
}

Task<void> InvariantWorker::Check(const Invariant& invariant) {
  auto count = [&invariant](pg::Transaction& tx) -> Result<std::int64_t> {
    return CountViolations(tx, invariant);
  };
  const pg::TransactOptions options{.name = "invariant",
                                    .idempotent = true,
                                    .isolation = pg::Isolation::kRepeatableRead,
                                    .access = pg::Access::kReadOnly};
  auto run = database_.Transact(options, count);
  const Result<std::int64_t> violations = co_await std::move(run);
  if (!violations.ok()) {
    log_.Warn("a worker could not do its work",
              {{"worker", "invariants"}, {"err", violations.error().ToString()}});
    co_return;
  }
  metrics_.Invariant(std::string(invariant.id), *violations);
  if (*violations != 0) {
    log_.Error("an invariant is broken",
               {{"invariant", invariant.id}, {"violations", *violations}});
  }
}

}  // namespace paymesh::checkout
