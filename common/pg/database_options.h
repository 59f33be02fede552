// How a database is reached and how a transaction is run: what the pool, its connections and
// Database share. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::runtime {
class Metrics;
}
namespace paymesh::trace {
class Tracer;
}

namespace paymesh::pg {

class Transaction;

// What runs in a transaction; it keeps its result to itself.
using Work = std::function<Status(Transaction&)>;

struct DatabaseOptions {
  std::string conninfo;  // as libpq takes it
  std::string application_name = "paymesh";
  int pool_size = 8;               // connections, and threads
  std::size_t max_waiting = 1024;  // transactions waiting for a connection; beyond: OVERLOADED
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::size_t max_prepared = 256;  // prepared statements a connection, least recently used go
  std::function<void(std::string_view message)> log = {};  // warnings; called on pool threads
  trace::Tracer* tracer = nullptr;      // for the spans of what outboxes say; outlives the database
  runtime::Metrics* metrics = nullptr;  // metrics.h; it outlives the pool
};

enum class Isolation { kReadCommitted, kRepeatableRead, kSerializable };
enum class Access { kReadWrite, kReadOnly };

// Trivially destructible on purpose: such a temporary is safe inside a co_await expression (gcc
// 12).
struct TransactOptions {
  const char* name = "transaction";  // a constant, for logs and metrics
  // Running the whole of fn again after it may already have committed does no harm (its effects are
  // guarded by a key, a revision or a cursor). Only then is an unknown COMMIT tried again.
  bool idempotent = false;
  Isolation isolation = Isolation::kReadCommitted;
  Access access = Access::kReadWrite;
  int max_attempts = 5;
  // Neither started nor tried again after this; statements get what remains as their timeout.
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
};

// Counters since the start, and gauges of now; for metrics.
struct DatabaseStats {
  std::uint64_t committed = 0, failed = 0, retried = 0, rejected = 0, connected = 0, lost = 0;
  int busy = 0, waiting = 0, pool_size = 0;
};

}  // namespace paymesh::pg
