#include "common/pg/audit.h"

namespace paymesh::pg {

void Audit(Transaction& tx, std::string_view actor, std::string_view action,
           std::string_view object, std::string_view detail) {
  tx.Execute("INSERT INTO audit (actor, action, object, detail) VALUES ($1, $2, $3, $4::jsonb)",
             actor, action, object, detail);
}

}  // namespace paymesh::pg
