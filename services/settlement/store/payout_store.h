// Payouts in the database: rows, lines, and each of the steps of a payout's life as one function
// that changes the row, posts to the ledger and tells the followers, all in the caller's
// transaction. Each function: one thread, inside the transaction that it is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/money/u256.h"
#include "common/pg/transaction.h"
#include "common/runtime/clock.h"
#include "services/settlement/domain/payout.h"

namespace paymesh::settlement {

struct PayoutRow {
  std::int64_t sequence = 0;
  std::string payout_id;
  std::string merchant_id;
  std::string destination_id;
  std::string unit;
  std::string chain;
  std::string address;
  U256 amount;
  PayoutState state = PayoutState::kAwaitingApproval;
  std::string creator;
  std::optional<std::string> approver;
  std::string status_reason;
  std::string transaction_hash;
  Time create_time{};
  Time update_time{};
  std::int64_t revision = 1;
};

// Evidence of a step on the chain.
struct PayoutEvidence {
  std::string chain;
  std::string vault;  // what paid, lower case
  std::uint64_t block_number = 0;
  std::string block_hash;
  std::optional<Time> block_time = std::nullopt;
  std::string transaction_hash;
};

// A new payout in AWAITING_APPROVAL, or RESERVED at once with its money set aside.
// FAILED_PRECONDITION INSUFFICIENT_AVAILABLE, or TOO_MANY_PAYMENTS when it would settle more.
Status CreateAwaiting(pg::Transaction& tx, PayoutRow row);
Status CreateReserved(pg::Transaction& tx, PayoutRow row, int most_lines = kMaxPayoutLines);

// NOT_FOUND PAYOUT_NOT_FOUND. The first locks the row until the end of the transaction.
Result<PayoutRow> LockPayout(pg::Transaction& tx, std::string_view payout_id);
Result<PayoutRow> FindPayout(pg::Transaction& tx, std::string_view payout_id);
std::vector<PayoutLine> Lines(pg::Transaction& tx, std::string_view payout_id);

struct PayoutFilter {
  std::string merchant_id = {};
  std::vector<std::string> states = {};
  std::string payment_id = {};
};
// Newest first, with sequence < before (0: from the newest).
std::vector<PayoutRow> ListPayoutRows(pg::Transaction& tx, const PayoutFilter& filter,
                                      std::int64_t before, int limit);

// Steps. Each changes `row` as it changes the database; FAILED_PRECONDITION when the state is
// another.
Status Approve(pg::Transaction& tx, PayoutRow& row, std::string_view approver, Time now);
Status Reject(pg::Transaction& tx, PayoutRow& row, std::string_view approver,
              std::string_view reason, Time now);
Status Cancel(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now);
Status Submit(pg::Transaction& tx, PayoutRow& row, Time now);
Status Withdraw(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now);
Status Include(pg::Transaction& tx, PayoutRow& row, const PayoutEvidence& evidence, Time now);
Status Orphan(pg::Transaction& tx, PayoutRow& row, Time now);
Status Finalize(pg::Transaction& tx, PayoutRow& row, const PayoutEvidence& evidence, Time now);
Status Fail(pg::Transaction& tx, PayoutRow& row, std::string_view reason,
            const PayoutEvidence& evidence, Time now);
// Says why a reserved payout does not go on, and looks at it again later.
void Park(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time next_try, Time now);
// Only says it, on whatever state.
void Remark(pg::Transaction& tx, PayoutRow& row, std::string_view reason, Time now);

}  // namespace paymesh::settlement
