#include "services/checkout/metrics.h"

#include <chrono>

#include "common/pg/database.h"
#include "common/runtime/metrics.h"

namespace paymesh::checkout {
namespace {
// Seconds from creation to success: a quick chain, a slow one, a payer who takes a day.
const runtime::Metrics::Buckets kDurations{1,   2,   5,   10,  20,   30,   60,
                                           120, 300, 600, 900, 3600, 86400};
const runtime::Metrics::Buckets kBatchSizes{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
}  // namespace

CheckoutMetrics::CheckoutMetrics(runtime::Metrics& metrics) : metrics_(metrics) {}

void CheckoutMetrics::Step(State from, State to) {
  metrics_
      .Counter("checkout_state_transitions_total", "Changes of payment state.",
               {{"from", std::string(StateName(from))}, {"to", std::string(StateName(to))}})
      .Increment();
}

void CheckoutMetrics::Outcome(const Payment& payment, std::string_view outcome) {
  const Option* bound = payment.Bound();
  metrics_
      .Counter("checkout_payments_total", "Payments by outcome and the option that was paid in.",
               {{"asset", bound == nullptr ? "none" : bound->symbol},
                {"network", bound == nullptr ? "none" : bound->chain},
                {"outcome", std::string(outcome)}})
      .Increment();
}

void CheckoutMetrics::Created(const Payment& payment) { Outcome(payment, "created"); }

void CheckoutMetrics::Idempotency(std::string_view result) {
  metrics_
      .Counter("checkout_idempotency_total", "Requests with a request id, by what became of them.",
               {{"result", std::string(result)}})
      .Increment();
}

void CheckoutMetrics::Changed(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    for (const Revision& revision : change.revisions) {
      if (revision.from != revision.to) Step(revision.from, revision.to);
    }
    if (change.after.state == change.before.state || change.revisions.empty()) continue;
    if (!IsClosed(change.after.state)) continue;
    Outcome(change.after, StateName(change.after.state));
    if (change.after.state != State::kSucceeded || change.after.Bound() == nullptr) continue;
    const auto took = change.after.update_time - change.after.terms.create_time;
    metrics_
        .Histogram("checkout_payment_duration_seconds", "From creation to success.", kDurations,
                   {{"network", change.after.Bound()->chain}})
        .Observe(std::chrono::duration<double>(took).count());
  }
}

void CheckoutMetrics::BatchSize(std::size_t members) {
  metrics_.Histogram("checkout_create_batch_size", "Payments created by one commit.", kBatchSizes)
      .Observe(static_cast<double>(members));
}

void CheckoutMetrics::RoutingFallback() {
  metrics_
      .Counter("checkout_routing_fallback_total",
               "Payments offered from a merchant's last options while routing was away.")
      .Increment();
}

void CheckoutMetrics::Invariant(const std::string& id, std::int64_t violations) {
  metrics_
      .Gauge("invariant_violations", "Rows that break an invariant of this database; must be 0.",
             {{"id", id}})
      .Set(static_cast<double>(violations));
}

void CheckoutMetrics::Follower(const std::string& name, std::int64_t position, double lag_seconds,
                               int failed_attempts) {
  const runtime::Metrics::Labels labels{{"follower", name}};
  metrics_.Gauge("follower_position", "Position of the last applied journal entry.", labels)
      .Set(static_cast<double>(position));
  metrics_
      .Gauge("follower_lag_seconds", "Age of the last applied entry when the next one waits.",
             labels)
      .Set(lag_seconds);
  metrics_.Gauge("follower_failed_attempts", "Failures in a row of the batch at hand.", labels)
      .Set(failed_attempts);
}

void CheckoutMetrics::Database(const pg::DatabaseStats& stats) {
  const auto set = [this](const char* name, const char* help, double value,
                          const runtime::Metrics::Labels& labels = {}) {
    metrics_.Gauge(name, help, labels).Set(value);
  };
  constexpr const char* kConnections = "Connections of the pool, by what they do.";
  set("db_pool_connections", kConnections, stats.busy, {{"state", "busy"}});
  set("db_pool_connections", kConnections, stats.pool_size - stats.busy, {{"state", "idle"}});
  set("db_pool_connections_max", "Size of the pool.", stats.pool_size);
  set("db_pool_waiting", "Transactions that wait for a connection.", stats.waiting);
  constexpr const char* kTransactions = "Transactions since the start, by how they ended.";
  set("db_transactions", kTransactions, static_cast<double>(stats.committed),
      {{"outcome", "committed"}});
  set("db_transactions", kTransactions, static_cast<double>(stats.failed), {{"outcome", "failed"}});
  set("db_transactions", kTransactions, static_cast<double>(stats.retried),
      {{"outcome", "retried"}});
}

}  // namespace paymesh::checkout
