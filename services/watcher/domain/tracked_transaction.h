// A transaction of the mesh's own that was broadcast here: its life, and what a step of the chain
// does to it. Plain values and pure functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/evm/bytes.h"
#include "common/money/u256.h"
#include "services/watcher/domain/block.h"

namespace paymesh::watcher {

enum class TransactionState { kPending, kIncluded, kSafe, kFinalized, kOrphaned };
std::string_view StateName(TransactionState state);  // "PENDING", as in the database
std::optional<TransactionState> ParseTransactionState(std::string_view name);

struct ReceiptLog {
  evm::Address address;
  std::vector<evm::Hash32> topics;
  evm::Bytes data;
};

struct Receipt {
  bool success = false;
  std::uint64_t gas_used = 0;
  U256 effective_gas_price;  // wei
  U256 data_fee;             // wei
  std::vector<ReceiptLog> logs;
};

struct TrackedTransaction {
  std::string chain;
  evm::Hash32 hash;
  evm::Address from;
  std::uint64_t nonce = 0;
  TransactionState state = TransactionState::kPending;
  std::optional<BlockId> block;
  std::uint64_t block_time_seconds = 0;
  std::optional<Receipt> receipt;
  std::chrono::sys_time<std::chrono::microseconds> create_time{};
  std::int64_t revision = 1;

  bool mined() const {
    return state == TransactionState::kIncluded || state == TransactionState::kSafe ||
           state == TransactionState::kFinalized;
  }
};

// A tracked transaction found in a block, with what it did.
struct Inclusion {
  evm::Hash32 hash;
  BlockId block;
  std::uint64_t block_time_seconds = 0;
  Receipt receipt;
};

struct TransactionStep {
  std::optional<std::uint64_t> fork;  // blocks above left the chain
  std::vector<TrackedTransaction> known;
  std::vector<Inclusion> inclusions;
  Levels levels;
};

// Snapshots in the order of the journal, as PlanTransfers. Inclusions of unknown hashes are
// ignored.
Result<std::vector<TrackedTransaction>> PlanTransactions(TransactionStep step);

}  // namespace paymesh::watcher
