// Makes payouts by the merchants' plans, when their time has come and enough is available. Run: one
// coroutine. Any number of replicas may run it: a plan's row is locked while it is looked at.
#pragma once

#include <chrono>
#include <string>

#include "common/error/error.h"
#include "common/runtime/clock.h"
#include "common/runtime/task.h"
#include "services/settlement/domain/payout.h"

namespace paymesh::pg {
class Database;
class Transaction;
}  // namespace paymesh::pg
namespace paymesh::runtime {
class IdSource;
class Logger;
}  // namespace paymesh::runtime

namespace paymesh::settlement {

struct PlanRow;

class PayoutScheduler {
 public:
  PayoutScheduler(pg::Database& database, const runtime::Clock& clock, runtime::IdSource& ids,
                  runtime::Logger& log, std::chrono::milliseconds interval);
  Task<void> Run();
  // One round: how many payouts it made.
  Task<Result<int>> Round();

 private:
  pg::Database& database_;
  const runtime::Clock& clock_;
  runtime::IdSource& ids_;
  runtime::Logger& log_;
  const std::chrono::milliseconds interval_;
};

// One plan, locked and looked at anew: the payout's id, or "" when there is nothing to pay out now.
// A payout takes no more than the payments that it settles; the plan stays due for the rest.
Result<std::string> RunPlan(pg::Transaction& tx, const PlanRow& seen, const std::string& payout_id,
                            Time now, int most_lines = kMaxPayoutLines);

}  // namespace paymesh::settlement
