// What must hold in the watcher's own database at any moment, as queries that count what does not.
// One thread (the transaction's).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/pg/transaction.h"

namespace paymesh::watcher {

struct InvariantCount {
  std::string id;  // as in metrics: invariant_violations{id}
  std::int64_t violations = 0;
};
std::vector<InvariantCount> CountViolations(pg::Transaction& tx);

}  // namespace paymesh::watcher
