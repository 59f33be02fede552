// Writes how a chain is, as its leader sees it. ABORTED LEASE_LOST when another replica leads.
// One strand.
#pragma once

#include <cstdint>
#include <string>

#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {

// Stops a chain until an operator resumes it. `database` must outlive the task, here and below.
Task<Status> HaltChain(pg::Database& database, std::string chain, std::int64_t epoch,
                       std::string why);

// Leaves a halted chain as it is.
Task<Status> WriteChainStatus(pg::Database& database, std::string chain, std::int64_t epoch,
                              ChainStatus status);

}  // namespace paymesh::watcher
