// A step of a chain and its database: what the step needs, read at once, and the step, stored in
// one transaction. One strand. `database` must outlive the tasks.
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
#include "services/watcher/usecases/advance_chain.h"

namespace paymesh::watcher {

struct StepFacts {
  std::vector<WatchedAddress> addresses;  // registered beyond the position
  std::vector<evm::Hash32> tracked;       // transactions that are not final
  std::vector<Transfer> live;             // those in blocks `from` to `to`
};

// No live transfers where `from` is above `to`.
Task<Result<StepFacts>> ReadStepFacts(pg::Database& database, std::string chain,
                                      std::int64_t position, std::uint64_t from, std::uint64_t to);

// StoreStep in a transaction of its own, with its errors.
Task<Result<StepResult>> CommitStep(pg::Database& database, ChainStep step);

}  // namespace paymesh::watcher
