#include "services/settlement/store/payout_store.h"

#include "services/settlement/store/payout_event.h"
#include "services/settlement/store/payout_ledger.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kInsert = R"(
  INSERT INTO payout (payout_id, merchant_id, destination_id, unit, chain, address, amount, state,
                      creator, create_time, update_time, revision)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 1))";
constexpr std::string_view kLockPayout = "SELECT * FROM payout WHERE payout_id = $1 FOR UPDATE";
constexpr std::string_view kFind = "SELECT * FROM payout WHERE payout_id = $1";
constexpr std::string_view kUpdate = R"(
  UPDATE payout SET state = $3, approver = $4, status_reason = $5, transaction_hash = $6,
                    update_time = $7, revision = revision + 1,
                    next_try_time = CASE WHEN $3 = 'RESERVED' THEN next_try_time END
  WHERE payout_id = $1 AND revision = $2)";
constexpr std::string_view kPark = R"(
  UPDATE payout SET next_try_time = $2, try_count = try_count + 1 WHERE payout_id = $1)";
constexpr std::string_view kInsertLines = R"(
  INSERT INTO payout_line (payout_id, position, payment_id, amount)
  SELECT $1, position, payment_id, amount
  FROM unnest($2::integer[], $3::text[], $4::numeric[]) AS line (position, payment_id, amount))";
constexpr std::string_view kRelease = "UPDATE payout_line SET released = true WHERE payout_id = $1";
constexpr std::string_view kLines = R"(
  SELECT payment_id, amount FROM payout_line WHERE payout_id = $1 ORDER BY position)";
constexpr std::string_view kList = R"(
  SELECT * FROM payout
  WHERE ($1 = '' OR merchant_id = $1)
    AND (cardinality($2::text[]) = 0 OR state = ANY ($2::text[]))
    AND ($3 = '' OR payout_id IN (SELECT payout_id FROM payout_line WHERE payment_id = $3))
    AND ($4::bigint = 0 OR sequence < $4::bigint)
  ORDER BY sequence DESC LIMIT $5)";

PayoutRow ToPayout(const pg::Row& row) {
  PayoutRow out;
  out.sequence = row.Get<std::int64_t>("sequence");
  out.payout_id = row.Get<std::string>("payout_id");
  out.merchant_id = row.Get<std::string>("merchant_id");
  out.destination_id = row.Get<std::string>("destination_id");
  out.unit = row.Get<std::string>("unit");
  out.chain = row.Get<std::string>("chain");
  out.address = row.Get<std::string>("address");
  out.amount = row.Get<U256>("amount");
  const auto state = ParsePayoutState(row.Get<std::string>("state"));
  if (!state) throw pg::SqlError(std::string(pg::kDecodeFailure), "payout state");
  out.state = *state;
  out.creator = row.Get<std::string>("creator");
  out.approver = row.Get<std::optional<std::string>>("approver");
  out.status_reason = row.Get<std::string>("status_reason");
  out.transaction_hash = row.Get<std::string>("transaction_hash");
  out.create_time = row.Get<Time>("create_time");
  out.update_time = row.Get<Time>("update_time");
  out.revision = row.Get<std::int64_t>("revision");
  return out;
}

Result<PayoutRow> ToOnePayout(const pg::Rows& rows) {
  if (rows.empty()) {
    return Error::NotFound("PAYOUT_NOT_FOUND", "there is no such payout");
  }
  return ToPayout(rows.front());
}

void Insert(pg::Transaction& tx, const PayoutRow& row) {
  tx.Execute(kInsert, row.payout_id, row.merchant_id, row.destination_id, row.unit, row.chain,
             row.address, row.amount, PayoutStateName(row.state), row.creator, row.create_time);
}

