#include "services/watcher/usecases/poll_transactions.h"

#include "services/watcher/store/chain_store.h"
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/usecases/chain_step.h"

namespace paymesh::watcher {
namespace {

constexpr int kMaxPolled = 200;  // transactions asked for at once

}  // namespace

Task<Status> TransactionPoller::Poll(const ChainMemory& memory) {
  if (clock_.Steady() - last_poll_ < interval_) co_return Status();
  last_poll_ = clock_.Steady();
  auto read = [chain = chain_,
               after = polled_](pg::Transaction& tx) -> Result<std::vector<evm::Hash32>> {
    return OpenTracked(tx, chain, after, kMaxPolled);
  };
  const pg::TransactOptions options{.name = "open_transactions", .access = pg::Access::kReadOnly};
  Result<std::vector<evm::Hash32>> open = co_await database_.Transact(options, read);
  if (!open.ok()) co_return open.error();
  const bool more = open->size() == static_cast<std::size_t>(kMaxPolled);
  polled_ = more ? open->back() : evm::Hash32();
  if (open->empty()) co_return Status();
  Result<std::vector<std::optional<NodeReceipt>>> receipts = co_await node_.Receipts(*open);
  if (!receipts.ok()) co_return receipts.error();
  ChainStep step;
  for (std::optional<NodeReceipt>& receipt : *receipts) {
    if (!receipt) continue;
    Result<std::optional<Header>> header = co_await CanonicalHeader(memory, receipt->block);
    if (!header.ok()) co_return header.error();
    if (!*header) continue;
    step.inclusions.push_back({receipt->transaction_hash, receipt->block,
                               (*header)->timestamp_seconds, std::move(receipt->receipt)});
  }
  if (step.inclusions.empty()) co_return Status();
  step.chain = chain_;
  step.epoch = memory.epoch;
  step.expected_head = memory.state.head().id();
  step.levels = memory.state.levels;
  Result<StepResult> result = co_await CommitStep(database_, std::move(step));
  if (!result.ok()) co_return result.error();
  co_return Status();
}

// The header of a block that is on the chain as read; empty when it is not (yet).
Task<Result<std::optional<Header>>> TransactionPoller::CanonicalHeader(const ChainMemory& memory,
                                                                       BlockId block) {
  const HeadState& state = memory.state;
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
