#include "common/pg/migrations/migrations.h"

#include <algorithm>
#include <map>

#include "common/pg/connection.h"

namespace paymesh::pg {
namespace {

constexpr int kFirstOwnVersion = 10;  // below are the libraries' common ones

// Any constant will do; all programs that migrate must share it.
constexpr char kLock[] = "SELECT pg_advisory_xact_lock(7290118, 1)";
constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version int PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
    " apply_time timestamptz NOT NULL DEFAULT clock_timestamp())";
constexpr char kTableExists[] = "SELECT to_regclass('schema_migrations') IS NOT NULL AS found";
// The server computes the checksums, so no program needs a hash library for it.
constexpr char kCompare[] =
    "SELECT coalesce(m.version, k.version) AS version, m.version IS NOT NULL AS applied,"
    " k.version IS NOT NULL AS known, coalesce(m.name = k.name AND"
    " m.checksum = encode(sha256(convert_to(k.sql, 'UTF8')), 'hex'), false) AS same"
    " FROM schema_migrations m"
    " FULL JOIN unnest($1::int[], $2::text[], $3::text[]) AS k (version, name, sql)"
    " USING (version) ORDER BY 1";
constexpr char kRecord[] =
    "INSERT INTO schema_migrations (version, name, checksum)"
    " VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))";

Error Refused(const char* reason, int version, const std::string& why) {
  return Error::FailedPrecondition(reason, "migration " + std::to_string(version) + " " + why);
}

struct Found {
  int version;
  bool applied, known, same;
};

std::vector<Found> Compare(Transaction& tx, const std::vector<Migration>& migrations) {
  std::vector<int> versions;
  std::vector<std::string> names, texts;
  for (const Migration& migration : migrations) {
    versions.push_back(migration.version);
    names.emplace_back(migration.name);
    texts.emplace_back(migration.sql);
  }
  std::vector<Found> found;
  for (const Row row : tx.Execute(kCompare, versions, names, texts)) {
    found.push_back({row.Get<int>("version"), row.Get<bool>("applied"), row.Get<bool>("known"),
                     row.Get<bool>("same")});
  }
  return found;
}

Status CheckList(const std::vector<Migration>& migrations) {
  int last = 0;
  for (const Migration& migration : migrations) {
    if (migration.version <= last) {
      return Refused("MIGRATION_ORDER", migration.version, "is out of order in the program's list");
    }
    last = migration.version;
  }
  return {};
}

Status CheckApplied(const std::vector<Found>& found, int newest_known) {
  int newest_applied = 0;
  for (const Found& one : found) {
    if (one.applied) newest_applied = one.version;
  }
  for (const Found& one : found) {
    if (one.applied && one.known && !one.same) {
      return Refused("MIGRATION_TAMPERED", one.version, "is not what was applied");
    }
    if (one.applied && !one.known && one.version < newest_known) {
      return Refused("MIGRATION_UNKNOWN", one.version, "was applied and is not known here");
    }
    if (!one.applied && one.version < newest_applied && one.version >= kFirstOwnVersion) {
      return Refused("MIGRATION_ORDER", one.version, "is older than what was applied already");
    }
  }
  return {};
}

Status Apply(Transaction& tx, const Migration& migration) {
  try {
    tx.Script(std::string(migration.sql));
    tx.Execute(kRecord, migration.version, migration.name, migration.sql);
    return {};
  } catch (const SqlError& error) {
    // For the operator who runs it: the server's own words help, and hold no user's data.
    return Refused("MIGRATION_FAILED", migration.version,
                   "failed: " + error.sqlstate() + " " + error.what());
  }
}

Result<MigrationReport> ApplyMissing(Transaction& tx, const std::vector<Migration>& migrations) {
  tx.Execute(kLock);
  tx.Script(kTable);
  const std::vector<Found> found = Compare(tx, migrations);
  RETURN_IF_ERROR(CheckApplied(found, migrations.empty() ? 0 : migrations.back().version));
  MigrationReport report;
  for (const Migration& migration : migrations) {
    const bool applied = std::any_of(found.begin(), found.end(), [&](const Found& one) {
      return one.version == migration.version && one.applied;
    });
    if (applied) continue;
    RETURN_IF_ERROR(Apply(tx, migration));
    report.applied.push_back(migration.version);
  }
  report.version = SchemaVersion(tx);
  return report;
}

}  // namespace

Result<MigrationReport> Migrate(const std::string& conninfo,
                                const std::vector<Migration>& migrations) {
  RETURN_IF_ERROR(CheckList(migrations));
  DatabaseOptions options;
  options.conninfo = conninfo;
  options.application_name = "paymesh-migrate";
  options.statement_timeout = std::chrono::milliseconds(0);
  options.lock_timeout = std::chrono::milliseconds(0);
  Connection connection(options);
  MigrationReport report;
  const auto work = [&](Transaction& tx) -> Status {
    ASSIGN_OR_RETURN(report, ApplyMissing(tx, migrations));
    return {};
  };
  const Outcome outcome = connection.RunOnce({.name = "migrate"}, work);
  if (!outcome.status.ok()) return outcome.status.error();
  return report;
}

int SchemaVersion(Transaction& tx) {
  if (!tx.Execute(kTableExists).front().Get<bool>("found")) return 0;
  return tx.Execute("SELECT coalesce(max(version), 0) AS version FROM schema_migrations")
      .front()
      .Get<int>("version");
}

Status RequireSchema(Transaction& tx, const std::vector<Migration>& migrations) {
  if (!tx.Execute(kTableExists).front().Get<bool>("found")) {
    return Error::FailedPrecondition("SCHEMA_OLD", "the database has no schema yet");
  }
  for (const Found& one : Compare(tx, migrations)) {
    if (!one.known) continue;
    if (!one.applied) return Refused("SCHEMA_OLD", one.version, "is not applied yet");
    if (!one.same) return Refused("MIGRATION_TAMPERED", one.version, "is not what was applied");
  }
  return {};
}

}  // namespace paymesh::pg