Status Update(pg::Transaction& tx, PayoutRow& row, Time now) {
  row.update_time = now;
  const pg::Rows rows = tx.Execute(kUpdate, row.payout_id, row.revision, PayoutStateName(row.state),
                                   row.approver, row.status_reason, row.transaction_hash, now);
  if (rows.affected() != 1) {
    return Error::Aborted("PAYOUT_CHANGED", "the payout was changed by somebody else meanwhile");
  }
  ++row.revision;
  AppendPayoutEvent(tx, row);
  return {};
}

Status Move(pg::Transaction& tx, PayoutRow& row, PayoutEvent event, Time now) {
  const auto next = NextState(row.state, event);
  if (!next) return PayoutStateError(row.state, event);
  row.state = *next;
  return Update(tx, row, now);
}

// Sets the money aside and says which payments it comes from.
Status Reserve(pg::Transaction& tx, const PayoutRow& row, int most_lines) {
  ASSIGN_OR_RETURN(const std::string journal_id, PostReserved(tx, row));
  const std::vector<OpenPayment> payments = OpenPayments(tx, row.merchant_id, row.unit, most_lines);
  RETURN_IF_ERROR(CheckLines(row.amount, payments, most_lines));
  const std::vector<PayoutLine> lines = AllocateLines(row.amount, payments);
  std::vector<int> positions;
  std::vector<std::string> payment_ids;
  std::vector<U256> amounts;
  for (const PayoutLine& line : lines) {
    positions.push_back(static_cast<int>(positions.size()));
    payment_ids.push_back(line.payment_id);
    amounts.push_back(line.amount);
  }
  tx.Execute(kInsertLines, row.payout_id, positions, payment_ids, amounts);
  AppendLineEvents(tx, row, MoneyStep::kReserved, journal_id);
  return {};
}

void ReleaseLines(pg::Transaction& tx, const PayoutRow& row, std::string_view journal_id) {
  AppendLineEvents(tx, row, MoneyStep::kReleased, journal_id);
  tx.Execute(kRelease, row.payout_id);
}

}  // namespace

Status CreateAwaiting(pg::Transaction& tx, PayoutRow row) {
  row.state = PayoutState::kAwaitingApproval;
  Insert(tx, row);
  AppendPayoutEvent(tx, row);
  return {};
}

Status CreateReserved(pg::Transaction& tx, PayoutRow row, int most_lines) {
  row.state = PayoutState::kReserved;
  Insert(tx, row);
  RETURN_IF_ERROR(Reserve(tx, row, most_lines));
  AppendPayoutEvent(tx, row);
  return {};
}

Result<PayoutRow> LockPayout(pg::Transaction& tx, std::string_view payout_id) {
  return ToOnePayout(tx.Execute(kLockPayout, payout_id));
}

Result<PayoutRow> FindPayout(pg::Transaction& tx, std::string_view payout_id) {
  return ToOnePayout(tx.Execute(kFind, payout_id));
}

std::vector<PayoutLine> Lines(pg::Transaction& tx, std::string_view payout_id) {
  std::vector<PayoutLine> lines;
  for (const pg::Row row : tx.Execute(kLines, payout_id)) {
    lines.push_back({row.Get<std::string>("payment_id"), row.Get<U256>("amount")});
  }
  return lines;
}

std::vector<PayoutRow> ListPayoutRows(pg::Transaction& tx, const PayoutFilter& filter,
                                      std::int64_t before, int limit) {
  std::vector<PayoutRow> out;
  for (const pg::Row row :
       tx.Execute(kList, filter.merchant_id, filter.states, filter.payment_id, before, limit)) {
    out.push_back(ToPayout(row));
  }
  return out;
}

Status Approve(pg::Transaction& tx, PayoutRow& row, std::string_view approver, Time now) {
  if (row.state != PayoutState::kAwaitingApproval) {
    return PayoutStateError(row.state, PayoutEvent::kApprove);
  }
  if (row.creator == approver) {
    return Error::PermissionDenied("SELF_APPROVAL",
                                   "whoever asked for the payout may not approve it");
  }
  row.approver = std::string(approver);
  RETURN_IF_ERROR(Reserve(tx, row, kMaxPayoutLines));
  return Move(tx, row, PayoutEvent::kApprove, now);
}

