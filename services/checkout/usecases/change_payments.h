// A unit of work on payments: loaded with a lock, changed by events through the machine, saved with
// one revision, transition and journal entry for each change. One thread (the transaction's).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/machine.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {

// Told what a transaction did, before it commits; for metrics only.
using OnChanges = std::function<void(const std::vector<Change>&)>;

class PaymentBatch {
 public:
  // Loads and locks those of `ids` that exist.
  static Result<PaymentBatch> Load(pg::Transaction& tx, const Rules& rules,
                                   const std::vector<std::string>& ids);

  bool Has(const std::string& payment_id) const { return index_.contains(payment_id); }
  // The payment as it is after the events so far.
  const Payment& At(const std::string& payment_id) const;
  // The machine's answer; a payment that is not there is a bug.
  Status Apply(const std::string& payment_id, const Event& event);
  // Writes what has changed; `trace` is the traceparent of the cause, if there is one.
  Status Save(pg::Transaction& tx, const std::string& trace = "");

  const std::vector<Change>& changes() const { return changes_; }

 private:
  PaymentBatch(const Rules& rules, Time now) : rules_(rules), now_(now) {}
  Rules rules_;
  Time now_;
  std::vector<Change> changes_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace paymesh::checkout
