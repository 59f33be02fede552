#include "services/checkout/usecases/metrics.h"

#include <chrono>

namespace paymesh::checkout {
namespace {
// Seconds from creation to success: a quick chain, a slow one, a payer who takes a day.
const runtime::Metrics::Buckets kDurations{1,   2,   5,   10,  20,   30,   60,
                                           120, 300, 600, 900, 3600, 86400};
const runtime::Metrics::Buckets kBatchSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
constexpr char kNone[] = "none";  // nothing was paid in yet
constexpr char kCreated[] = "created";
}  // namespace

CheckoutMetrics::CheckoutMetrics(runtime::Metrics& metrics, const runtime::ChainsConfig& chains)
    : metrics_(metrics),
      batch_size_(metrics.Histogram("checkout_create_batch_size", "Payments created by one commit.",
                                    kBatchSizes)),
      fallback_(metrics.Counter(
          "checkout_routing_fallback_total",
          "Payments offered from a merchant's last options while routing was away.")) {
  for (const Step& step : kSteps) {
    steps_[{step.from, step.to}] = &metrics.Counter(
        "checkout_state_transitions_total", "Changes of payment state.",
        {{"from", std::string(StateName(step.from))}, {"to", std::string(StateName(step.to))}});
  }
  for (const char* result : {"new", "replayed", "conflict"}) {
    idempotency_[result] = &metrics.Counter("checkout_idempotency_total",
                                            "Requests with a request id, by what became of them.",
                                            {{"result", result}});
  }
  AddOutcomes(kNone, kNone);
  for (const runtime::ChainConfig& chain : chains.chains) {
    const std::string network = chain.chain.ToString();
    for (const runtime::TokenConfig& token : chain.tokens) {
      if (token.accepted) AddOutcomes(token.symbol, network);
    }
    durations_[network] =
        &metrics.Histogram("checkout_payment_duration_seconds", "From creation to success.",
                           kDurations, {{"network", network}});
  }
}

void CheckoutMetrics::AddOutcomes(const std::string& asset, const std::string& network) {
  const auto add = [&](const std::string& outcome) {
    outcomes_[{asset, network, outcome}] = &metrics_.Counter(
        "checkout_payments_total", "Payments by outcome and the option that was paid in.",
        {{"asset", asset}, {"network", network}, {"outcome", outcome}});
  };
  for (const State state : kStates) {
    if (IsClosed(state)) add(std::string(StateName(state)));
  }
  if (asset == kNone) add(kCreated);
}

// An option of a token that chains.yaml listed when the payment was made and lists no more is not
// counted: labels are what is configured.
void CheckoutMetrics::Outcome(const Payment& payment, std::string_view outcome) {
  const Option* bound = payment.Bound();
  const auto found =
      outcomes_.find({bound == nullptr ? kNone : bound->symbol,
                      bound == nullptr ? kNone : bound->chain, std::string(outcome)});
  if (found != outcomes_.end()) found->second->Increment();
}

void CheckoutMetrics::Created(const Payment& payment) { Outcome(payment, kCreated); }

void CheckoutMetrics::Idempotency(std::string_view result) {
  idempotency_.find(result)->second->Increment();
}

void CheckoutMetrics::Changed(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    for (const Revision& revision : change.revisions) {
      const auto step = steps_.find({revision.from, revision.to});
      if (step != steps_.end()) step->second->Increment();
    }
    if (change.after.state == change.before.state || change.revisions.empty()) continue;
    if (!IsClosed(change.after.state)) continue;
    Outcome(change.after, StateName(change.after.state));
    if (change.after.state != State::kSucceeded || change.after.Bound() == nullptr) continue;
    const auto duration = durations_.find(change.after.Bound()->chain);
    if (duration == durations_.end()) continue;
    const auto took = change.after.update_time - change.after.terms.create_time;
    duration->second->Observe(std::chrono::duration<double>(took).count());
  }
}

}  // namespace paymesh::checkout
