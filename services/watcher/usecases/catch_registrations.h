// Between blocks too: an address that was registered late finds its transfer at once, in the blocks
// that are remembered. One strand.
#pragma once

#include <string>

#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/usecases/chain_memory.h"
#include "services/watcher/usecases/chain_metrics.h"
#include "services/watcher/usecases/index_blocks.h"

namespace paymesh::watcher {

// All references must outlive the task.
Task<Status> CatchRegistrations(pg::Database& database, BlockIndexer& indexer,
                                ChainMetrics& metrics, std::string chain, ChainMemory& memory);

}  // namespace paymesh::watcher
