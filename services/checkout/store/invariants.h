// What must always hold in checkout's own database, as queries that count the rows which break it.
// One thread (the transaction's).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/pg/transaction.h"

namespace paymesh::checkout {

struct Invariant {
  std::string_view id;
  std::string_view sql;  // one row, one column `n`
};
std::span<const Invariant> Invariants();
std::int64_t CountViolations(pg::Transaction& tx, const Invariant& invariant);

}  // namespace paymesh::checkout
