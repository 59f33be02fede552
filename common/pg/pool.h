// The threads behind Database: a bounded queue of transactions, each thread with one connection.
// Internal to common/pg. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "common/pg/connection.h"
#include "common/pg/database_options.h"
#include "common/pg/metrics.h"

namespace paymesh::pg {

class Pool {
 public:
  using Done = std::function<void(Status)>;

  explicit Pool(DatabaseOptions options);
  ~Pool() { Close(); }

  // `done` is called once: here when the work is refused, else on the thread that ran it.
  void Submit(TransactOptions options, Work work, Done done);
  void Close();
  DatabaseStats stats() const;
  const DatabaseOptions& options() const { return options_; }
  DatabaseMetrics* metrics() { return metrics_.get(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    TransactOptions options;
    Work work;
    Done done;
    Clock::time_point submitted = Clock::now();
  };
  // What one thread keeps between transactions.
  struct Worker {
    explicit Worker(const DatabaseOptions& options)
        : connection(options), random(std::random_device{}()) {}
    Connection connection;
    std::minstd_rand random;
    Clock::time_point no_connect_before{};
    int failed_connects = 0;
  };

  void RunThread();
  bool Next(Job& job);
  Status Perform(Worker& worker, const Job& job);
  Outcome Attempt(Worker& worker, const Job& job);
  bool Pause(Worker& worker, const Job& job, int attempt);
  void Count(const Status& status);
  void Measure(const Job& job, Clock::time_point started);

  const DatabaseOptions options_;
  const std::unique_ptr<DatabaseMetrics> metrics_;  // null: nothing is measured
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  DatabaseStats stats_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace paymesh::pg
