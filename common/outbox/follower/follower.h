// The reader's side, for services that act on a peer's outbox: open the stream after our cursor,
// gather what has arrived, and in one transaction apply it and move the cursor. Exactly-once
// effects: the cursor moves only from where this follower stood (UPDATE ... WHERE position = old),
// so a crash, an unknown COMMIT or a second replica neither skips nor repeats anything. What is
// applied for a recorded trace has a span (spans.h). Run: one coroutine. stats: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "common/runtime/task.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::outbox {

// One open stream of a peer. A thin adapter over the generated client; tests make their own.
class Source {
 public:
  virtual ~Source() = default;
  // The next entry; nullopt when the peer ended the stream well (open again).
  virtual Task<Result<std::optional<Entry>>> Read() = 0;
  // Any thread: makes a Read in progress, and every later one, return soon.
  virtual void Cancel() = 0;
};
using OpenSource = std::function<Task<Result<std::unique_ptr<Source>>>(std::int64_t after)>;

// The effects, in the transaction that also moves the cursor. Runs on a database thread, maybe more
// than once for the same entries (a retried transaction). An error rolls back, and the entries come
// again, fewer at a time, with growing pauses, for ever: nothing is skipped.
using ApplyEntries = std::function<Status(pg::Transaction&, const std::vector<Entry>&)>;

struct FollowerOptions {
  std::string name;                 // the cursor's key: "checkout<-watcher.transfers"
  std::size_t max_batch = 256;      // entries a transaction
  std::size_t max_buffered = 1024;  // entries read ahead of the database
  // Positions follow one another without gaps: true unless the stream is filtered.
  bool dense = true;
  std::chrono::milliseconds min_backoff{50};
  std::chrono::milliseconds max_backoff{5'000};
  // Another replica moved the cursor: wait this long before looking again.
  std::chrono::milliseconds contended_backoff{2'000};
  std::function<void(std::string_view message)> log = {};
};

struct FollowerStats {
  std::int64_t position = 0;   // the cursor as last seen
  pg::Time last_entry_time{};  // create_time of the last applied entry; lag = now - this
  std::uint64_t applied = 0;   // entries
  std::uint64_t batches = 0;
  std::uint64_t opened = 0;     // streams
  std::uint64_t contended = 0;  // times another replica had the cursor
  std::size_t buffered = 0;     // read and waiting when the batch at hand was taken
  int failed_attempts = 0;      // in a row, of the batch at hand; > 2: stalled
  bool connected = false;
};

class Follower {
 public:
  Follower(pg::Database& database, FollowerOptions options, OpenSource open, ApplyEntries apply);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Until cancelled (operation_aborted).
  Task<void> Run();
  FollowerStats stats() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// A follower's cursor, 0 when it has none. For tests and for payctl's repair commands.
std::int64_t Cursor(pg::Transaction& tx, std::string_view follower);

}  // namespace paymesh::outbox
