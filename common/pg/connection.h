// One connection to PostgreSQL: opens it with our settings, caches prepared statements, runs one
// transaction and says how it ended. Internal to common/pg and common/outbox.
// One thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/error/error.h"
#include "common/pg/database_options.h"
#include "common/pg/session.h"
#include "common/pg/transaction.h"

struct pg_conn;

namespace paymesh::pg {

// How one run of a transaction ended.
enum class Ending {
  kFinal,       // committed, or refused for a reason that another run would meet again
  kRolledBack,  // surely undone, and worth another run
  kUnknown,     // COMMIT was sent and its answer never came
};
struct Outcome {
  Status status;
  Ending ending = Ending::kFinal;
  std::string sqlstate = {};  // of the statement that failed, if one did
};

class Connection final : public Session {
 public:
  explicit Connection(const DatabaseOptions& options) : options_(options) {}
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects unless connected. UNAVAILABLE DATABASE_UNAVAILABLE, also when it is a standby.
  Status Open();
  void Close();
  bool open() const { return connection_ != nullptr; }
  trace::Tracer* tracer() const override { return options_.tracer; }

  Outcome RunOnce(const TransactOptions& options, const Work& work);

  // For Transaction and the outbox's listener; throw SqlError.
  Rows ExecuteParams(std::string_view sql, std::span<const Param> params) override;
  Rows Script(const std::string& sql) override;
  // The newest position of each notification that has arrived; never blocks.
  std::vector<std::string> TakeNotifications();
  int socket() const;

 private:
  Outcome Finish(Transaction& tx, const TransactOptions& options, const Work& work);
  Outcome Commit(const TransactOptions& options);
  Outcome Failed(const SqlError& error, const TransactOptions& options);
  void Begin(const TransactOptions& options);
  void Rollback();
  const std::string& Prepare(std::string_view sql, std::size_t params);
  Rows Check(pg_result* result);
  void Log(const std::string& message) const;

  struct Prepared {
    std::string sql;
    std::string name;
  };
  const DatabaseOptions& options_;
  pg_conn* connection_ = nullptr;
  std::list<Prepared> prepared_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Prepared>::iterator> by_text_;
  std::uint64_t next_name_ = 0;
  bool stale_ = false;  // a cached plan no longer fits the schema: start afresh
};

}  // namespace paymesh::pg
