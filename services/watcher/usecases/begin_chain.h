// Begins to follow a chain, and begins again after a start or a change of the leader: the stored
// state, the anchor of a new chain, the identity of the node, the newest blocks. One strand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/config/chains.h"
#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/usecases/chain_memory.h"
#include "services/watcher/usecases/index_blocks.h"

namespace paymesh::watcher {

struct StoredChainState {
  StoredChain chain;
  HeadState state;
};
// Nothing until the chain has been anchored.
Task<Result<std::optional<StoredChainState>>> LoadStoredChain(pg::Database& database,
                                                              std::string chain);

// Begins a new chain at the block below start_block, which is final by definition and not read
// itself; gives its height. UNAVAILABLE NODE_BEHIND: the node is of another chain or has no such
// block. The references must outlive the task, here and below.
Task<Result<std::uint64_t>> AnchorChain(pg::Database& database, NodeClient& node,
                                        const runtime::ChainConfig& config, std::int64_t epoch);

// Is the node still of the chain that is configured and stored? A text: it has another genesis
// block than was recorded, so the chain must halt. UNAVAILABLE NODE_BEHIND: another chain id.
Task<Result<std::optional<std::string>>> CheckIdentity(pg::Database& database, NodeClient& node,
                                                       const runtime::ChainConfig& config);

// The blocks that registrations look back over, read once more after a start.
Task<Status> ReadRecentBlocks(NodeClient& node, BlockIndexer& indexer, ChainMemory& memory,
                              std::uint64_t lookback_blocks);

}  // namespace paymesh::watcher
