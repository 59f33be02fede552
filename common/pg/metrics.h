// The pool's metrics: db_pool_connections{state}, db_pool_connections_max, db_pool_waiting,
// db_transactions_total{outcome}, db_connections_opened_total, db_schema_version.
// Any thread.
#pragma once

namespace paymesh::runtime {
class Metrics;
}

namespace paymesh::pg {

class Database;

// Read at each collection; `database` must outlive `metrics`' last Render.
void ExportDatabase(runtime::Metrics& metrics, const Database& database);
// After migration or a readiness check.
void ExportSchemaVersion(runtime::Metrics& metrics, int version);

}  // namespace paymesh::pg
