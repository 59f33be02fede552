// Readers' side of the outboxes in one process: one LISTEN connection on a thread of its own, the
// recent entries in memory, shared by all readers. An idle reader costs the database nothing; a
// slow one costs nobody anything: it falls back to reading the table through the pool. Any thread.
// Must outlive its readers; Close ends their waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/outbox/hub/hub_options.h"
#include "common/runtime/task.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::outbox {

class HubState;

class Hub {
 public:
  // Reads through `database`; listens on a connection of its own to the same server.
  explicit Hub(pg::Database& database, HubOptions options = {});
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // What there is above `after`, at most `limit` entries; never waits for new ones.
  // FAILED_PRECONDITION POSITION_AHEAD as in append.h.
  Task<Result<Page>> Read(std::string outbox, std::int64_t after, int limit,
                          Filter filter = Filter::All());

  // The same, but when nothing matches, waits for something that does, at most `wait`; then the
  // page is empty. Resumes on the caller's executor; throws operation_aborted when cancelled.
  Task<Result<Page>> ReadOrWait(std::string outbox, std::int64_t after, int limit, Filter filter,
                                std::chrono::milliseconds wait);

  // True once the outbox's head is beyond `position`; false when `wait` has passed or the hub
  // closed.
  Task<bool> WaitBeyond(std::string outbox, std::int64_t position, std::chrono::milliseconds wait);

  // Waiting readers get UNAVAILABLE SHUTTING_DOWN.
  void Close();

  HubStats stats() const;

 private:
  std::shared_ptr<HubState> state_;
};

}  // namespace paymesh::outbox
