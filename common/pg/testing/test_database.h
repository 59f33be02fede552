// For tests: a database of its own on the server that PAYMESH_TEST_PG names, dropped at the end.
// Aborts with a message when there is no server, so a test never passes by not running.
// Any thread, but for its end.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/pg/database.h"
#include "common/pg/migrations/migrations.h"

namespace paymesh::pg {

// The libraries' own tables (versions 1..9), as every service has them.
const std::vector<Migration>& CommonMigrations();

class TestDatabase {
 public:
  // Creates `test_<random>` and applies the migrations.
  explicit TestDatabase(const std::vector<Migration>& migrations = CommonMigrations());
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& conninfo() const { return conninfo_; }
  // A pool on it, made on first use.
  Database& database();
  // A script without rows, on a connection of its own; aborts on failure.
  void Exec(const std::string& sql);
  // A query of one value, as text; "" for NULL or none: Query("SELECT count(*) FROM payment").
  std::string Query(const std::string& sql);
  // Ends all connections of programs (application_name paymesh...) to this database, as a crash of
  // the server would.
  void KillConnections();

 private:
  std::string name_;
  std::string conninfo_;
  std::mutex mutex_;
  std::unique_ptr<Database> database_;
};

}  // namespace paymesh::pg
