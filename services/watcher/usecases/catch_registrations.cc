#include "services/watcher/usecases/catch_registrations.h"

#include "services/watcher/usecases/chain_step.h"

namespace paymesh::watcher {

Task<Status> CatchRegistrations(pg::Database& database, BlockIndexer& indexer,
                                ChainMetrics& metrics, std::string chain, ChainMemory& memory) {
  Result<StepFacts> facts =
      co_await ReadStepFacts(database, chain, memory.watched.position(), 1, 0);
  if (!facts.ok()) co_return facts.error();
  memory.AddWatched(facts->addresses);
  if (memory.added.empty()) co_return Status();
  Result<IndexedTransfers> late = co_await indexer.LookBack(memory, memory.state.head().number);
  if (!late.ok()) co_return late.error();
  if (late->matches.empty()) {
    memory.added.clear();
    co_return Status();
  }
  ChainStep step;
  step.chain = std::move(chain);
  step.epoch = memory.epoch;
  step.expected_head = memory.state.head().id();
  step.levels = memory.state.levels;
  step.matches = std::move(late->matches);
  Result<StepResult> result = co_await CommitStep(database, std::move(step));
  if (!result.ok()) co_return result.error();
  memory.added.clear();
  metrics.transfers.Increment(static_cast<double>(result->new_transfers));
  co_return Status();
}

}  // namespace paymesh::watcher
