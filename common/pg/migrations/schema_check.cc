#include "common/pg/migrations/schema_check.h"

#include "common/pg/database.h"

namespace paymesh::pg {

SchemaCheck::SchemaCheck(Database& database, std::vector<Migration> migrations,
                         runtime::Metrics& metrics)
    : database_(database),
      migrations_(std::move(migrations)),
      applied_(metrics.Gauge("db_schema_version", "The newest migration in the database.")) {
  auto& known = metrics.Gauge("db_schema_version_known", "The newest migration of the program.");
  if (!migrations_.empty()) known.Set(migrations_.back().version);
}

Task<Status> SchemaCheck::Run() {
  auto check = [this](Transaction& tx) -> Result<int> {
    RETURN_IF_ERROR(RequireSchema(tx, migrations_));
    return SchemaVersion(tx);
  };
  const TransactOptions options{.name = "ready", .idempotent = true, .access = Access::kReadOnly};
  auto run = database_.Transact(options, check);
  const Result<int> version = co_await std::move(run);
  if (!version.ok()) co_return version.error();
  applied_.Set(*version);
  co_return Status();
}

}  // namespace paymesh::pg
