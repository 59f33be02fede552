// Rows of `tracked_transaction`. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/evm/transaction.h"
#include "common/pg/transaction.h"
#include "services/watcher/domain/tracked_transaction.h"

namespace paymesh::watcher {

// Begins to follow a signed transaction, with its first journal entry; harmless when it is
// followed. `trace` is the traceparent of the call that broadcasts it, if there is one.
void InsertTracked(pg::Transaction& tx, const std::string& chain,
                   const evm::SignedTransaction& transaction, const std::string& trace = "");
std::optional<TrackedTransaction> LoadTracked(pg::Transaction& tx, const std::string& chain,
                                              const evm::Hash32& hash);
// Those in no block, by hash and beyond `after`, so that a caller may go round them all.
std::vector<evm::Hash32> OpenTracked(pg::Transaction& tx, const std::string& chain,
                                     const evm::Hash32& after, int limit);
// All that are not final, newest first.
std::vector<evm::Hash32> UnfinalTracked(pg::Transaction& tx, const std::string& chain, int limit);
// Leaves those out of both from now on whose slot another transaction has taken finally.
void MarkReplaced(pg::Transaction& tx, const std::string& chain);
// What a step concerns: mined ones above `fork`, mined ones up to `safe` that are not final, and
// the given ones.
std::vector<TrackedTransaction> LoadTrackedForStep(pg::Transaction& tx, const std::string& chain,
                                                   std::optional<std::uint64_t> fork,
                                                   std::uint64_t safe,
                                                   const std::vector<evm::Hash32>& hashes);
void StoreTrackedSnapshots(pg::Transaction& tx, const std::vector<TrackedTransaction>& snapshots);

}  // namespace paymesh::watcher
