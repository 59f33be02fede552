// Payments in PostgreSQL: whole aggregates in, whole aggregates out, any number in a few
// statements. What is read is checked against what it was computed from. One thread (the
// transaction's).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/payment.h"

namespace paymesh::checkout {

struct CreatedPayment {
  std::shared_ptr<const Payment> payment;
  std::string snapshot;  // its serialised journal event
  std::string trace;     // a traceparent; may be empty
};
inline constexpr std::string_view kPaymentCreated = "payment.created";

// Inserts new payments at revision 1 with their first transition and journal entry.
void InsertPayments(pg::Transaction& tx, const std::vector<CreatedPayment>& created);

enum class Lock { kNone, kForUpdate };
// Those of `payment_ids` that exist, in order of id. INTERNAL AMOUNT_DRIFT when stored amounts are
// not those of the transfers.
Result<std::vector<Payment>> LoadPayments(pg::Transaction& tx,
                                          const std::vector<std::string>& payment_ids, Lock lock);
// The ids of the payments that have one of these deposit addresses, with it.
struct AddressOwner {
  std::string deposit_address;
  std::string payment_id;
};
std::vector<AddressOwner> FindByAddress(pg::Transaction& tx,
                                        const std::vector<std::string>& addresses);

// One revision of a payment, as it is remembered.
struct Revision {
  std::int64_t revision = 0;
  State from{};
  State to{};
  std::string kind;
  std::string snapshot;  // serialised Event
};
// A payment as it was loaded and as it shall be, with the revisions between.
struct Change {
  Payment before;
  Payment after;
  std::vector<Revision> revisions;
};
// ABORTED TRANSACTION_CONFLICT when a row is no longer at its `before` revision.
Status SaveChanges(pg::Transaction& tx, const std::vector<Change>& changes,
                   const std::string& trace = "");

// The database's clock; the same throughout a transaction.
Time TransactionTime(pg::Transaction& tx);

inline constexpr std::string_view kEventsJournal = "events";

// Filters of ListPayments; empty ones match all.
struct PaymentFilter {
  std::string merchant_id = {};
  std::vector<State> states = {};
  std::optional<Time> create_time_from = {};
  std::optional<Time> create_time_until = {};
  std::string reference = {};
  std::string transaction_hash = {};
  std::string address = {};
};
// Ids, newest first, below `before_id` where it is given.
std::vector<std::string> FindPayments(pg::Transaction& tx, const PaymentFilter& filter,
                                      std::string_view before_id, int limit);

}  // namespace paymesh::checkout
