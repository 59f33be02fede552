#include "common/pg/connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace paymesh::pg {
namespace {

// A session the rest of the code can rely on, whatever the role's or the server's defaults are.
std::string SessionSettings(const DatabaseOptions& options) {
  return "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex';"
         "SET client_min_messages = 'warning'; SET standard_conforming_strings = on;"
         "SET synchronous_commit = on;"
         "SET statement_timeout = " +
         std::to_string(options.statement_timeout.count()) +
         ";"
         "SET lock_timeout = " +
         std::to_string(options.lock_timeout.count()) +
         ";"
         "SET idle_in_transaction_session_timeout = 60000;"
         // Stored messages are of the size that gets compressed: half the time of the default
         // method for the same size, where the server has it.
         "SELECT set_config('default_toast_compression', 'lz4', false) FROM pg_settings"
         " WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals);"
         "SELECT pg_is_in_recovery() AS standby";
}

std::string BeginStatement(const TransactOptions& options, const DatabaseOptions& database) {
  std::string sql = "BEGIN";
  if (options.isolation == Isolation::kRepeatableRead) sql += " ISOLATION LEVEL REPEATABLE READ";
  if (options.isolation == Isolation::kSerializable) sql += " ISOLATION LEVEL SERIALIZABLE";
  if (options.access == Access::kReadOnly) sql += " READ ONLY";
  if (options.deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        *options.deadline - std::chrono::steady_clock::now());
    const std::int64_t limit = std::max<std::int64_t>(1, left.count());
    const std::int64_t normal = database.statement_timeout.count();
    if (normal == 0 || limit < normal) {
      sql += "; SET LOCAL statement_timeout = " + std::to_string(limit);
    }
  }
  return sql;
}

std::string Field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

}  // namespace

Connection::~Connection() { Close(); }

void Connection::Close() {
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
  by_text_.clear();
  prepared_.clear();
  stale_ = false;
}

Status Connection::Open() {
  if (stale_ || (connection_ != nullptr && PQstatus(connection_) != CONNECTION_OK)) Close();
  if (connection_ != nullptr) return {};
  const std::string timeout =
      std::to_string(std::max<std::int64_t>(2, options_.connect_timeout.count() / 1000));
  // Later keywords win, so what conninfo says goes before our defaults. A peer that vanishes
  // without a word is noticed in about 15 s.
  const std::array<const char*, 9> keys{
      "connect_timeout",  "keepalives_idle",  "keepalives_interval",
      "keepalives_count", "tcp_user_timeout", "fallback_application_name",
      "client_encoding",  "dbname",           nullptr};
  const std::array<const char*, 9> values{timeout.c_str(),
                                          "5",
                                          "5",
                                          "2",
                                          "15000",
                                          options_.application_name.c_str(),
                                          "UTF8",
                                          options_.conninfo.c_str(),
                                          nullptr};
  connection_ = PQconnectdbParams(keys.data(), values.data(), 1);
  try {
    if (PQstatus(connection_) != CONNECTION_OK) {
      throw SqlError(std::string(kConnectionLost), PQerrorMessage(connection_));
    }
    const Rows rows = Script(SessionSettings(options_));
    if (rows.front().Get<bool>("standby")) {
      throw SqlError(std::string(kConnectionLost), "the server is a standby");
    }
  } catch (const SqlError& error) {
    Log("connect: " + std::string(error.what()));
    Close();
    return Error::Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached now",
                              std::chrono::milliseconds(500));
  }
  return {};
}

Outcome Connection::RunOnce(const TransactOptions& options, const Work& work) {
  Status opened = Open();
  if (!opened.ok()) return {opened, Ending::kRolledBack};
  Transaction tx(*this);
  try {
    Begin(options);
    return Finish(tx, options, work);
  } catch (const SqlError& error) {
    Rollback();
    return Failed(error, options);
  } catch (const std::exception& error) {
    // A bug in the function; it must not take the thread with it.
    Rollback();
    Log(std::string(options.name) + ": " + error.what());
    return {Error::Internal("a transaction failed"), Ending::kFinal};
  }
}

Outcome Connection::Finish(Transaction& tx, const TransactOptions& options, const Work& work) {
  Status status = work(tx);
  if (!status.ok()) {
    Rollback();
    return {status, Ending::kFinal};
  }
  tx.RunHooks();
  Outcome outcome = Commit(options);
  if (outcome.status.ok()) tx.RunCommitted();
  return outcome;
}

