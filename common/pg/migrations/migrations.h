// Schema migrations: numbered SQL files embedded in the program, applied once each and in order,
// with the checksum of what was applied kept in `schema_migrations`. An applied file that has
// changed since is refused.
//
// A service's list is made by CMake (see README.md of this folder):
//   paymesh_migrations(NAME checkout DIR migrations)   gives   paymesh::checkout_migrations
//   #include "migrations/checkout.h"                   gives   paymesh::CheckoutMigrations()
// Versions 1..9 are common ones, put in front of every list (pg: 1..4, outbox: 5..9); a service's
// own files begin at 0010. Each runs in the one transaction of the whole list, so none may use
// CREATE INDEX CONCURRENTLY or begin a transaction.
// Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"

namespace paymesh::pg {

struct Migration {
  int version = 0;
  std::string_view name;  // "payment" of 0010_payment.sql
  std::string_view sql;
};

struct MigrationReport {
  int version = 0;           // of the schema now
  std::vector<int> applied;  // by this run
};

// Brings the database up to date in one transaction under a transaction-scoped advisory lock, so
// that any number may run at once. Needs a connection without the pool's statement_timeout, so it
// makes its own. FAILED_PRECONDITION:
//   MIGRATION_TAMPERED  an applied migration has another checksum or name now
//   MIGRATION_UNKNOWN   the database has a version that this program does not know (a newer program
//                       was here) between or below those it knows; newer versions on top are
//                       accepted
//   MIGRATION_ORDER     the list is not strictly ascending, or a version below the newest is
//                       missing
//   MIGRATION_FAILED    the SQL of one failed; the message names version and SQLSTATE
Result<MigrationReport> Migrate(const std::string& conninfo,
                                const std::vector<Migration>& migrations);

// The newest applied version, 0 without any: exported as the schema-version gauge.
int SchemaVersion(Transaction& tx);

// Readiness: everything this program knows is applied, unchanged. FAILED_PRECONDITION SCHEMA_OLD or
// MIGRATION_TAMPERED. A database that is newer is fine (expand, then contract).
Status RequireSchema(Transaction& tx, const std::vector<Migration>& migrations);

}  // namespace paymesh::pg
