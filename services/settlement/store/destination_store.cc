#include "services/settlement/store/destination_store.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kInsert = R"(
  INSERT INTO payout_destination (destination_id, merchant_id, unit, chain, address, display_name,
                                  state, creator, create_time)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))";
constexpr std::string_view kLockDestination = R"(
  SELECT * FROM payout_destination WHERE destination_id = $1 FOR UPDATE)";
constexpr std::string_view kApprove = R"(
  UPDATE payout_destination SET state = 'APPROVED', approver = $2, approve_time = $3,
    usable_time = $4
  WHERE destination_id = $1 AND state = 'AWAITING_APPROVAL')";
constexpr std::string_view kList = R"(
  SELECT * FROM payout_destination
  WHERE ($1 = '' OR merchant_id = $1) AND ($2::bigint = 0 OR sequence < $2::bigint)
  ORDER BY sequence DESC LIMIT $3)";
constexpr std::string_view kPutPlan = R"(
  INSERT INTO payout_plan (merchant_id, unit, destination_id, schedule, minimum, update_time)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (merchant_id, unit) DO UPDATE
  SET destination_id = $3, schedule = $4, minimum = $5, update_time = $6, last_run_time = NULL)";
constexpr std::string_view kLockPlan = R"(
  SELECT * FROM payout_plan WHERE merchant_id = $1 AND unit = $2 FOR UPDATE)";
constexpr std::string_view kTouchPlan = R"(
  UPDATE payout_plan SET last_run_time = $3 WHERE merchant_id = $1 AND unit = $2)";
constexpr std::string_view kListPlans = R"(
  SELECT * FROM payout_plan WHERE ($1 = '' OR merchant_id = $1) AND sequence > $2
  ORDER BY sequence LIMIT $3)";
constexpr std::string_view kDue = R"(
  SELECT p.* FROM payout_plan p
  JOIN payout_destination d USING (destination_id)
  JOIN ledger_account a ON a.code = 2110 AND a.owner = p.merchant_id AND a.unit = p.unit
  LEFT JOIN ledger_account o ON o.code = 1300 AND o.owner = p.merchant_id AND o.unit = p.unit
  WHERE p.schedule <> 'MANUAL' AND d.usable_time <= now()
    AND a.credits - a.debits - greatest(coalesce(o.debits - o.credits, 0), 0)
        >= greatest(p.minimum, 1)
    AND (p.schedule = 'ON_FINAL' OR p.last_run_time IS NULL
         OR p.last_run_time < date_trunc('day', now() AT TIME ZONE 'utc') AT TIME ZONE 'utc')
    AND NOT EXISTS (SELECT FROM pause WHERE (kind, value) IN
                      (('chain', d.chain), ('unit', p.unit), ('merchant', p.merchant_id)))
  ORDER BY p.last_run_time NULLS FIRST, p.sequence
  LIMIT $1)";

[[noreturn]] void ThrowUnknown(std::string_view what, const std::string& value) {
  throw pg::SqlError(std::string(pg::kDecodeFailure), std::string(what) + " " + value);
}

DestinationRow ToDestination(const pg::Row& row) {
  DestinationRow out;
  out.sequence = row.Get<std::int64_t>("sequence");
  out.destination_id = row.Get<std::string>("destination_id");
  out.merchant_id = row.Get<std::string>("merchant_id");
  out.unit = row.Get<std::string>("unit");
  out.chain = row.Get<std::string>("chain");
  out.address = row.Get<std::string>("address");
  out.display_name = row.Get<std::string>("display_name");
  const auto state = ParseDestinationState(row.Get<std::string>("state"));
  if (!state) ThrowUnknown("destination state", row.Get<std::string>("state"));
  out.state = *state;
  out.creator = row.Get<std::string>("creator");
  out.approver = row.Get<std::optional<std::string>>("approver");
  out.create_time = row.Get<Time>("create_time");
  out.approve_time = row.Get<std::optional<Time>>("approve_time");
  out.usable_time = row.Get<std::optional<Time>>("usable_time");
  return out;
}

PlanRow ToPlan(const pg::Row& row) {
  PlanRow out;
  out.sequence = row.Get<std::int64_t>("sequence");
  out.merchant_id = row.Get<std::string>("merchant_id");
  out.unit = row.Get<std::string>("unit");
  out.destination_id = row.Get<std::string>("destination_id");
  const auto schedule = ParsePlanSchedule(row.Get<std::string>("schedule"));
  if (!schedule) ThrowUnknown("plan schedule", row.Get<std::string>("schedule"));
  out.schedule = *schedule;
  out.minimum = row.Get<U256>("minimum");
  out.update_time = row.Get<Time>("update_time");
  out.last_run_time = row.Get<std::optional<Time>>("last_run_time");
  return out;
}

std::vector<PlanRow> ToPlans(const pg::Rows& rows) {
  std::vector<PlanRow> plans;
  for (const pg::Row row : rows) plans.push_back(ToPlan(row));
  return plans;
}

}  // namespace

void InsertDestination(pg::Transaction& tx, const DestinationRow& row) {
  tx.Execute(kInsert, row.destination_id, row.merchant_id, row.unit, row.chain, row.address,
             row.display_name, DestinationStateName(row.state), row.creator, row.create_time);
}

Result<DestinationRow> LockDestination(pg::Transaction& tx, std::string_view destination_id) {
  const pg::Rows rows = tx.Execute(kLockDestination, destination_id);
  if (rows.empty()) {
    return Error::NotFound("DESTINATION_NOT_FOUND", "there is no such payout destination");
  }
  return ToDestination(rows.front());
}

void ApproveDestination(pg::Transaction& tx, const DestinationRow& row) {
  tx.Execute(kApprove, row.destination_id, row.approver, row.approve_time, row.usable_time);
}

std::vector<DestinationRow> ListDestinations(pg::Transaction& tx, std::string_view merchant_id,
                                             std::int64_t before, int limit) {
  std::vector<DestinationRow> out;
  for (const pg::Row row : tx.Execute(kList, merchant_id, before, limit)) {
    out.push_back(ToDestination(row));
  }
  return out;
}

void PutPlan(pg::Transaction& tx, const PlanRow& row) {
  tx.Execute(kPutPlan, row.merchant_id, row.unit, row.destination_id,
             PlanScheduleName(row.schedule), row.minimum, row.update_time);
}

std::optional<PlanRow> LockPlan(pg::Transaction& tx, std::string_view merchant_id,
                                std::string_view unit) {
  const pg::Rows rows = tx.Execute(kLockPlan, merchant_id, unit);
  if (rows.empty()) return std::nullopt;
  return ToPlan(rows.front());
}

void TouchPlan(pg::Transaction& tx, const PlanRow& row, Time now) {
  tx.Execute(kTouchPlan, row.merchant_id, row.unit, now);
}

std::vector<PlanRow> ListPlans(pg::Transaction& tx, std::string_view merchant_id,
                               std::int64_t after, int limit) {
  return ToPlans(tx.Execute(kListPlans, merchant_id, after, limit));
}

std::vector<PlanRow> DuePlans(pg::Transaction& tx, int limit) {
  return ToPlans(tx.Execute(kDue, limit));
}

}  // namespace paymesh::settlement
