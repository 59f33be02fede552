#include "services/settlement/workers/payout_scheduler.h"

#include <utility>
#include <vector>

#include "common/pg/database.h"
#include "common/runtime/ids.h"
#include "common/runtime/log.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/store/payout_pause.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {
namespace {
constexpr int kPlansARound = 100;
}  // namespace

Result<std::string> RunPlan(pg::Transaction& tx, const PlanRow& seen, const std::string& payout_id,
                            Time now, int most_lines) {
  const std::optional<PlanRow> plan = LockPlan(tx, seen.merchant_id, seen.unit);
  if (!plan) return std::string();
  ASSIGN_OR_RETURN(const DestinationRow destination, LockDestination(tx, plan->destination_id));
  if (!CheckDestinationUsable(destination.state, destination.usable_time, now).ok()) {
    return std::string();
  }
  if (!PauseReason(tx, destination.chain, plan->unit, plan->merchant_id).empty()) {
    return std::string();
  }
  PlanFacts facts;
  facts.schedule = plan->schedule;
  facts.minimum = plan->minimum;
  facts.last_run = plan->last_run_time;
  facts.now = now;
  ASSIGN_OR_RETURN(facts.available, LockAvailable(tx, plan->merchant_id, plan->unit));
  const std::optional<U256> all = PlanPayout(facts);
  if (!all) return std::string();
  const U256 amount =
      MostToPay(*all, OpenPayments(tx, plan->merchant_id, plan->unit, most_lines), most_lines);
  facts.available = SaturatingSub(*all, amount);
  PayoutRow payout;
  payout.payout_id = payout_id;
  payout.merchant_id = plan->merchant_id;
  payout.destination_id = destination.destination_id;
  payout.unit = plan->unit;
  payout.chain = destination.chain;
  payout.address = destination.address;
  payout.amount = amount;
  payout.creator = "plan";
  payout.create_time = payout.update_time = now;
  RETURN_IF_ERROR(CreateReserved(tx, std::move(payout), most_lines));
  // A rest that is a payout of its own is due still.
  if (!PlanPayout(facts)) TouchPlan(tx, *plan, now);
  return payout_id;
}

PayoutScheduler::PayoutScheduler(pg::Database& database, const runtime::Clock& clock,
                                 runtime::IdSource& ids, runtime::Logger& log,
                                 std::chrono::milliseconds interval)
    : database_(database), clock_(clock), ids_(ids), log_(log), interval_(interval) {}

Task<Result<int>> PayoutScheduler::Round() {
  auto find = [](pg::Transaction& tx) -> Result<std::vector<PlanRow>> {
    return DuePlans(tx, kPlansARound);
  };
  auto found = database_.Transact(
      {.name = "due plans", .idempotent = true, .access = pg::Access::kReadOnly}, find);
  ASSIGN_OR_CO_RETURN(const std::vector<PlanRow> plans, co_await std::move(found));
  int made = 0;
  for (const PlanRow& plan : plans) {
    // The id is made once, so that an unknown COMMIT that is run again cannot make a second payout.
    auto run = [plan, id = ids_.Next("pot"), now = clock_.Now()](pg::Transaction& tx) {
      return RunPlan(tx, plan, id, now);
    };
    auto ran = database_.Transact({.name = "run plan"}, std::move(run));
    Result<std::string> payout_id = co_await std::move(ran);
    if (!payout_id.ok()) {
      // One merchant's trouble does not hold up the others.
      log_.Warn("a payout plan could not be run", {{"merchant_id", plan.merchant_id},
                                                   {"unit", plan.unit},
                                                   {"err", payout_id.error().ToString()}});
      continue;
    }
    if (payout_id->empty()) continue;
    ++made;
    log_.Info("payout made by plan",
              {{"payout_id", *payout_id}, {"merchant_id", plan.merchant_id}, {"unit", plan.unit}});
  }
  co_return made;
}

Task<void> PayoutScheduler::Run() {
  for (;;) {
    Result<int> made = co_await Round();
    if (!made.ok()) log_.Warn("payout plans", {{"err", made.error().ToString()}});
    co_await runtime::SleepFor(interval_);
  }
}

}  // namespace paymesh::settlement
