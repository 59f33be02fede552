// What must never be in money out's tables, counted. Zero rows each, at every moment.
// One thread, inside the transaction that it is given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/pg/transaction.h"

namespace paymesh::settlement {

struct PayoutInvariant {
  std::string id;  // "I15"
  std::int64_t violations = 0;
};
std::vector<PayoutInvariant> CountPayoutViolations(pg::Transaction& tx);

}  // namespace paymesh::settlement
