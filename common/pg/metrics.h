// A pool's metrics: db_pool_connections{state}, db_pool_connections_max, db_pool_waiting,
// db_pool_wait_seconds, db_transaction_seconds{name}, db_transactions_total{outcome},
// db_errors_total{sqlstate_class}, db_connections_opened_total. Statements have no names, so what
// is timed are transactions, which are named in code. Any thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "common/runtime/metrics.h"

namespace paymesh::pg {

struct DatabaseStats;

class DatabaseMetrics {
 public:
  explicit DatabaseMetrics(runtime::Metrics& metrics);

  // From being handed in to having a connection.
  void Waited(std::chrono::duration<double> time) { wait_.Observe(time.count()); }
  // From there to its end, with all attempts. `name` is a constant of the program.
  void Ran(const char* name, std::chrono::duration<double> time);
  void Failed(std::string_view sqlstate);
  // At each collection.
  void Show(const DatabaseStats& stats);

 private:
  runtime::Metrics& metrics_;
  prometheus::Histogram& wait_;
  std::map<std::string, prometheus::Counter*, std::less<>> errors_;  // by class
  prometheus::Gauge& busy_;
  prometheus::Gauge& idle_;
  prometheus::Gauge& size_;
  prometheus::Gauge& waiting_;
  prometheus::Counter& committed_;
  prometheus::Counter& failed_;
  prometheus::Counter& retried_;
  prometheus::Counter& rejected_;
  prometheus::Counter& opened_;
  std::mutex mutex_;
  std::map<const char*, prometheus::Histogram*> transactions_;  // guarded by mutex_
};

}  // namespace paymesh::pg