Outcome Connection::Commit(const TransactOptions& options) {
  PGresult* result = PQexec(connection_, "COMMIT");
  const bool lost = PQstatus(connection_) != CONNECTION_OK;
  if (PQresultStatus(result) == PGRES_COMMAND_OK) {
    const bool committed = std::string_view(PQcmdStatus(result)) == "COMMIT";
    PQclear(result);
    if (committed) return {};
    // The function swallowed the error of a statement; the server has rolled back.
    Log(std::string(options.name) + ": COMMIT of a failed transaction");
    return {Error::Internal("a transaction failed"), Ending::kFinal};
  }
  const SqlError error(Field(result, PG_DIAG_SQLSTATE), PQerrorMessage(connection_),
                       Field(result, PG_DIAG_CONSTRAINT_NAME));
  PQclear(result);
  if (!lost && !error.connection_lost()) return Failed(error, options);
  Log(std::string(options.name) + ": connection lost during COMMIT: " + error.what());
  Close();
  return {Error::Unavailable("COMMIT_UNKNOWN",
                             "the database did not say whether the change was made; ask again"),
          Ending::kUnknown, std::string(kConnectionLost)};
}

Outcome Connection::Failed(const SqlError& error, const TransactOptions& options) {
  const bool again = error.connection_lost() || error.conflict();
  if (error.connection_lost()) Close();
  Error mapped = ToError(error);
  if (error.connection_lost() || mapped.code == ErrorCode::kInternal) {
    Log(std::string(options.name) + ": " + error.sqlstate() + " " + error.what());
  }
  return {std::move(mapped), again ? Ending::kRolledBack : Ending::kFinal, error.sqlstate()};
}

void Connection::Begin(const TransactOptions& options) {
  Script(BeginStatement(options, options_));
}

void Connection::Rollback() {
  if (connection_ == nullptr || PQtransactionStatus(connection_) == PQTRANS_IDLE) return;
  PQclear(PQexec(connection_, "ROLLBACK"));
  if (PQtransactionStatus(connection_) != PQTRANS_IDLE) Close();
}

Rows Connection::ExecuteParams(std::string_view sql, std::span<const Param> params) {
  const std::string& name = Prepare(sql, params.size());
  std::vector<const char*> values;
  std::vector<int> sizes, binary;
  for (const Param& param : params) {
    values.push_back(param.data());
    sizes.push_back(param.size());
    binary.push_back(param.binary() ? 1 : 0);
  }
  return Check(PQexecPrepared(connection_, name.c_str(), static_cast<int>(values.size()),
                              values.data(), sizes.data(), binary.data(), 0));
}

Rows Connection::Script(const std::string& sql) { return Check(PQexec(connection_, sql.c_str())); }

const std::string& Connection::Prepare(std::string_view sql, std::size_t params) {
  if (connection_ == nullptr) {
    throw SqlError(std::string(kConnectionLost), "the connection is closed");
  }
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    prepared_.splice(prepared_.begin(), prepared_, found->second);
    return prepared_.front().name;
  }
  if (prepared_.size() >= std::max<std::size_t>(1, options_.max_prepared)) {
    Script("DEALLOCATE " + prepared_.back().name);
    by_text_.erase(prepared_.back().sql);
    prepared_.pop_back();
  }
  Prepared entry{std::string(sql), "s" + std::to_string(next_name_++)};
  Check(PQprepare(connection_, entry.name.c_str(), entry.sql.c_str(), static_cast<int>(params),
                  nullptr));
  prepared_.push_front(std::move(entry));
  by_text_[prepared_.front().sql] = prepared_.begin();
  return prepared_.front().name;
}

Rows Connection::Check(PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return Rows(result);
  std::string state = Field(result, PG_DIAG_SQLSTATE);
  const std::string constraint = Field(result, PG_DIAG_CONSTRAINT_NAME);
  std::string message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = PQerrorMessage(connection_);
  PQclear(result);
  const bool lost = connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK;
  if (lost && !state.starts_with("57P")) state = kConnectionLost;
  // A migration changed a table under a cached plan: reconnect and run the transaction again.
  const bool stale_plan =
      (state == "0A000" && message.starts_with("cached plan")) || state == "26000";
  if (stale_plan) {
    stale_ = true;
    state = kSerializationFailure;
  }
  throw SqlError(std::move(state), message, constraint);
}

std::vector<std::string> Connection::TakeNotifications() {
  std::vector<std::string> payloads;
  if (connection_ == nullptr || PQconsumeInput(connection_) == 0) {
    throw SqlError(std::string(kConnectionLost), "the connection is lost");
  }
  while (PGnotify* notification = PQnotifies(connection_)) {
    payloads.emplace_back(notification->extra);
    PQfreemem(notification);
  }
  return payloads;
}

int Connection::socket() const { return connection_ == nullptr ? -1 : PQsocket(connection_); }

void Connection::Log(const std::string& message) const {
  if (options_.log) options_.log(message);
}

}  // namespace paymesh::pg
