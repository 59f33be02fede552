// A bounded pool of PostgreSQL connections, each on a thread of its own, and the one way to use it:
// Transact(options, fn) runs fn in a transaction there and resumes the caller where it was.
// Any thread. Close (or destroy) it after everything that uses it; it must outlive its coroutines.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "common/error/error.h"
#include "common/pg/database_options.h"
#include "common/pg/transaction.h"
#include "common/runtime/task.h"

namespace paymesh::pg {

class Pool;

class Database {
 public:
  // Starts the threads; they connect when first needed and reconnect by themselves, with jitter.
  // Each new connection is refused if the server is a standby.
  explicit Database(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs `fn`, a `Result<T>(Transaction&)`, on a pool thread: COMMIT if it returns ok, ROLLBACK if
  // it returns an error or throws. Returns its result, or
  //   UNAVAILABLE OVERLOADED            no room to wait, or the deadline passed while waiting
  //   UNAVAILABLE DATABASE_UNAVAILABLE  no connection
  //   UNAVAILABLE COMMIT_UNKNOWN        the connection broke during COMMIT and options.idempotent
  //                                     is false: it may or may not have happened
  //   and what sql_error.h lists.
  // A transaction that was surely rolled back (40001, 40P01, connection lost before COMMIT) is run
  // again, at most max_attempts times with jitter. So fn may run more than once: it is called as
  // const, and must set, not add to, what it captured by reference.
  // When the waiting coroutine is cancelled it sees operation_aborted at once, while the
  // transaction runs to its end and its result is dropped; so capture by value or by shared_ptr
  // what must outlive the call. Name the lambda before `co_await` (gcc 12).
  template <class Fn>
  auto Transact(TransactOptions options, Fn fn)
      -> Task<std::invoke_result_t<const Fn&, Transaction&>> {
    using R = std::invoke_result_t<const Fn&, Transaction&>;
    auto out = std::make_shared<std::optional<R>>();
    return Collect<R>(Run(options, Wrap<R>(std::move(fn), out)), out);
  }

  // The same for tools, tests and start-up: blocks the calling thread. Not from a pool thread.
  template <class Fn>
  auto TransactBlocking(TransactOptions options, Fn fn)
      -> std::invoke_result_t<const Fn&, Transaction&> {
    using R = std::invoke_result_t<const Fn&, Transaction&>;
    auto out = std::make_shared<std::optional<R>>();
    Status status = RunBlocking(options, Wrap<R>(std::move(fn), out));
    if (!status.ok()) return status.error();
    return *std::move(*out);
  }

  // What Transact is made of.
  Task<Status> Run(TransactOptions options, Work work);
  Status RunBlocking(TransactOptions options, Work work);

  // Waiting transactions end UNAVAILABLE; running ones finish; the threads are joined.
  void Close();

  DatabaseStats stats() const;
  const DatabaseOptions& options() const;

 private:
  template <class R, class Fn>
  static Work Wrap(Fn fn, std::shared_ptr<std::optional<R>> out) {
    auto shared = std::make_shared<const Fn>(std::move(fn));
    return [shared, out](Transaction& tx) -> Status {
      R result = (*shared)(tx);
      if (!result.ok()) return result.error();
      out->emplace(std::move(result));
      return {};
    };
  }
  template <class R>
  static Task<R> Collect(Task<Status> run, std::shared_ptr<std::optional<R>> out) {
    Status status = co_await std::move(run);
    if (!status.ok()) co_return R(status.error());
    co_return *std::move(*out);
  }

  std::shared_ptr<Pool> pool_;
};

// Start-up check of what durability rests on: fsync, full_page_writes and synchronous_commit are
// on, the server is a primary, PostgreSQL 13 or later, UTF-8. FAILED_PRECONDITION UNSAFE_SERVER
// names what is wrong.
Status CheckServer(Transaction& tx);

}  // namespace paymesh::pg
