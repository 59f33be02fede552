#include "services/checkout/usecases/change_payments.h"

#include <utility>

#include "services/checkout/convert.h"

namespace paymesh::checkout {

Result<PaymentBatch> PaymentBatch::Load(pg::Transaction& tx, const Rules& rules,
                                        const std::vector<std::string>& ids) {
  PaymentBatch batch(rules, TransactionTime(tx));
  ASSIGN_OR_RETURN(std::vector<Payment> payments, LoadPayments(tx, ids, Lock::kForUpdate));
  for (Payment& payment : payments) {
    batch.index_[payment.terms.payment_id] = batch.changes_.size();
    Change change{.before = payment, .after = std::move(payment), .revisions = {}};
    batch.changes_.push_back(std::move(change));
  }
  return batch;
}

const Payment& PaymentBatch::At(const std::string& payment_id) const {
  return changes_[index_.at(payment_id)].after;
}

Status PaymentBatch::Apply(const std::string& payment_id, const Event& event) {
  Change& change = changes_[index_.at(payment_id)];
  ASSIGN_OR_RETURN(Applied applied, checkout::Apply(rules_, change.after, event, now_));
  if (!applied.changed) return {};
  Revision revision{.revision = applied.payment.revision,
                    .from = change.after.state,
                    .to = applied.payment.state,
                    .kind = applied.kind,
                    .snapshot = PaymentEvent(applied.payment, applied.kind).SerializeAsString()};
  change.revisions.push_back(std::move(revision));
  change.after = std::move(applied.payment);
  return {};
}

Status PaymentBatch::Save(pg::Transaction& tx, const std::string& trace) {
  std::vector<Change> changed;
  for (const Change& change : changes_) {
    if (!change.revisions.empty()) changed.push_back(change);
  }
  return SaveChanges(tx, changed, trace);
}

}  // namespace paymesh::checkout
