// A transfer of a listed token to a watched address: its identity, its life, and what one read of
// the chain says about it. Plain values and pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"
#include "services/watcher/domain/block.h"

namespace paymesh::watcher {

enum class TransferState { kIncluded, kSafe, kFinalized, kOrphaned };
std::string_view StateName(TransferState state);  // "INCLUDED", as in the database
std::optional<TransferState> ParseTransferState(std::string_view name);

struct TransferTransition {
  TransferState from;
  TransferState to;
};
// Every step a transfer may take. FINALIZED is the end.
inline constexpr std::array<TransferTransition, 8> kTransferTransitions{{
    {TransferState::kIncluded, TransferState::kSafe},
    {TransferState::kIncluded, TransferState::kFinalized},
    {TransferState::kIncluded, TransferState::kOrphaned},
    {TransferState::kSafe, TransferState::kFinalized},
    {TransferState::kSafe, TransferState::kOrphaned},
    {TransferState::kOrphaned, TransferState::kIncluded},
    {TransferState::kOrphaned, TransferState::kSafe},
    {TransferState::kOrphaned, TransferState::kFinalized},
}};
constexpr bool Allowed(TransferState from, TransferState to) {
  for (const TransferTransition& transition : kTransferTransitions) {
    if (transition.from == from && transition.to == to) return true;
  }
  return false;
}
static_assert(!Allowed(TransferState::kFinalized, TransferState::kOrphaned));
static_assert(!Allowed(TransferState::kFinalized, TransferState::kIncluded));

// A Transfer log as it stands in a block, proved by its receipt.
struct Match {
  evm::Hash32 transaction_hash;
  std::uint32_t ordinal = 0;    // log index less that of the transaction's first log
  std::uint32_t log_index = 0;  // in the block
  evm::Address token;
  evm::Address from;
  evm::Address to;
  U256 amount;
  BlockId block;
  std::uint64_t block_time_seconds = 0;
};

struct Transfer {
  std::string id;
  std::string chain;  // CAIP-2
  // 0 for the first content seen at (transaction, ordinal). A transaction that is re-included with
  // another content there gives a transfer of its own, with an id of its own.
  std::uint32_t variant = 0;
  Match evidence;  // for an orphaned one: of the block that held it last
  TransferState state = TransferState::kIncluded;
  std::int64_t revision = 1;
  std::uint32_t reorg_count = 0;

  bool live() const { return state != TransferState::kOrphaned; }
};

// Whether two logs at one (transaction, ordinal) say the same: token, parties and amount.
bool SameContent(const Match& a, const Match& b);

// "trf_" and the first 32 hex digits of keccak256("<chain>|<hash>|<ordinal>"); "|<variant>" follows
// when the variant is not 0.
std::string TransferId(std::string_view chain, const evm::Hash32& transaction_hash,
                       std::uint32_t ordinal, std::uint32_t variant = 0);

// The state of a block's facts under the levels.
TransferState StateAt(std::uint64_t block_number, const Levels& levels);

}  // namespace paymesh::watcher
