// What must hold in settlement's own database, each as a count of what breaks it.
// One thread (the transaction's).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/pg/transaction.h"

namespace paymesh::settlement {

struct InvariantCount {
  std::string id;
  std::int64_t violations = 0;
};
// The ids, for the gauges.
std::vector<std::string> InvariantIds();
std::vector<InvariantCount> CheckInvariants(pg::Transaction& tx);

}  // namespace paymesh::settlement
