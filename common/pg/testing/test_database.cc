#include "common/pg/testing/test_database.h"

#include <cstdio>
#include <cstdlib>
#include <random>

#include "common/pg/connection.h"
#include "migrations/common.h"

namespace paymesh::pg {
namespace {

[[noreturn]] void GiveUp(const std::string& why) {
  std::fprintf(stderr, "TestDatabase: %s\n", why.c_str());
  std::abort();
}

std::string ServerConninfo() {
  const char* text = std::getenv("PAYMESH_TEST_PG");
  if (text == nullptr || *text == '\0') {
    GiveUp("PAYMESH_TEST_PG must name a PostgreSQL server for tests (a libpq conninfo)");
  }
  return text;
}

// Outside any transaction, for CREATE DATABASE.
Rows RunScript(const std::string& conninfo, const std::string& sql) {
  DatabaseOptions options;
  options.conninfo = conninfo;
  options.application_name = "test-script";
  options.statement_timeout = std::chrono::milliseconds(60'000);
  options.lock_timeout = std::chrono::milliseconds(60'000);
  std::string log;
  options.log = [&log](std::string_view message) { log = message; };
  for (int attempt = 1;; ++attempt) {
    Connection connection(options);
    if (!connection.Open().ok()) GiveUp("cannot connect: " + log);
    try {
      return connection.Script(sql);
    } catch (const SqlError& error) {
      // A test that kills connections may hit a script's own, too.
      const bool killed = error.connection_lost() && attempt < 5;
      if (!killed) GiveUp(sql + ": " + error.what());
    }
  }
}

std::string RandomName() {
  std::random_device device;
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "test_%08x%08x", device(), device());
  return buffer;
}

}  // namespace

const std::vector<Migration>& CommonMigrations() { return paymesh::CommonMigrations(); }

TestDatabase::TestDatabase(const std::vector<Migration>& migrations)
    : name_(RandomName()), conninfo_(ServerConninfo() + " dbname=" + name_) {
  RunScript(ServerConninfo(), "CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
  const Result<MigrationReport> report = Migrate(conninfo_, migrations);
  if (!report.ok()) GiveUp(report.error().ToString());
}

TestDatabase::~TestDatabase() {
  database_.reset();
  RunScript(ServerConninfo(), "DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
}

Database& TestDatabase::database() {
  std::lock_guard lock(mutex_);
  if (!database_) {
    DatabaseOptions options;
    options.conninfo = conninfo_;
    options.application_name = "paymesh-test";
    options.log = [](std::string_view message) {
      std::fprintf(stderr, "database: %.*s\n", static_cast<int>(message.size()), message.data());
    };
    database_ = std::make_unique<Database>(std::move(options));
  }
  return *database_;
}

void TestDatabase::Exec(const std::string& sql) { RunScript(conninfo_, sql); }

std::string TestDatabase::Query(const std::string& sql) {
  const Rows rows = RunScript(conninfo_, "SELECT (" + sql + ")::text AS value");
  if (rows.empty()) return "";
  return rows.front().Get<std::optional<std::string>>("value").value_or("");
}

// Not those of other scripts, which run in the middle of a test's own checks.
void TestDatabase::KillConnections() {
  Exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
      " WHERE datname = current_database() AND application_name LIKE 'paymesh%'");
}

}  // namespace paymesh::pg
