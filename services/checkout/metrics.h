// What checkout counts, by name in one place. Labels are bounded: states, listed chains and
// symbols. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/checkout/store/payment_store.h"

namespace paymesh::runtime {
class Metrics;
}
namespace paymesh::pg {
struct DatabaseStats;
}

namespace paymesh::checkout {

class CheckoutMetrics {
 public:
  explicit CheckoutMetrics(runtime::Metrics& metrics);

  void Created(const Payment& payment);
  // "new", "replayed" or "conflict".
  void Idempotency(std::string_view result);
  // Call after the commit.
  void Changed(const std::vector<Change>& changes);
  void BatchSize(std::size_t members);
  void RoutingFallback();
  // Must all be 0.
  void Invariant(const std::string& id, std::int64_t violations);
  void Follower(const std::string& name, std::int64_t position, double lag_seconds,
                int failed_attempts);
  void Database(const pg::DatabaseStats& stats);

 private:
  void Step(State from, State to);
  void Outcome(const Payment& payment, std::string_view outcome);
  runtime::Metrics& metrics_;
};

}  // namespace paymesh::checkout
