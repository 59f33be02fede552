// Reads what blocks hold for us and proves it: Transfer logs of the listed tokens, checked against
// block, bloom and receipt. Knows the node and nothing of the database.
// One strand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/evm/event.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/domain/tracked_transaction.h"
#include "services/watcher/domain/transfer.h"

namespace paymesh::watcher {

// A well-formed Transfer log of more than nothing, before anybody asked its receipt.
struct Candidate {
  evm::Address token;
  evm::TransferEvent event;
  evm::Hash32 transaction_hash;
  std::uint32_t log_index = 0;
  std::uint64_t block_number = 0;
};

// A block with all Transfers of listed tokens in it.
struct ReadBlockResult {
  NodeBlock block;
  std::vector<Candidate> transfers;
};

enum class ReadBy { kHash, kRange };

class BlockReader {
 public:
  BlockReader(NodeClient& node, std::vector<evm::Address> tokens)
      : node_(node), tokens_(std::move(tokens)) {}

  // By range only for blocks that cannot change any more.
  Task<Result<std::vector<ReadBlockResult>>> Read(std::vector<NodeBlock> blocks, ReadBy by);

  // The receipts' proof of candidates that are wanted, in one block. A candidate whose receipt says
  // otherwise (another block, failed, no such log) spoils the read: the node is not of one mind.
  Task<Result<std::vector<Match>>> Prove(Header block, std::vector<Candidate> wanted);

  // The receipts of followed transactions that a block holds.
  Task<Result<std::vector<Inclusion>>> ReadInclusions(Header block,
                                                      std::vector<evm::Hash32> hashes);

 private:
  // An empty answer for a block whose bloom says otherwise is settled by the block's receipts.
  Task<Result<std::vector<NodeLog>>> Settle(NodeBlock block);

  // A block's Transfers from the receipts of its transactions, when one answer cannot hold them.
  Task<Result<std::vector<NodeLog>>> ReadByReceipts(NodeBlock block);
  Task<Result<std::vector<std::vector<NodeLog>>>> ReadApart(std::vector<NodeBlock> blocks);

  NodeClient& node_;
  const std::vector<evm::Address> tokens_;
};

}  // namespace paymesh::watcher
