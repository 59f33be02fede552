// What a step of the chain does to the recorded transfers: pure. The store loads what is concerned,
// asks here, and writes the answer with its journal entries in the step's one transaction.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "services/watcher/domain/transfer.h"

namespace paymesh::watcher {

struct TransferStep {
  std::string chain;
  // Blocks above this height left the chain; empty when none did.
  std::optional<std::uint64_t> fork;
  // Every live transfer above `fork`, every transfer of a transaction in `matches`, and every live
  // transfer at or below levels.safe that is not final. Others do no harm.
  std::vector<Transfer> known;
  // What the new blocks hold, and what a second look at old ones found.
  std::vector<Match> matches;
  Levels levels;
};

// Snapshots in the order of the journal: those orphaned, those (re-)included in the order of the
// chain, those whose finality rose. One transfer may appear twice (moved to another block); its
// last snapshot is its row. INTERNAL when a final transfer would have to change.
Result<std::vector<Transfer>> PlanTransfers(TransferStep step);

}  // namespace paymesh::watcher
