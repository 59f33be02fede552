// The part of ChainFollower that works between blocks: late registrations, and followed
// transactions that no new block will show.
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/workers/chain_follower.h"

namespace paymesh::watcher {
namespace {

constexpr int kMaxSwept = 200;  // transactions asked for at once

}  // namespace

// Between blocks too: an address that was registered late finds its transfer at once.
Task<Status> ChainFollower::CatchRegistrations() {
  Result<StepFacts> facts = co_await ReadFacts(1, 0);
  if (!facts.ok()) co_return facts.error();
  AddWatched(facts->addresses);
  if (memory_->added.empty()) co_return Status();
  Result<std::vector<Match>> late = co_await LookBack(memory_->state.head().number);
  if (!late.ok()) co_return late.error();
  if (late->empty()) {
    memory_->added.clear();
    co_return Status();
  }
  ChainStep step;
  step.chain = chain_;
  step.epoch = memory_->epoch;
  step.expected_head = memory_->state.head().id();
  step.levels = memory_->state.levels;
  step.matches = *std::move(late);
  Result<StepResult> result = co_await Store(std::move(step));
  if (!result.ok()) co_return result.error();
  memory_->added.clear();
  metrics_.transfers.Increment(static_cast<double>(result->new_transfers));
  co_return Status();
}

// Followed transactions that were mined before they were stored here, or missed: asked for by hash,
// some at each time and round again.
Task<Status> ChainFollower::Sweep() {
  if (clock_.Steady() - last_sweep_ < options_.sweep_interval) co_return Status();
  last_sweep_ = clock_.Steady();
  auto read = [chain = chain_,
               after = swept_](pg::Transaction& tx) -> Result<std::vector<evm::Hash32>> {
    return OpenTracked(tx, chain, after, kMaxSwept);
  };
  const pg::TransactOptions options{.name = "open_transactions", .access = pg::Access::kReadOnly};
  Result<std::vector<evm::Hash32>> open = co_await database_.Transact(options, read);
  if (!open.ok()) co_return open.error();
  const bool more = open->size() == static_cast<std::size_t>(kMaxSwept);
  swept_ = more ? open->back() : evm::Hash32();
  if (open->empty()) co_return Status();
  Result<std::vector<std::optional<NodeReceipt>>> receipts = co_await node_.Receipts(*open);
  if (!receipts.ok()) co_return receipts.error();
  ChainStep step;
  for (std::optional<NodeReceipt>& receipt : *receipts) {
    if (!receipt) continue;
    Result<std::optional<Header>> header = co_await CanonicalHeader(receipt->block);
    if (!header.ok()) co_return header.error();
    if (!*header) continue;
    step.inclusions.push_back({receipt->transaction_hash, receipt->block,
                               (*header)->timestamp_seconds, std::move(receipt->receipt)});
  }
  if (step.inclusions.empty()) co_return Status();
  step.chain = chain_;
  step.epoch = memory_->epoch;
  step.expected_head = memory_->state.head().id();
  step.levels = memory_->state.levels;
  Result<StepResult> result = co_await Store(std::move(step));
  if (!result.ok()) co_return result.error();
  co_return Status();
}

// The header of a block that is on the chain as read; empty when it is not (yet).
Task<Result<std::optional<Header>>> ChainFollower::CanonicalHeader(BlockId block) {
  const HeadState& state = memory_->state;
  if (block.number > state.head().number) co_return std::optional<Header>();
  std::optional<Header> header;
  if (const Header* held = state.At(block.number)) {
    header = *held;
  } else {
    auto read = [chain = chain_,
                 number = block.number](pg::Transaction& tx) -> Result<std::optional<Header>> {
      return LoadHeader(tx, chain, number);
    };
    const pg::TransactOptions options{.name = "load_header", .access = pg::Access::kReadOnly};
    Result<std::optional<Header>> stored = co_await database_.Transact(options, read);
    if (!stored.ok()) co_return stored.error();
    header = *stored;
    if (!header) {
      // Older than what is kept: the node's own chain is final there.
      Result<std::vector<NodeBlock>> blocks =
          co_await node_.BlocksByNumber(block.number, block.number);
      if (!blocks.ok()) co_return blocks.error();
      if (!blocks->empty()) header = blocks->front().header;
    }
  }
  if (!header || header->hash != block.hash) co_return std::optional<Header>();
  co_return header;
}

}  // namespace paymesh::watcher
