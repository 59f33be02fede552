// Follows one chain while this process holds its lease: asks the node for its head, lets the pure
// machine decide, reads what a step needs, and stores the step in one transaction. May be stopped
// at any instruction: what it knows beyond the database is a cache. Run: one strand.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/config/chains.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/block_reader.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/domain/head_machine.h"
#include "services/watcher/domain/match_mode.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/usecases/advance_chain.h"
#include "services/watcher/workers/chain_metrics.h"
#include "services/watcher/workers/watched_set.h"

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
  // What this process remembers of the chain under one epoch; dropped when anything is in doubt.
  struct Memory {
    std::int64_t epoch = 0;
    HeadState state;
    WatchedSet watched;
    AddressSet added;  // of those, the ones that no look back has been stored for yet
    std::map<std::uint64_t, ReadBlockResult> recent;     // by height: blocks above the final one
    std::unordered_map<evm::Hash32, NodeBlock> fetched;  // of the branch at hand
    std::optional<Tags> tags;                            // read in this tick
  };
  // What a step needs from the database, read at once.
  struct StepFacts {
    std::vector<WatchedAddress> addresses;
    std::vector<evm::Hash32> tracked;
    std::vector<Transfer> live;  // in the blocks that become final
  };

  Task<Status> Tick();
  Task<Status> Load(std::int64_t epoch);
  Task<Status> CheckIdentity(std::optional<StoredChain> stored);
  Task<Status> Anchor(std::int64_t epoch, NodeIdentity identity);
  Task<Status> FillRecent();
  Task<Status> Advance(HeadAction action);
  Task<Status> Perform(HeadAction& action);
  Task<Status> TakeStep(Adopt adopt);
  Task<Status> Gather(ChainStep& step, const std::vector<ReadBlockResult>& read,
                      std::vector<Header> finals);
  Task<Result<StepFacts>> ReadFacts(std::uint64_t from, std::uint64_t to);
  Task<Result<std::vector<Match>>> MatchBranch(const std::vector<ReadBlockResult>& blocks);
  Task<Result<std::vector<Match>>> LookBack(std::uint64_t up_to);
  Task<Result<std::vector<Match>>> SecondLook(std::vector<Header> blocks,
                                              std::vector<Transfer> live);
  Task<Result<std::vector<Inclusion>>> FindInclusions(const std::vector<ReadBlockResult>& blocks,
                                                      std::vector<evm::Hash32> tracked);
  Task<Status> CatchRegistrations();
  Task<Status> Sweep();
  Task<Result<std::optional<Header>>> CanonicalHeader(BlockId block);
  Task<Result<StepResult>> Store(ChainStep step);
  Task<Status> HaltChain(std::string why);
  Task<void> NoteTrouble(Error error);
  Task<void> NoteContact();
  Task<void> WriteStatus(ChainState state, std::string reason, bool contact);

  void AddWatched(const std::vector<WatchedAddress>& addresses);
  bool Wanted(const evm::Address& to) const;
  void Remember(const std::vector<ReadBlockResult>& blocks);
  void NoteStep(const ChainStep& step, const StepResult& result, std::uint64_t old_final);

  pg::Database& database_;
  NodeClient& node_;
  const pg::LeaseKeeper& lease_;
  runtime::Logger& log_;
  const runtime::Clock& clock_;
  const FollowerOptions options_;
  const std::string chain_;
  ChainMetrics metrics_;
  BlockReader reader_;
  const HeadRules rules_;
  const FinalityRule finality_;

  std::optional<Memory> memory_;
  bool halted_ = false;
  bool identity_checked_ = false;
  std::optional<runtime::SteadyTime> trouble_since_;
  std::string trouble_;
  bool trouble_written_ = false;
  runtime::SteadyTime last_contact_write_{};
  runtime::SteadyTime last_sweep_{};
  evm::Hash32 swept_;  // the last that was asked for, or zero to begin anew
  runtime::SteadyTime last_log_{};
};

}  // namespace paymesh::watcher
