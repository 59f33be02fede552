#include "services/watcher/usecases/begin_chain.h"

#include "services/watcher/reasons.h"
#include "services/watcher/usecases/advance_chain.h"

namespace paymesh::watcher {
namespace {

Error OfAnotherChain(const NodeIdentity& identity, const runtime::ChainConfig& config) {
  return Error::Unavailable(std::string(reasons::kNodeBehind),
                            "the node is of chain eip155:" + std::to_string(identity.chain_id) +
                                ", not of " + config.chain.ToString());
}

}  // namespace

Task<Result<std::optional<StoredChainState>>> LoadStoredChain(pg::Database& database,
                                                              std::string chain) {
  auto read = [chain](pg::Transaction& tx) -> Result<std::optional<StoredChainState>> {
    std::optional<StoredChain> stored = LoadChain(tx, chain);
    if (!stored) return std::optional<StoredChainState>();
    HeadState state = LoadHeadState(tx, *stored);
    return std::optional<StoredChainState>(StoredChainState{*std::move(stored), std::move(state)});
  };
  const pg::TransactOptions options{.name = "load_chain_state",
                                    .isolation = pg::Isolation::kRepeatableRead,
                                    .access = pg::Access::kReadOnly};
  co_return co_await database.Transact(options, read);
}

Task<Result<std::uint64_t>> AnchorChain(pg::Database& database, NodeClient& node,
                                        const runtime::ChainConfig& config, std::int64_t epoch) {
  Result<NodeIdentity> identity = co_await node.Identity();
  if (!identity.ok()) co_return identity.error();
  if (identity->chain_id != config.chain.number()) co_return OfAnotherChain(*identity, config);
  const std::uint64_t number = config.start_block == 0 ? 0 : config.start_block - 1;
  Result<std::vector<NodeBlock>> blocks = co_await node.BlocksByNumber(number, number);
  if (!blocks.ok()) co_return blocks.error();
  if (blocks->empty()) {
    co_return Error::Unavailable(
        std::string(reasons::kNodeBehind),
        "the node has no block " + std::to_string(number) + " to begin at (start_block)");
  }
  const Header anchor = blocks->front().header;
  auto write = [chain = config.chain.ToString(), epoch, genesis = identity->genesis_hash,
                anchor](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreAnchor(tx, chain, genesis, anchor);
    return {};
  };
  const pg::TransactOptions options{.name = "anchor_chain", .idempotent = true};
  CO_RETURN_IF_ERROR(co_await database.Transact(options, write));
  co_return number;
}

Task<Result<std::optional<std::string>>> CheckIdentity(pg::Database& database, NodeClient& node,
                                                       const runtime::ChainConfig& config) {
  auto read =
      [chain = config.chain.ToString()](pg::Transaction& tx) -> Result<std::optional<StoredChain>> {
    return LoadChain(tx, chain);
  };
  const pg::TransactOptions options{.name = "load_chain", .access = pg::Access::kReadOnly};
  Result<std::optional<StoredChain>> stored = co_await database.Transact(options, read);
  if (!stored.ok()) co_return stored.error();
  Result<NodeIdentity> identity = co_await node.Identity();
  if (!identity.ok()) co_return identity.error();
  if (identity->chain_id != config.chain.number()) co_return OfAnotherChain(*identity, config);
  if (*stored && (*stored)->genesis_hash != identity->genesis_hash) {
    co_return std::optional<std::string>("the node has another genesis block (" +
                                         identity->genesis_hash.ToHex() + ") than was recorded (" +
                                         (*stored)->genesis_hash.ToHex() + ")");
  }
  co_return std::optional<std::string>();
}

// The addresses are all "added" to this process then, so the first look back heals what an earlier
// run may have missed.
Task<Status> ReadRecentBlocks(NodeClient& node, BlockIndexer& indexer, ChainMemory& memory,
                              std::uint64_t lookback_blocks) {
  const HeadState& state = memory.state;
  std::vector<NodeBlock> blocks;
  std::size_t first = 1;  // the lowest header is final or the anchor
  if (state.headers.size() > lookback_blocks) {
    first = state.headers.size() - static_cast<std::size_t>(lookback_blocks);
  }
  for (std::size_t i = first; i < state.headers.size(); ++i) {
    const evm::Hash32 hash = state.headers[i].hash;
    Result<std::optional<NodeBlock>> block = co_await node.BlockByHash(hash);
    if (!block.ok()) co_return block.error();
    if (!*block) break;  // a reorganisation while nobody looked: the machine will find it
    blocks.push_back(**block);
  }
  if (blocks.empty()) co_return Status();
  Result<std::vector<ReadBlockResult>> read =
      co_await indexer.Read(std::move(blocks), ReadBy::kHash);
  if (!read.ok()) co_return read.error();
  memory.Remember(*read, lookback_blocks);
  co_return Status();
}

}  // namespace paymesh::watcher
