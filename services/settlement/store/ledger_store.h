// Posting to the ledger and reading it, inside the caller's transaction.
//
// The ledger has one writer at a time: Lock takes the one row that gives out sequence numbers, so
// that sequences have no gaps and grow in the order of commits, and no two writers can deadlock
// over accounts. A transaction that writes takes it before it reads what it decides from. One
// thread (the transaction's).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/domain/money_events.h"

namespace paymesh::settlement {

// Until the end of the transaction; again is free. Post and LockedBalance take it by themselves.
void LockLedger(pg::Transaction& tx);

// Posts in the given order, in a handful of statements whatever the number. Drafts already posted
// come back as they were (newly_posted false); INTERNAL for one that is not balanced, and
// FAILED_PRECONDITION JOURNAL_CONFLICT for a key that was posted with other legs.
// A merchant's account that would fall below zero is refused by the database (SqlError 23514).
Result<std::vector<Journal>> Post(pg::Transaction& tx, std::span<const JournalDraft> drafts);

// The balance on the account's normal side, zero when it stands on the other or does not exist,
// with the ledger locked.
U256 LockedBalance(pg::Transaction& tx, const AccountKey& account);
// What may be paid out to the merchant now: 2110.
Result<U256> AvailableFor(pg::Transaction& tx, std::string_view merchant_id, std::string_view unit);

// Reading, without locking.
std::optional<Journal> FindJournal(pg::Transaction& tx, std::string_view journal_id);
// Empty fields match everything.
struct JournalFilter {
  std::string payment_id = {};
  std::string merchant_id = {};
  std::string payout_id = {};
  std::string account_id = {};
  std::string journal_id = {};
};
// Newest first, with a sequence below `before` (0: from the newest).
std::vector<Journal> ListJournalRows(pg::Transaction& tx, const JournalFilter& filter,
                                     std::int64_t before, int limit);

struct AccountRow {
  AccountKey key;
  U256 debits;
  U256 credits;
  std::int64_t leg_count = 0;
};
struct AccountFilter {
  std::string owner = {};
  std::uint32_t code = 0;
  std::string unit = {};
  std::string account_id = {};
};
// By id, in byte order, after `after`.
std::vector<AccountRow> ListAccountRows(pg::Transaction& tx, const AccountFilter& filter,
                                        std::string_view after, int limit);
// All journals of these events with their legs, oldest first, reversals left out; the ids of the
// reversed ones stand in `reversed`.
struct EventJournal {
  Journal journal;
  bool reversed = false;
};
std::vector<EventJournal> JournalsOf(pg::Transaction& tx,
                                     const std::vector<std::string>& event_ids);

// Appends to the journal `events`.
// `trace` is the traceparent of the call that made the payment; empty: as of its first event.
void AppendMoneyEvent(pg::Transaction& tx, const MoneyEvent& event, const std::string& trace = "");

// 2110 in the making, one row a payment and unit; see migrations/0011. `net` is what has become
// available and is written by the ledger half; payouts keep their own side in payout_line.
struct PaymentNet {
  std::string payment_id;
  std::string merchant_id;
  std::string unit;
  U256 net;
  Time available_time{};
};
void SetPaymentNet(pg::Transaction& tx, const PaymentNet& row);

}  // namespace paymesh::settlement
