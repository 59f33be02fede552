#include "common/pg/metrics.h"

#include "common/pg/database_options.h"

namespace paymesh::pg {
namespace {

constexpr char kConnections[] = "db_pool_connections";
constexpr char kConnectionsHelp[] = "Connections by state.";
constexpr char kTransactions[] = "db_transactions_total";
constexpr char kTransactionsHelp[] =
    "Transactions by how they ended; retried counts further attempts.";
constexpr char kErrors[] = "db_errors_total";
constexpr char kErrorsHelp[] = "Attempts that PostgreSQL ended with an error, by SQLSTATE class.";
constexpr std::string_view kOther = "other";
// Connection, data, constraint, transaction state, rolled back, resources, state, operator's
// intervention, system, internal.
constexpr std::string_view kClasses[] = {"08", "22", "23", "25", "40",  "53",
                                         "55", "57", "58", "XX", kOther};
// Far above what the program has, should a name ever be made up at run time.
constexpr std::size_t kMaxNames = 200;

}  // namespace

DatabaseMetrics::DatabaseMetrics(runtime::Metrics& metrics)
    : metrics_(metrics),
      wait_(metrics.Histogram("db_pool_wait_seconds",
                              "How long transactions wait for a connection.",
                              runtime::Metrics::DatabaseBuckets())),
      busy_(metrics.Gauge(kConnections, kConnectionsHelp, {{"state", "busy"}})),
      idle_(metrics.Gauge(kConnections, kConnectionsHelp, {{"state", "idle"}})),
      size_(metrics.Gauge("db_pool_connections_max", "Connections the pool may have.")),
      waiting_(metrics.Gauge("db_pool_waiting", "Transactions waiting for a connection.")),
      committed_(metrics.Counter(kTransactions, kTransactionsHelp, {{"outcome", "committed"}})),
      failed_(metrics.Counter(kTransactions, kTransactionsHelp, {{"outcome", "failed"}})),
      retried_(metrics.Counter(kTransactions, kTransactionsHelp, {{"outcome", "retried"}})),
      rejected_(metrics.Counter(kTransactions, kTransactionsHelp, {{"outcome", "rejected"}})),
      opened_(metrics.Counter("db_connections_opened_total", "Connections made.")) {
  for (const std::string_view name : kClasses) {
    errors_[std::string(name)] =
        &metrics.Counter(kErrors, kErrorsHelp, {{"sqlstate_class", std::string(name)}});
  }
}

void DatabaseMetrics::Ran(const char* name, std::chrono::duration<double> time) {
  prometheus::Histogram* histogram = nullptr;
  {
    std::lock_guard lock(mutex_);
    const auto known = transactions_.find(name);
    if (known != transactions_.end()) {
      histogram = known->second;
    } else {
      const bool full = transactions_.size() >= kMaxNames;
      histogram = &metrics_.Histogram(
          "db_transaction_seconds", "Duration of transactions, with their further attempts.",
          runtime::Metrics::DatabaseBuckets(), {{"name", full ? std::string(kOther) : name}});
      if (!full) transactions_.emplace(name, histogram);
    }
  }
  histogram->Observe(time.count());
}

void DatabaseMetrics::Failed(std::string_view sqlstate) {
  const auto found = errors_.find(sqlstate.substr(0, 2));
  (found == errors_.end() ? errors_.find(kOther) : found)->second->Increment();
}

void DatabaseMetrics::Show(const DatabaseStats& stats) {
  busy_.Set(stats.busy);
  idle_.Set(stats.pool_size - stats.busy);
  size_.Set(stats.pool_size);
  waiting_.Set(stats.waiting);
  runtime::Follow(committed_, static_cast<double>(stats.committed));
  runtime::Follow(failed_, static_cast<double>(stats.failed));
  runtime::Follow(retried_, static_cast<double>(stats.retried));
  runtime::Follow(rejected_, static_cast<double>(stats.rejected));
  runtime::Follow(opened_, static_cast<double>(stats.connected));
}

}  // namespace paymesh::pg
