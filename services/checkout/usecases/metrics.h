// What checkout counts, by name in one place. Labels are bounded: states, listed chains and
// symbols; each series is there from the start and looked up once. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "common/config/chains.h"
#include "common/runtime/metrics.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {

class CheckoutMetrics {
 public:
  // `metrics` outlives this.
  CheckoutMetrics(runtime::Metrics& metrics, const runtime::ChainsConfig& chains);

  void Created(const Payment& payment);
  // "new", "replayed" or "conflict".
  void Idempotency(std::string_view result);
  // Call after the commit.
  void Changed(const std::vector<Change>& changes);
  void BatchSize(std::size_t members) { batch_size_.Observe(static_cast<double>(members)); }
  void RoutingFallback() { fallback_.Increment(); }

 private:
  using OutcomeKey = std::tuple<std::string, std::string, std::string>;  // asset, network, outcome

  void AddOutcomes(const std::string& asset, const std::string& network);
  void Outcome(const Payment& payment, std::string_view outcome);

  runtime::Metrics& metrics_;
  std::map<std::pair<State, State>, prometheus::Counter*> steps_;
  std::map<OutcomeKey, prometheus::Counter*> outcomes_;
  std::map<std::string, prometheus::Counter*, std::less<>> idempotency_;  // by result
  std::map<std::string, prometheus::Histogram*, std::less<>> durations_;  // by network
  prometheus::Histogram& batch_size_;
  prometheus::Counter& fallback_;
};

}  // namespace paymesh::checkout
