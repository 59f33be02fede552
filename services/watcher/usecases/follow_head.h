// Brings a chain up to its node's head: does what the head machine asks, reads what each step
// needs, and stores the step in one transaction. One strand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/domain/head_machine.h"
#include "services/watcher/usecases/advance_chain.h"
#include "services/watcher/usecases/chain_memory.h"
#include "services/watcher/usecases/chain_metrics.h"
#include "services/watcher/usecases/index_blocks.h"

namespace paymesh::watcher {

struct HeadOptions {
  std::string chain;
  HeadRules rules;
  FinalityRule finality;
  std::uint64_t retained_blocks = 100'000;
  std::uint64_t lookback_blocks = 16;
};

class HeadFollower {
 public:
  // All references must outlive the follower; a memory that is given, its task.
  HeadFollower(pg::Database& database, NodeClient& node, BlockIndexer& indexer,
               ChainMetrics& metrics, runtime::Logger& log, const runtime::Clock& clock,
               HeadOptions options);

  // The node's head, for the Advance that follows.
  Task<Status> ReadHead(ChainMemory& memory);

  // Stores all blocks up to the head that was read. A text: why the chain must halt, since the node
  // contradicts what was final.
  Task<Result<std::optional<std::string>>> Advance(ChainMemory& memory);

 private:
  Task<Status> Perform(ChainMemory& memory, HeadAction& action);
  Task<Status> ReadTags(ChainMemory& memory);
  Task<Status> TakeStep(ChainMemory& memory, Adopt adopt);
  Task<Status> Gather(ChainMemory& memory, ChainStep& step,
                      const std::vector<ReadBlockResult>& read, std::vector<Header> finals);
  Task<Status> LookAgain(ChainMemory& memory, ChainStep& step, std::vector<Header> finals,
                         std::vector<Transfer> live);
  void NoteStep(const ChainMemory& memory, const ChainStep& step, const StepResult& result);

  pg::Database& database_;
  NodeClient& node_;
  BlockIndexer& indexer_;
  ChainMetrics& metrics_;
  runtime::Logger& log_;
  const runtime::Clock& clock_;
  const HeadOptions options_;
};

}  // namespace paymesh::watcher
