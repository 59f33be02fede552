// What a step needs from the database, read at once. One strand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/evm/bytes.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/domain/transfer.h"
#include "services/watcher/store/address_store.h"

namespace paymesh::watcher {

struct StepFacts {
  std::vector<WatchedAddress> addresses;  // registered beyond the position
  std::vector<evm::Hash32> tracked;       // transactions that are not final
  std::vector<Transfer> live;             // those in blocks `from` to `to`
};

// No live transfers where `from` is above `to`.
Task<Result<StepFacts>> ReadStepFacts(pg::Database& database, std::string chain,
                                      std::int64_t position, std::uint64_t from, std::uint64_t to);

}  // namespace paymesh::watcher
