// Followed transactions that no new block will show, because they were mined before they were
// stored here, or were missed: asked for by hash, some at each time and round again. One strand.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/error/error.h"
#include "common/pg/database.h"
#include "common/runtime/clock.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/usecases/chain_memory.h"

namespace paymesh::watcher {

class TransactionPoller {
 public:
  // All references must outlive the poller.
  TransactionPoller(pg::Database& database, NodeClient& node, const runtime::Clock& clock,
                    std::string chain, std::chrono::milliseconds interval)
      : database_(database),
        node_(node),
        clock_(clock),
        chain_(std::move(chain)),
        interval_(interval) {}

  // Nothing before the interval since the last time is over.
  Task<Status> Poll(const ChainMemory& memory);

 private:
  Task<Result<std::optional<Header>>> CanonicalHeader(const ChainMemory& memory, BlockId block);

  pg::Database& database_;
  NodeClient& node_;
  const runtime::Clock& clock_;
  const std::string chain_;
  const std::chrono::milliseconds interval_;
  runtime::SteadyTime last_poll_{};
  evm::Hash32 polled_;  // the last that was asked for, or zero to begin anew
};

}  // namespace paymesh::watcher
