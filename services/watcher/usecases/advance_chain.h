// One step of a chain as one transaction: headers, transfers, transactions, cursor, journal
// entries, the checkpoint last. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "services/watcher/domain/head_machine.h"
#include "services/watcher/domain/tracked_transaction.h"
#include "services/watcher/domain/transfer.h"

namespace paymesh::watcher {

struct ChainStep {
  std::string chain;
  std::int64_t epoch = 0;  // of the chain's lease
  BlockId expected_head;   // where the cursor stands before
  // New blocks on top of `fork`; empty for a step that only heals or finds what was overlooked.
  std::optional<Adopt> adopt;
  Levels levels;
  TagsSeen tags_seen;  // of a step that adopts
  std::vector<Match> matches;
  std::vector<Inclusion> inclusions;
  std::uint64_t node_head_number = 0;
  // Headers this far below the final block are dropped.
  std::uint64_t retained_blocks = 100'000;
};

struct StepResult {
  std::size_t new_transfers = 0;
  std::size_t orphaned_transfers = 0;
  std::vector<std::uint64_t> new_transfer_blocks;  // a height for each new transfer
};

// ABORTED LEASE_LOST or CURSOR_MOVED: another replica leads; read the state again. INTERNAL: the
// step contradicts what is stored.
Result<StepResult> StoreStep(pg::Transaction& tx, const ChainStep& step);

// The guard for the other writes of a chain's leader.
Status RequireLeader(pg::Transaction& tx, const std::string& chain, std::int64_t epoch);

}  // namespace paymesh::watcher
