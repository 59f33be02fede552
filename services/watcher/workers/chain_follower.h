// Follows one chain while this process holds its lease: does, one after the other, what the pure
// follower machine decides. The work itself is in the use cases. May be stopped at any instruction:
// what it knows beyond the database is a cache. Run: one strand.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/config/chains.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/domain/follower_machine.h"
#include "services/watcher/domain/match_mode.h"
#include "services/watcher/usecases/chain_memory.h"
#include "services/watcher/usecases/chain_metrics.h"
#include "services/watcher/usecases/follow_head.h"
#include "services/watcher/usecases/index_blocks.h"
#include "services/watcher/usecases/poll_transactions.h"
#include "services/watcher/workers/chain_status_reporter.h"

namespace paymesh::watcher {

struct FollowerOptions {
  runtime::ChainConfig chain;
  MatchMode match = MatchMode::kWatched;
  std::chrono::milliseconds poll_interval{150};
  std::chrono::milliseconds unreachable_after{5'000};
  std::chrono::milliseconds sweep_interval{2'000};
  std::size_t max_step_blocks = 64;
  std::uint32_t missing_tag_factor = 4;
  std::uint64_t retained_blocks = 100'000;
  std::uint64_t lookback_blocks = 16;  // read again at start, and for addresses registered late
};

class ChainFollower {
 public:
  // All references must outlive the follower.
  ChainFollower(pg::Database& database, NodeClient& node, const pg::LeaseKeeper& lease,
                runtime::Logger& log, runtime::Metrics& metrics, const runtime::Clock& clock,
                FollowerOptions options);

  // Until cancelled (operation_aborted).
  Task<void> Run();

 private:
  Task<Status> Perform(FollowerAction action);
  Task<Status> Load();
  Task<Status> CheckNodeIdentity();
  Task<Status> Advance();
  Task<Status> Halt(std::string why);
  Task<Status> ReportContact();
  Task<void> Recover(Error error);
  Task<void> WriteStatus(std::optional<ChainStatus> status);

  pg::Database& database_;
  NodeClient& node_;
  const pg::LeaseKeeper& lease_;
  runtime::Logger& log_;
  const runtime::Clock& clock_;
  const FollowerOptions options_;
  const std::string chain_;
  ChainMetrics metrics_;
  BlockIndexer indexer_;
  HeadFollower head_;
  TransactionPoller transactions_;
  ChainStatusReporter reporter_;

  FollowerMachine machine_;
  std::optional<ChainMemory> memory_;
};

}  // namespace paymesh::watcher
