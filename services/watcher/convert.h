// Domain values as messages of the contract. Pure functions; any thread.
#pragma once

#include <string>

#include "paymesh/watcher/v1/chain_service.pb.h"
#include "paymesh/watcher/v1/transaction_service.pb.h"
#include "paymesh/watcher/v1/transfer_service.pb.h"
#include "services/watcher/domain/block.h"
#include "services/watcher/domain/tracked_transaction.h"
#include "services/watcher/domain/transfer.h"

namespace paymesh::watcher {

namespace pb = ::paymesh::watcher::v1;

struct BlockMark {
  BlockId id;
  std::uint64_t time_seconds = 0;
};

void ToProto(const BlockMark& block, ::paymesh::type::v1::BlockRef* out);
pb::Transfer ToProto(const Transfer& transfer);
pb::Receipt ToProto(const Receipt& receipt);
Result<Receipt> FromProto(const pb::Receipt& receipt);
pb::Transaction ToProto(const TrackedTransaction& transaction);

// The token's unit on a chain: "caip19/<chain>/erc20:0x…".
std::string TokenUnit(const std::string& chain, const evm::Address& token);

// Payloads of journal entries: the event message without position and create_time.
std::string TransferPayload(const Transfer& transfer);
std::string TransactionPayload(const TrackedTransaction& transaction);
struct CheckpointFacts {
  std::string chain;
  BlockMark head;
  BlockMark safe;
  BlockMark finalized;
  std::uint32_t reorg_depth = 0;
};
std::string CheckpointPayload(const CheckpointFacts& facts);
enum class Halt { kStopped, kResumed };
std::string ChainHaltPayload(const std::string& chain, Halt halt, const std::string& reason);

}  // namespace paymesh::watcher
