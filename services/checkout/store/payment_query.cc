// The search of ListPayments. Only the filters that are given stand in the statement, so that each
// combination is planned for itself.
#include <string>

#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {
namespace {

// Collects conditions with their parameters in step.
class Conditions {
 public:
  void Add(std::string_view before, pg::Param value, std::string_view after) {
    params_.push_back(std::move(value));
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += std::string(before) + "$" + std::to_string(params_.size()) + std::string(after);
  }
  const std::string& text() const { return text_; }
  std::vector<pg::Param>& params() { return params_; }

 private:
  std::string text_;
  std::vector<pg::Param> params_;
};

Conditions ConditionsOf(const PaymentFilter& filter, std::string_view before_id) {
  Conditions where;
  if (!before_id.empty()) where.Add("payment_id < ", before_id, "::text");
  if (!filter.merchant_id.empty()) where.Add("merchant_id = ", filter.merchant_id, "::text");
  if (!filter.states.empty()) {
    std::vector<int> states;
    for (State state : filter.states) states.push_back(static_cast<int>(state));
    where.Add("state = ANY(", states, "::smallint[])");
  }
  if (filter.create_time_from) {
    where.Add("create_time >= ", *filter.create_time_from, "::timestamptz");
  }
  if (filter.create_time_until) {
    where.Add("create_time < ", *filter.create_time_until, "::timestamptz");
  }
  if (!filter.reference.empty())
    where.Add("reference = ", filter.reference, "::text AND reference <> ''");
  if (!filter.transaction_hash.empty()) {
    where.Add("payment_id IN (SELECT payment_id FROM payment_transfer WHERE transaction_hash = ",
              filter.transaction_hash, "::text)");
  }
  if (!filter.address.empty()) {
    where.Add("payment_id IN (SELECT payment_id FROM payment_transfer WHERE from_address = ",
              filter.address,
              "::text UNION SELECT payment_id FROM payment WHERE deposit_address = $" +
                  std::to_string(where.params().size() + 1) + "::text AND registered)");
  }
  return where;
}

}  // namespace

std::vector<std::string> FindPayments(pg::Transaction& tx, const PaymentFilter& filter,
                                      std::string_view before_id, int limit) {
  Conditions where = ConditionsOf(filter, before_id);
  where.params().push_back(limit);
  const std::string sql = "SELECT payment_id FROM payment" + where.text() +
                          " ORDER BY payment_id DESC LIMIT $" +
                          std::to_string(where.params().size()) + "::bigint";
  std::vector<std::string> ids;
  for (const pg::Row& row : tx.ExecuteParams(sql, where.params())) {
    ids.push_back(row.Get<std::string>("payment_id"));
  }
  return ids;
}

}  // namespace paymesh::checkout
