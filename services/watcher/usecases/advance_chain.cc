#include "services/watcher/usecases/advance_chain.h"

#include "common/journal/append.h"
#include "common/pg/lease.h"
#include "common/pg/sql_error.h"
#include "services/watcher/convert.h"
#include "services/watcher/domain/transfer_book.h"
#include "services/watcher/reasons.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/store/transfer_store.h"

namespace paymesh::watcher {
namespace {

// Blocks behind the node's head within which a chain counts as followed, not as catching up.
constexpr std::uint64_t kFollowingDistance = 5;

constexpr char kMoveCursor[] = R"(
  UPDATE chain SET head_number = $3, head_hash = $4, safe_number = $5, finalized_number = $6,
         base_fee_per_gas = $7, state = $8, status_reason = '', node_head_number = $9,
         safe_tag_seen = $10, finalized_tag_seen = $11, contact_time = now()
   WHERE chain = $1 AND head_hash = $2 AND state <> 'HALTED' AND finalized_number <= $6)";
constexpr char kHoldCursor[] = R"(
  SELECT FROM chain WHERE chain = $1 AND head_hash = $2 AND state <> 'HALTED' FOR UPDATE)";
constexpr char kDropBlocks[] = "DELETE FROM block WHERE chain = $1 AND number > $2";
constexpr char kTrimBlocks[] = "DELETE FROM block WHERE chain = $1 AND number < $2";
constexpr char kInsertBlocks[] = R"(
  INSERT INTO block (chain, number, hash, parent_hash, block_time)
  SELECT $1, b.* FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::timestamptz[])
                   AS b (number, hash, parent_hash, block_time))";
constexpr char kInsertReorg[] = R"(
  INSERT INTO reorg (chain, depth, fork_number, old_head, new_head) VALUES ($1, $2, $3, $4, $5))";

void StoreHeaders(pg::Transaction& tx, const ChainStep& step) {
  const Adopt& adopt = *step.adopt;
  if (adopt.reorg_depth > 0) {
    tx.Execute(kDropBlocks, step.chain, adopt.fork.number);
    tx.Execute(kInsertReorg, step.chain, static_cast<std::int64_t>(adopt.reorg_depth),
               adopt.fork.number, BytesOf(step.expected_head.hash),
               BytesOf(adopt.branch.back().hash));
  }
  std::vector<std::int64_t> numbers;
  std::vector<pg::Bytea> hashes, parents;
  std::vector<pg::Time> times;
  for (const Header& header : adopt.branch) {
    numbers.push_back(static_cast<std::int64_t>(header.number));
    hashes.push_back(BytesOf(header.hash));
    parents.push_back(BytesOf(header.parent));
    times.push_back(TimeOf(header.timestamp_seconds));
  }
  tx.Execute(kInsertBlocks, step.chain, numbers, hashes, parents, times);
  if (step.levels.finalized > step.retained_blocks) {
    tx.Execute(kTrimBlocks, step.chain, step.levels.finalized - step.retained_blocks);
  }
}

Error CursorMoved() {
  return Error::Aborted(std::string(reasons::kCursorMoved),
                        "the chain is not where this step began");
}

Status MoveCursor(pg::Transaction& tx, const ChainStep& step) {
  const Header& head = step.adopt->branch.back();
  const bool following = head.number + kFollowingDistance >= step.node_head_number;
  const pg::Rows moved =
      tx.Execute(kMoveCursor, step.chain, BytesOf(step.expected_head.hash), head.number,
                 BytesOf(head.hash), step.levels.safe, step.levels.finalized, head.base_fee_per_gas,
                 StateName(following ? ChainState::kFollowing : ChainState::kSyncing),
                 step.node_head_number, step.tags_seen.safe, step.tags_seen.finalized);
  return moved.affected() == 1 ? Status() : CursorMoved();
}

