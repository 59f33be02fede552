#include "common/pg/metrics.h"

#include "common/pg/database.h"
#include "common/runtime/metrics.h"

namespace paymesh::pg {
namespace {

// Our totals only grow, so the counter follows by the difference.
void Follow(prometheus::Counter& counter, std::uint64_t total) {
  const double more = static_cast<double>(total) - counter.Value();
  if (more > 0) counter.Increment(more);
}

}  // namespace

void ExportDatabase(runtime::Metrics& metrics, const Database& database) {
  constexpr char kTransactions[] = "db_transactions_total";
  constexpr char kHelp[] = "Transactions by how they ended; retried counts further attempts.";
  auto& busy = metrics.Gauge("db_pool_connections", "Connections by state.", {{"state", "busy"}});
  auto& idle = metrics.Gauge("db_pool_connections", "Connections by state.", {{"state", "idle"}});
  auto& size = metrics.Gauge("db_pool_connections_max", "Connections the pool may have.");
  auto& waiting = metrics.Gauge("db_pool_waiting", "Transactions waiting for a connection.");
  auto& committed = metrics.Counter(kTransactions, kHelp, {{"outcome", "committed"}});
  auto& failed = metrics.Counter(kTransactions, kHelp, {{"outcome", "failed"}});
  auto& retried = metrics.Counter(kTransactions, kHelp, {{"outcome", "retried"}});
  auto& rejected = metrics.Counter(kTransactions, kHelp, {{"outcome", "rejected"}});
  auto& opened = metrics.Counter("db_connections_opened_total", "Connections made.");
  metrics.OnCollect([&] {
    const DatabaseStats stats = database.stats();
    busy.Set(stats.busy);
    idle.Set(stats.pool_size - stats.busy);
    size.Set(stats.pool_size);
    waiting.Set(stats.waiting);
    Follow(committed, stats.committed);
    Follow(failed, stats.failed);
    Follow(retried, stats.retried);
    Follow(rejected, stats.rejected);
    Follow(opened, stats.connected);
  });
}

void ExportSchemaVersion(runtime::Metrics& metrics, int version) {
  metrics.Gauge("db_schema_version", "The newest applied migration.").Set(version);
}

}  // namespace paymesh::pg
