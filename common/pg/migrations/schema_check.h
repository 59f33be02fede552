// Readiness of a service over its database: it answers, and the schema is what the program needs.
// Shows both sides as db_schema_version (applied) and db_schema_version_known (the program's
// newest): they differ while a rollout is under way, and for long only when one is stuck. Any
// thread.
#pragma once

#include <vector>

#include "common/pg/migrations/migrations.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"

namespace paymesh::pg {

class Database;

class SchemaCheck {
 public:
  // `database` and `metrics` outlive this.
  SchemaCheck(Database& database, std::vector<Migration> migrations, runtime::Metrics& metrics);

  // RequireSchema's answer, or the database's.
  Task<Status> Run();

 private:
  Database& database_;
  const std::vector<Migration> migrations_;
  prometheus::Gauge& applied_;
};

}  // namespace paymesh::pg