Status Reject(pg::Transaction& tx, PayoutRow& row, std::string_view approver,
              std::string_view reason, Time now) {
  if (row.state != PayoutState::kAwaitingApproval) {
    return PayoutStateError(row.state, PayoutEvent::kReject);
  }
  if (row.creator == approver) {
    return Error::PermissionDenied("SELF_APPROVAL",
                                   "whoever asked for the payout may not decide on it");
  }
  row.approver = std::string(approver);
  row.status_reason = std::string(reason);
  return Move(tx, row, PayoutEvent::kReject, now);
}

Status Cancel(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now) {
  const bool reserved = row.state == PayoutState::kReserved;
  row.status_reason = std::string(reason);
  RETURN_IF_ERROR(Move(tx, row, PayoutEvent::kCancel, now));
  if (!reserved) return {};
  ASSIGN_OR_RETURN(const std::string journal_id, PostCanceled(tx, row));
  ReleaseLines(tx, row, journal_id);
  return {};
}

Status Submit(pg::Transaction& tx, PayoutRow& row, Time now) {
  row.status_reason.clear();
  return Move(tx, row, PayoutEvent::kSubmit, now);
}

Status Withdraw(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now) {
  row.status_reason = std::string(reason);
  return Move(tx, row, PayoutEvent::kWithdraw, now);
}

Status Include(pg::Transaction& tx, PayoutRow& row, const PayoutEvidence& evidence, Time now) {
  row.transaction_hash = evidence.transaction_hash;
  row.status_reason.clear();
  RETURN_IF_ERROR(Move(tx, row, PayoutEvent::kInclude, now));
  ASSIGN_OR_RETURN(const std::string journal_id, PostIncluded(tx, row, evidence));
  AppendLineEvents(tx, row, MoneyStep::kIncluded, journal_id);
  return {};
}

Status Orphan(pg::Transaction& tx, PayoutRow& row, Time now) {
  row.transaction_hash.clear();
  row.status_reason = "its block left the chain; waiting for it to be mined again";
  RETURN_IF_ERROR(Move(tx, row, PayoutEvent::kOrphan, now));
  ASSIGN_OR_RETURN(const std::string journal_id, PostOrphaned(tx, row));
  AppendLineEvents(tx, row, MoneyStep::kReserved, journal_id);
  return {};
}

Status Finalize(pg::Transaction& tx, PayoutRow& row, const PayoutEvidence& evidence, Time now) {
  RETURN_IF_ERROR(Move(tx, row, PayoutEvent::kFinalize, now));
  ASSIGN_OR_RETURN(const std::string journal_id, PostFinalized(tx, row, evidence));
  AppendLineEvents(tx, row, MoneyStep::kPaidOut, journal_id);
  return {};
}

Status Fail(pg::Transaction& tx, PayoutRow& row, std::string_view reason,
            const PayoutEvidence& evidence, Time now) {
  row.status_reason = std::string(reason);
  row.transaction_hash = evidence.transaction_hash;
  RETURN_IF_ERROR(Move(tx, row, PayoutEvent::kFail, now));
  ASSIGN_OR_RETURN(const std::string journal_id, PostFailed(tx, row, evidence));
  ReleaseLines(tx, row, journal_id);
  return {};
}

void Park(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time next_try, Time now) {
  tx.Execute(kPark, row.payout_id, next_try);
  Remark(tx, row, reason, now);
}

void Remark(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now) {
  if (row.status_reason == reason) return;
  row.status_reason = std::string(reason);
  const Status status = Update(tx, row, now);
  // The row is locked by this transaction, so its revision is the one that was read.
  if (!status.ok()) throw pg::SqlError(std::string(pg::kSerializationFailure), "payout changed");
}

}  // namespace paymesh::settlement
