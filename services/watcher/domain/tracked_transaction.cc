#include "services/watcher/domain/tracked_transaction.h"

#include <map>
#include <utility>

namespace paymesh::watcher {
namespace {

TransactionState MinedStateAt(std::uint64_t number, const Levels& levels) {
  if (number <= levels.finalized) return TransactionState::kFinalized;
  if (number <= levels.safe) return TransactionState::kSafe;
  return TransactionState::kIncluded;
}

Status Orphan(TrackedTransaction& transaction, std::vector<TrackedTransaction>& snapshots) {
  if (transaction.state == TransactionState::kFinalized) {
    return Error::Internal("final transaction " + transaction.hash.ToHex() + " would be undone");
  }
  transaction.state = TransactionState::kOrphaned;
  transaction.block.reset();
  transaction.block_time_seconds = 0;
  transaction.receipt.reset();
  ++transaction.revision;
  snapshots.push_back(transaction);
  return {};
}

}  // namespace

std::string_view StateName(TransactionState state) {
  switch (state) {
    case TransactionState::kPending:
      return "PENDING";
    case TransactionState::kIncluded:
      return "INCLUDED";
    case TransactionState::kSafe:
      return "SAFE";
    case TransactionState::kFinalized:
      return "FINALIZED";
    case TransactionState::kOrphaned:
      return "ORPHANED";
  }
  return "";
}

std::optional<TransactionState> ParseTransactionState(std::string_view name) {
  for (const TransactionState state :
       {TransactionState::kPending, TransactionState::kIncluded, TransactionState::kSafe,
        TransactionState::kFinalized, TransactionState::kOrphaned}) {
    if (StateName(state) == name) return state;
  }
  return std::nullopt;
}

Result<std::vector<TrackedTransaction>> PlanTransactions(TransactionStep step) {
  std::vector<TrackedTransaction> snapshots;
  std::map<evm::Hash32, TrackedTransaction*> by_hash;
  for (TrackedTransaction& transaction : step.known) {
    by_hash[transaction.hash] = &transaction;
    if (step.fork && transaction.mined() && transaction.block->number > *step.fork) {
      RETURN_IF_ERROR(Orphan(transaction, snapshots));
    }
  }
  for (Inclusion& inclusion : step.inclusions) {
    const auto found = by_hash.find(inclusion.hash);
    if (found == by_hash.end()) continue;
    TrackedTransaction& transaction = *found->second;
    if (transaction.mined()) {
      if (*transaction.block == inclusion.block) continue;
      RETURN_IF_ERROR(Orphan(transaction, snapshots));
    }
    transaction.block = inclusion.block;
    transaction.block_time_seconds = inclusion.block_time_seconds;
    transaction.receipt = std::move(inclusion.receipt);
    transaction.state = MinedStateAt(inclusion.block.number, step.levels);
    ++transaction.revision;
    snapshots.push_back(transaction);
  }
  for (TrackedTransaction& transaction : step.known) {
    if (!transaction.mined()) continue;
    const TransactionState reached = MinedStateAt(transaction.block->number, step.levels);
    if (reached <= transaction.state) continue;
    transaction.state = reached;
    ++transaction.revision;
    snapshots.push_back(transaction);
  }
  return snapshots;
}

}  // namespace paymesh::watcher
