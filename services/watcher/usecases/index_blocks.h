// Finds in blocks what is ours and has it proved: transfers to record, and transactions that we
// follow. Reads the node, never the database. One strand.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/block_reader.h"
#include "services/watcher/domain/match_mode.h"
#include "services/watcher/domain/tracked_transaction.h"
#include "services/watcher/domain/transfer.h"
#include "services/watcher/usecases/chain_memory.h"

namespace paymesh::watcher {

// What a look at blocks has found.
struct IndexedTransfers {
  std::vector<Match> matches;
};

// What a second look at blocks has found.
struct SecondLook {
  IndexedTransfers missed;  // there, and not recorded
  // Ids of those that are recorded and not there any more.
  std::vector<std::string> gone;
};

class BlockIndexer {
 public:
  // `node` must outlive the indexer.
  BlockIndexer(NodeClient& node, std::vector<evm::Address> tokens, MatchMode match)
      : node_(node), reader_(node, std::move(tokens)), match_(match) {}

  Task<Result<std::vector<ReadBlockResult>>> Read(std::vector<NodeBlock> blocks, ReadBy by) {
    return reader_.Read(std::move(blocks), by);
  }

  // What blocks that were just read hold for the watched addresses.
  Task<Result<IndexedTransfers>> MatchNew(const ChainMemory& memory,
                                          const std::vector<ReadBlockResult>& blocks);

  // What remembered blocks up to a height hold for the addresses that were added since they were
  // read.
  Task<Result<IndexedTransfers>> LookBack(const ChainMemory& memory, std::uint64_t up_to);

  // Reads blocks again at the moment they become final and compares them with `live`, the transfers
  // that are recorded in them.
  Task<Result<SecondLook>> LookAgain(const ChainMemory& memory, std::vector<Header> blocks,
                                     std::vector<Transfer> live);

  Task<Result<std::vector<Inclusion>>> FindInclusions(const std::vector<ReadBlockResult>& blocks,
                                                      std::vector<evm::Hash32> tracked);

 private:
  using Filter = std::function<bool(const Candidate&)>;

  // The wanted candidates of blocks, proved. The blocks and what `wanted` refers to must stay.
  Task<Result<IndexedTransfers>> Prove(std::vector<const ReadBlockResult*> blocks, Filter wanted);
  Task<Result<std::vector<ReadBlockResult>>> ReadAgain(const ChainMemory& memory,
                                                       std::vector<Header> headers);
  bool Wanted(const ChainMemory& memory, const evm::Address& to) const {
    return match_ == MatchMode::kAll || memory.watched.Contains(to);
  }

  NodeClient& node_;
  BlockReader reader_;
  const MatchMode match_;
};

}  // namespace paymesh::watcher
