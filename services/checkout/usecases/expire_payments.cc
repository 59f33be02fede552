#include "services/checkout/usecases/expire_payments.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/pg/database.h"
#include "services/checkout/store/chain_store.h"
#include "services/checkout/usecases/change_payments.h"

namespace paymesh::checkout {
namespace {

using Find = std::function<std::vector<std::string>(pg::Transaction&)>;
using MakeEvent = std::function<Event(pg::Transaction&)>;

// The event is made before the payments are loaded and locked: whatever was true of the chains then
// had been applied to the payments by then, because both are written by one transaction.
Result<std::vector<Change>> Work(pg::Transaction& tx, const Rules& rules, const Find& find,
                                 const MakeEvent& make_event) {
  const Event event = make_event(tx);
  const std::vector<std::string> ids = find(tx);
  if (ids.empty()) return std::vector<Change>();
  ASSIGN_OR_RETURN(PaymentBatch batch, PaymentBatch::Load(tx, rules, ids));
  for (const std::string& id : ids) RETURN_IF_ERROR(batch.Apply(id, event));
  RETURN_IF_ERROR(batch.Save(tx));
  return batch.changes();
}

Task<Result<std::size_t>> Run(pg::Database& database, CheckoutMetrics& metrics, const char* name,
                              Rules rules, Find find, MakeEvent make_event) {
  auto work = [rules, find = std::move(find), make = std::move(make_event)](pg::Transaction& tx) {
    return Work(tx, rules, find, make);
  };
  const pg::TransactOptions options{.name = name, .idempotent = true};
  auto run = database.Transact(options, std::move(work));
  Result<std::vector<Change>> changes = co_await std::move(run);
  if (!changes.ok()) co_return changes.error();
  metrics.Changed(*changes);
  std::size_t changed = 0;
  for (const Change& change : *changes) changed += change.revisions.empty() ? 0 : 1;
  co_return changed;
}

}  // namespace

Task<Result<std::size_t>> PaymentMaintenance::ExpireOnce() {
  Find find = [grace = config_.rules.grace](pg::Transaction& tx) {
    return FindExpirable(tx, grace, kBatch);
  };
  MakeEvent make = [](pg::Transaction& tx) -> Event { return LoadBarrier(tx); };
  return Run(database_, metrics_, "expire", config_.rules, std::move(find), std::move(make));
}

Task<Result<std::size_t>> PaymentMaintenance::DeferOnce() {
  Find find = [after = config_.rules.grace + config_.defer_after](pg::Transaction& tx) {
    return FindDeferrable(tx, after, kBatch);
  };
  MakeEvent make = [](pg::Transaction& tx) -> Event { return LoadBarrier(tx); };
  return Run(database_, metrics_, "defer", config_.rules, std::move(find), std::move(make));
}

Task<Result<std::size_t>> PaymentMaintenance::ReverseOnce() {
  Find find = [margin = config_.rules.reversal_margin_blocks](pg::Transaction& tx) {
    return FindLost(tx, margin, kBatch);
  };
  MakeEvent make = [](pg::Transaction& tx) -> Event { return LoadFinalizedHeights(tx); };
  return Run(database_, metrics_, "reverse", config_.rules, std::move(find), std::move(make));
}

Task<Result<std::size_t>> PaymentMaintenance::RegisterOnce() {
  auto look = [](pg::Transaction& tx) -> Result<std::vector<Unregistered>> {
    return FindUnregistered(tx, kBatch);
  };
  const pg::TransactOptions options{.name = "find_unregistered", .idempotent = true};
  auto search = database_.Transact(options, look);
  const Result<std::vector<Unregistered>> found = co_await std::move(search);
  if (!found.ok()) co_return found.error();
  if (found->empty()) co_return std::size_t{0};
  std::vector<std::string> ids;
  std::vector<DepositAddress> addresses;
  for (const Unregistered& one : *found) {
    ids.push_back(one.payment_id);
    addresses.push_back(
        {one.deposit_address, trace::ParseTraceparent(one.trace).value_or(trace::SpanContext())});
  }
  CO_RETURN_IF_ERROR(co_await registry_.Watch(std::move(addresses)));
  Find find = [ids](pg::Transaction&) { return ids; };
  MakeEvent make = [](pg::Transaction&) -> Event { return AddressRegistered{}; };
  co_return co_await Run(database_, metrics_, "register", config_.rules, std::move(find),
                         std::move(make));
}

}  // namespace paymesh::checkout
