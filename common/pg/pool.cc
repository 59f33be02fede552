#include "common/pg/pool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/pg/sql/sql_error.h"
#include "common/runtime/backoff.h"

namespace paymesh::pg {
namespace {

constexpr runtime::Backoff kReconnect{std::chrono::milliseconds(50),
                                      std::chrono::milliseconds(800)};
constexpr runtime::Backoff kRetry{std::chrono::milliseconds(10), std::chrono::milliseconds(640)};

Error ShuttingDown() { return Error::Unavailable("SHUTTING_DOWN", "the service is stopping"); }

Error Overloaded(const char* message) {
  return Error::Unavailable("OVERLOADED", message, std::chrono::milliseconds(100));
}

bool Passed(const TransactOptions& options) {
  return options.deadline && std::chrono::steady_clock::now() >= *options.deadline;
}

}  // namespace

Pool::Pool(DatabaseOptions options)
    : options_(std::move(options)),
      metrics_(options_.metrics == nullptr ? nullptr
                                           : std::make_unique<DatabaseMetrics>(*options_.metrics)) {
  const int size = std::clamp(options_.pool_size, 1, 256);
  stats_.pool_size = size;
  for (int i = 0; i < size; ++i) threads_.emplace_back([this] { RunThread(); });
}

void Pool::Submit(TransactOptions options, Work work, Done done) {
  std::optional<Error> refused;
  {
    std::lock_guard lock(mutex_);
    if (closed_) {
      refused = ShuttingDown();
    } else if (queue_.size() >= options_.max_waiting) {
      ++stats_.rejected;
      refused = Overloaded("too many transactions are waiting for the database");
    } else {
      queue_.push_back({options, std::move(work), std::move(done)});
    }
  }
  if (refused) {
    done(*refused);
    return;
  }
  wake_.notify_one();
}

void Pool::Close() {
  std::deque<Job> left;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    left.swap(queue_);
  }
  wake_.notify_all();
  for (Job& job : left) job.done(ShuttingDown());
  for (std::thread& thread : threads_) thread.join();
}

DatabaseStats Pool::stats() const {
  std::lock_guard lock(mutex_);
  DatabaseStats stats = stats_;
  stats.waiting = static_cast<int>(queue_.size());
  return stats;
}

void Pool::RunThread() {
  Worker worker(options_);
  Job job;
  while (Next(job)) {
    const auto started = Clock::now();
    Status status = Perform(worker, job);
    Count(status);
    if (metrics_) Measure(job, started);
    // The work goes first: it may hold the last reference to something the waiter will destroy.
    job.work = nullptr;
    Done done = std::exchange(job.done, nullptr);
    done(std::move(status));
  }
}

bool Pool::Next(Job& job) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
  if (queue_.empty()) return false;
  job = std::move(queue_.front());
  queue_.pop_front();
  ++stats_.busy;
  return true;
}

void Pool::Count(const Status& status) {
  std::lock_guard lock(mutex_);
  --stats_.busy;
  ++(status.ok() ? stats_.committed : stats_.failed);
}

void Pool::Measure(const Job& job, Clock::time_point started) {
  metrics_->Waited(started - job.submitted);
  metrics_->Ran(job.options.name, Clock::now() - started);
}

Status Pool::Perform(Worker& worker, const Job& job) {
  if (Passed(job.options)) {
    std::lock_guard lock(mutex_);
    ++stats_.rejected;
    return Overloaded("the time ran out while waiting for the database");
  }
  for (int attempt = 1;; ++attempt) {
    Outcome outcome = Attempt(worker, job);
    const bool again = outcome.ending == Ending::kRolledBack ||
                       (outcome.ending == Ending::kUnknown && job.options.idempotent);
    if (!again || attempt >= job.options.max_attempts) return outcome.status;
    if (!Pause(worker, job, attempt)) return outcome.status;
  }
}

Outcome Pool::Attempt(Worker& worker, const Job& job) {
  const bool was_open = worker.connection.open();
  if (!was_open && Clock::now() < worker.no_connect_before) {
    // A server that is starting again is not met by a storm of connections.
    return {Error::Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached now",
                               std::chrono::milliseconds(500)),
            Ending::kRolledBack};
  }
  Status opened = worker.connection.Open();
  if (!opened.ok()) {
    ++worker.failed_connects;
    worker.no_connect_before =
        Clock::now() + kReconnect.Wait(worker.failed_connects, worker.random);
    if (metrics_) metrics_->Failed(kConnectionLost);
    return {opened, Ending::kRolledBack};
  }
  worker.failed_connects = 0;
  Outcome outcome = worker.connection.RunOnce(job.options, job.work);
  if (metrics_ && !outcome.sqlstate.empty()) metrics_->Failed(outcome.sqlstate);
  std::lock_guard lock(mutex_);
  if (!was_open) ++stats_.connected;
  if (!worker.connection.open()) ++stats_.lost;
  return outcome;
}

// Before attempt + 1. False when there is no time for it.
bool Pool::Pause(Worker& worker, const Job& job, int attempt) {
  const auto until = Clock::now() + kRetry.Wait(attempt, worker.random);
  if (job.options.deadline && until >= *job.options.deadline) return false;
  std::unique_lock lock(mutex_);
  ++stats_.retried;
  // A pool that closes ends the pause, and with it the tries.
  return !wake_.wait_until(lock, until, [this] { return closed_; });
}

}  // namespace paymesh::pg
