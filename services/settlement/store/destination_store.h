// Payout destinations and payout plans in the database.
// Each function: one thread, inside the transaction that it is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/money/u256.h"
#include "common/pg/transaction.h"
#include "common/runtime/clock.h"
#include "services/settlement/domain/destination.h"
#include "services/settlement/domain/payout.h"

namespace paymesh::settlement {

struct DestinationRow {
  std::int64_t sequence = 0;
  std::string destination_id;
  std::string merchant_id;
  std::string unit;
  std::string chain;
  std::string address;  // lower case
  std::string display_name;
  DestinationState state = DestinationState::kAwaitingApproval;
  std::string creator;
  std::optional<std::string> approver;
  Time create_time{};
  std::optional<Time> approve_time;
  std::optional<Time> usable_time;
};

void InsertDestination(pg::Transaction& tx, const DestinationRow& row);
// Locked until the end of the transaction. NOT_FOUND DESTINATION_NOT_FOUND.
Result<DestinationRow> LockDestination(pg::Transaction& tx, std::string_view destination_id);
void ApproveDestination(pg::Transaction& tx, const DestinationRow& row);
// Newest first, with sequence < before (0: from the newest); merchant "" means all.
std::vector<DestinationRow> ListDestinations(pg::Transaction& tx, std::string_view merchant_id,
                                             std::int64_t before, int limit);

struct PlanRow {
  std::int64_t sequence = 0;
  std::string merchant_id;
  std::string unit;
  std::string destination_id;
  PlanSchedule schedule = PlanSchedule::kManual;
  U256 minimum;
  Time update_time{};
  std::optional<Time> last_run_time;
};

// Replaces the plan of (merchant, unit); a plan that changes is due anew.
void PutPlan(pg::Transaction& tx, const PlanRow& row);
std::optional<PlanRow> LockPlan(pg::Transaction& tx, std::string_view merchant_id,
                                std::string_view unit);
void TouchPlan(pg::Transaction& tx, const PlanRow& row, Time now);
std::vector<PlanRow> ListPlans(pg::Transaction& tx, std::string_view merchant_id,
                               std::int64_t after, int limit);
// Plans whose time has come and whose merchant has enough available, at most `limit`. Read without
// locks: the caller locks each plan and looks again.
std::vector<PlanRow> DuePlans(pg::Transaction& tx, int limit);

}  // namespace paymesh::settlement
