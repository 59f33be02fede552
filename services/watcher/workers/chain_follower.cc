#include "services/watcher/workers/chain_follower.h"

#include <utility>

#include "services/watcher/usecases/begin_chain.h"
#include "services/watcher/usecases/catch_registrations.h"
#include "services/watcher/usecases/chain_status.h"

namespace paymesh::watcher {
namespace {

std::vector<evm::Address> TokensOf(const runtime::ChainConfig& chain) {
  std::vector<evm::Address> tokens;
  for (const runtime::TokenConfig& token : chain.tokens) {
    tokens.push_back(evm::Address::Of(token.asset));
  }
  return tokens;
}

HeadOptions HeadOptionsOf(const FollowerOptions& options) {
  HeadOptions head;
  head.chain = options.chain.chain.ToString();
  head.rules = {options.max_step_blocks};
  head.finality = {options.chain.safe_min_depth, options.chain.finalized_min_depth,
                   options.missing_tag_factor};
  head.retained_blocks = options.retained_blocks;
  head.lookback_blocks = options.lookback_blocks;
  return head;
}

}  // namespace

ChainFollower::ChainFollower(pg::Database& database, NodeClient& node, const pg::LeaseKeeper& lease,
                             runtime::Logger& log, runtime::Metrics& metrics,
                             const runtime::Clock& clock, FollowerOptions options)
    : database_(database),
      node_(node),
      lease_(lease),
      log_(log),
      clock_(clock),
      options_(std::move(options)),
      chain_(options_.chain.chain.ToString()),
      metrics_(metrics, chain_),
      indexer_(node, TokensOf(options_.chain), options_.match),
      head_(database, node, indexer_, metrics_, log, clock, HeadOptionsOf(options_)),
      transactions_(database, node, clock, chain_, options_.sweep_interval),
      reporter_(log, metrics_, chain_, options_.unreachable_after),
      machine_(options_.poll_interval) {}

Task<void> ChainFollower::Run() {
  for (;;) {
    const std::optional<std::int64_t> epoch = lease_.epoch();
    metrics_.leader.Set(epoch ? 1 : 0);
    FollowerAction action = machine_.Begin(epoch);
    if (!machine_.remembers()) memory_.reset();
    while (action != FollowerAction::kRest) {
      const Status done = co_await Perform(action);
      if (done.ok()) {
        action = machine_.Next();
      } else {
        action = machine_.Failed(TroubleOf(done.error()));
        co_await Recover(done.error());
      }
    }
    co_await runtime::SleepFor(machine_.pause());
  }
}

Task<Status> ChainFollower::Perform(FollowerAction action) {
  switch (action) {
    case FollowerAction::kLoad:
      co_return co_await Load();
    case FollowerAction::kCheckIdentity:
      co_return co_await CheckNodeIdentity();
    case FollowerAction::kReadRecent:
      co_return co_await ReadRecentBlocks(node_, indexer_, *memory_, options_.lookback_blocks);
    case FollowerAction::kReadHead:
      co_return co_await head_.ReadHead(*memory_);
    case FollowerAction::kAdvance:
      co_return co_await Advance();
    case FollowerAction::kCatchRegistrations:
      co_return co_await CatchRegistrations(database_, indexer_, metrics_, chain_, *memory_);
    case FollowerAction::kPollTransactions:
      co_return co_await transactions_.Poll(*memory_);
    case FollowerAction::kReportContact:
      co_return co_await ReportContact();
    case FollowerAction::kRest:
      co_return Status();
  }
  co_return Status();
}

Task<Status> ChainFollower::Load() {
  const std::int64_t epoch = machine_.epoch();
  bool anchored = false;
  Result<std::optional<StoredChainState>> loaded = co_await LoadStoredChain(database_, chain_);
  if (!loaded.ok()) co_return loaded.error();
  if (!*loaded) {
    Result<std::uint64_t> anchor = co_await AnchorChain(database_, node_, options_.chain, epoch);
    if (!anchor.ok()) co_return anchor.error();
    log_.Info("a new chain is followed", {{"chain", chain_}, {"anchor", *anchor}});
    anchored = true;
    loaded = co_await LoadStoredChain(database_, chain_);
    if (!loaded.ok()) co_return loaded.error();
    if (!*loaded) co_return Error::Internal("a chain's anchor is gone");
  }
  const StoredChain& stored = (*loaded)->chain;
  const bool was_halted = machine_.halted();
  const bool halted = stored.state == ChainState::kHalted;
  if (halted && !was_halted) reporter_.Halted(stored.status_reason);
  if (!halted && was_halted) reporter_.Resumed();
  machine_.Loaded(halted, anchored);
  if (halted) co_return Status();
  memory_.emplace();
  memory_->epoch = epoch;
  memory_->state = std::move((*loaded)->state);
  metrics_.indexed.Set(static_cast<double>(memory_->state.head().number));
  co_return Status();
}

Task<Status> ChainFollower::CheckNodeIdentity() {
  Result<std::optional<std::string>> other =
      co_await CheckIdentity(database_, node_, options_.chain);
  if (!other.ok()) co_return other.error();
  if (!*other) co_return Status();
  co_return co_await Halt(**other);
}

Task<Status> ChainFollower::Advance() {
  Result<std::optional<std::string>> contradiction = co_await head_.Advance(*memory_);
  if (!contradiction.ok()) co_return contradiction.error();
  if (!*contradiction) co_return Status();
  co_return co_await Halt(**contradiction);
}

Task<Status> ChainFollower::Halt(std::string why) {
  CO_RETURN_IF_ERROR(co_await HaltChain(database_, chain_, lease_.epoch().value_or(0), why));
  machine_.Halted();
  reporter_.Halted(why);
  co_return Status();
}

Task<Status> ChainFollower::ReportContact() {
  std::optional<ChainStatus> status = reporter_.Contact(clock_.Steady());
  co_await WriteStatus(std::move(status));
  co_return Status();
}

// After the machine has taken note of a failure.
Task<void> ChainFollower::Recover(Error error) {
  if (!machine_.remembers()) memory_.reset();
  if (!IsOfNode(TroubleOf(error))) {
    log_.Warn("a step was not stored", {{"chain", chain_}, {"err", error.ToString()}});
    co_return;
  }
  if (memory_) memory_->fetched.clear();
  std::optional<ChainStatus> status = reporter_.Trouble(error, clock_.Steady());
  co_await WriteStatus(std::move(status));
}

Task<void> ChainFollower::WriteStatus(std::optional<ChainStatus> status) {
  if (!status) co_return;
  if (memory_ && memory_->state.node_head) {
    status->node_head_number = memory_->state.node_head->number;
  }
  const Status written =
      co_await WriteChainStatus(database_, chain_, lease_.epoch().value_or(0), *std::move(status));
  if (!written.ok()) {
    log_.Debug("a chain's status was not stored", {{"err", written.error().ToString()}});
  }
}

}  // namespace paymesh::watcher
