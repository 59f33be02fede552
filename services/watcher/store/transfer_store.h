// Rows of `transfer`. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/pg/transaction.h"
#include "services/watcher/domain/transfer.h"

namespace paymesh::watcher {

// What a step concerns: live ones above `fork`, live ones at or below `safe` that are not final
// yet, and all of the given transactions.
std::vector<Transfer> LoadForStep(pg::Transaction& tx, const std::string& chain,
                                  std::optional<std::uint64_t> fork, std::uint64_t safe,
                                  const std::vector<evm::Hash32>& transactions);

// Live ones in a range of heights, ends included.
std::vector<Transfer> LoadLive(pg::Transaction& tx, const std::string& chain, std::uint64_t from,
                               std::uint64_t to);

// Writes each transfer's last snapshot and appends every snapshot to the journal, in order.
void StoreSnapshots(pg::Transaction& tx, const std::vector<Transfer>& snapshots);

struct TransferFilter {
  std::optional<std::string> chain;
  std::optional<evm::Address> to;
  std::optional<evm::Hash32> transaction_hash;
};
struct ListedTransfer {
  std::int64_t sequence = 0;
  Transfer transfer;
};
// Newest first, below `before` where that is above 0.
std::vector<ListedTransfer> ListTransfers(pg::Transaction& tx, const TransferFilter& filter,
                                          std::int64_t before, int limit);

}  // namespace paymesh::watcher