// For a step that moves nothing: it must still stand where it thought.
Status HoldCursor(pg::Transaction& tx, const ChainStep& step) {
  const pg::Rows held = tx.Execute(kHoldCursor, step.chain, BytesOf(step.expected_head.hash));
  return held.size() == 1 ? Status() : CursorMoved();
}

BlockMark MarkAt(pg::Transaction& tx, const std::string& chain, std::uint64_t number) {
  const auto header = LoadHeader(tx, chain, number);
  if (!header) {
    throw pg::SqlError(std::string(pg::kDecodeFailure), "no stored header at a level's height");
  }
  return {header->id(), header->timestamp_seconds};
}

void AppendCheckpoint(pg::Transaction& tx, const ChainStep& step) {
  const Header& head = step.adopt->branch.back();
  CheckpointFacts facts;
  facts.chain = step.chain;
  facts.head = {head.id(), head.timestamp_seconds};
  facts.safe = MarkAt(tx, step.chain, step.levels.safe);
  facts.finalized = MarkAt(tx, step.chain, step.levels.finalized);
  facts.reorg_depth = step.adopt->reorg_depth;
  journal::Entry entry;
  entry.subject = step.chain;
  entry.kind = "checkpoint";
  entry.payload = CheckpointPayload(facts);
  journal::Append(tx, "transfers", std::move(entry));
}

Status StoreTransfers(pg::Transaction& tx, const ChainStep& step, std::optional<std::uint64_t> fork,
                      StepResult& result) {
  TransferStep transfers;
  transfers.chain = step.chain;
  transfers.fork = fork;
  transfers.levels = step.levels;
  transfers.matches = step.matches;
  std::vector<evm::Hash32> hashes;
  for (const Match& match : step.matches) {
    if (hashes.empty() || hashes.back() != match.transaction_hash) {
      hashes.push_back(match.transaction_hash);
    }
  }
  transfers.known = LoadForStep(tx, step.chain, fork, step.levels.safe, hashes);
  ASSIGN_OR_RETURN(const std::vector<Transfer> snapshots, PlanTransfers(std::move(transfers)));
  for (const Transfer& snapshot : snapshots) {
    if (snapshot.revision == 1) {
      ++result.new_transfers;
      result.new_transfer_blocks.push_back(snapshot.evidence.block.number);
    }
    if (!snapshot.live()) ++result.orphaned_transfers;
  }
  if (!snapshots.empty()) StoreSnapshots(tx, snapshots);
  return {};
}

}  // namespace

Status RequireLeader(pg::Transaction& tx, const std::string& chain, std::int64_t epoch) {
  return pg::RequireLease(tx, LeaseName(chain), epoch);
}

Result<StepResult> StoreStep(pg::Transaction& tx, const ChainStep& step) {
  StepResult result;
  RETURN_IF_ERROR(RequireLeader(tx, step.chain, step.epoch));
  std::optional<std::uint64_t> fork;
  if (step.adopt) {
    RETURN_IF_ERROR(MoveCursor(tx, step));
    StoreHeaders(tx, step);
    if (step.adopt->reorg_depth > 0) fork = step.adopt->fork.number;
  } else {
    RETURN_IF_ERROR(HoldCursor(tx, step));
  }
  RETURN_IF_ERROR(StoreTransfers(tx, step, fork, result));
  TransactionStep transactions;
  transactions.fork = fork;
  transactions.levels = step.levels;
  transactions.inclusions = step.inclusions;
  std::vector<evm::Hash32> hashes;
  for (const Inclusion& inclusion : step.inclusions) hashes.push_back(inclusion.hash);
  transactions.known = LoadTrackedForStep(tx, step.chain, fork, step.levels.safe, hashes);
  ASSIGN_OR_RETURN(const std::vector<TrackedTransaction> snapshots,
                   PlanTransactions(std::move(transactions)));
  if (!snapshots.empty()) StoreTrackedSnapshots(tx, snapshots);
  if (step.adopt) {
    MarkReplaced(tx, step.chain);
    AppendCheckpoint(tx, step);
  }
  return result;
}

}  // namespace paymesh::watcher
