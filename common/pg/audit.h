// The append-only audit table: who did what to what, written in the transaction that does it.
// One thread (the transaction's).
#pragma once

#include <string_view>

#include "common/pg/transaction.h"

namespace paymesh::pg {

// `actor` is the principal's name, `action` the method or verb, `object` an id, `detail` a JSON
// text
// ("{}" when there is nothing to add), without secrets.
void Audit(Transaction& tx, std::string_view actor, std::string_view action,
           std::string_view object, std::string_view detail = "{}");

}  // namespace paymesh::pg
