// The part of ChainFollower that begins, stops and says how it is: identity of the node, the anchor
// of a new chain, halting, troubles.
#include "services/watcher/reasons.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/workers/chain_follower.h"

namespace paymesh::watcher {
namespace {

constexpr std::chrono::milliseconds kContactInterval{1'000};
constexpr std::chrono::milliseconds kTroubleLogInterval{10'000};
constexpr std::size_t kMaxReasonBytes = 500;

}  // namespace

Task<Status> ChainFollower::Load(std::int64_t epoch) {
  struct Loaded {
    StoredChain chain;
    HeadState state;
  };
  auto read = [chain = chain_](pg::Transaction& tx) -> Result<std::optional<Loaded>> {
    std::optional<StoredChain> stored = LoadChain(tx, chain);
    if (!stored) return std::optional<Loaded>();
    HeadState state = LoadHeadState(tx, *stored);
    return std::optional<Loaded>(Loaded{*std::move(stored), std::move(state)});
  };
  const pg::TransactOptions options{.name = "load_chain_state",
                                    .isolation = pg::Isolation::kRepeatableRead,
                                    .access = pg::Access::kReadOnly};
  Result<std::optional<Loaded>> loaded = co_await database_.Transact(options, read);
  if (!loaded.ok()) co_return loaded.error();
  if (!*loaded) {
    Result<NodeIdentity> identity = co_await node_.Identity();
    if (!identity.ok()) co_return identity.error();
    CO_RETURN_IF_ERROR(co_await Anchor(epoch, *identity));
    loaded = co_await database_.Transact(options, read);
    if (!loaded.ok()) co_return loaded.error();
    if (!*loaded) co_return Error::Internal("a chain's anchor is gone");
  }
  const bool was_halted = halted_;
  halted_ = (*loaded)->chain.state == ChainState::kHalted;
  metrics_.halted.Set(halted_ ? 1 : 0);
  if (halted_) {
    if (!was_halted) {
      log_.Error("the chain is halted: a person must look",
                 {{"chain", chain_}, {"reason", (*loaded)->chain.status_reason}});
    }
    identity_checked_ = false;
    co_return Status();
  }
  if (was_halted) log_.Info("the chain goes on", {{"chain", chain_}});
  Memory memory;
  memory.epoch = epoch;
  memory.state = std::move((*loaded)->state);
  memory_ = std::move(memory);
  metrics_.indexed.Set(static_cast<double>(memory_->state.head().number));
  if (!identity_checked_) {
    std::optional<StoredChain> stored = (*loaded)->chain;
    Status checked = co_await CheckIdentity(std::move(stored));
    if (!checked.ok()) {
      memory_.reset();
      co_return checked;
    }
    if (halted_) co_return Status();
  }
  Status filled = co_await FillRecent();
  if (!filled.ok()) memory_.reset();
  co_return filled;
}

// Asked once after each time that the node was away: is it still the same chain?
Task<Status> ChainFollower::CheckIdentity(std::optional<StoredChain> stored) {
  Result<NodeIdentity> identity = co_await node_.Identity();
  if (!identity.ok()) co_return identity.error();
  if (identity->chain_id != options_.chain.chain.number()) {
    co_return Error::Unavailable(
        std::string(reasons::kNodeBehind),
        "the node is of chain eip155:" + std::to_string(identity->chain_id) + ", not of " + chain_);
  }
  if (stored && stored->genesis_hash != identity->genesis_hash) {
    CO_RETURN_IF_ERROR(co_await HaltChain("the node has another genesis block (" +
                                          identity->genesis_hash.ToHex() + ") than was recorded (" +
                                          stored->genesis_hash.ToHex() + ")"));
    co_return Status();
  }
  identity_checked_ = true;
  co_return Status();
}

// The block below start_block is the anchor: final by definition, not read itself.
Task<Status> ChainFollower::Anchor(std::int64_t epoch, NodeIdentity identity) {
  if (identity.chain_id != options_.chain.chain.number()) {
    co_return Error::Unavailable(
        std::string(reasons::kNodeBehind),
        "the node is of chain eip155:" + std::to_string(identity.chain_id) + ", not of " + chain_);
  }
  const std::uint64_t start = options_.chain.start_block;
  const std::uint64_t number = start == 0 ? 0 : start - 1;
  Result<std::vector<NodeBlock>> blocks = co_await node_.BlocksByNumber(number, number);
  if (!blocks.ok()) co_return blocks.error();
  if (blocks->empty()) {
    co_return Error::Unavailable(
        std::string(reasons::kNodeBehind),
        "the node has no block " + std::to_string(number) + " to begin at (start_block)");
  }
  const Header anchor = blocks->front().header;
  auto write = [chain = chain_, epoch, genesis = identity.genesis_hash,
                anchor](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreAnchor(tx, chain, genesis, anchor);
    return {};
  };
  const pg::TransactOptions options{.name = "anchor_chain", .idempotent = true};
  CO_RETURN_IF_ERROR(co_await database_.Transact(options, write));
  log_.Info("a new chain is followed", {{"chain", chain_}, {"anchor", number}});
  identity_checked_ = true;
  co_return Status();
}

// After a start: the blocks that registrations look back over, read once more. The addresses are
// all "new" to this process then, so the first look back heals what an earlier run may have missed.
Task<Status> ChainFollower::FillRecent() {
  const HeadState& state = memory_->state;
  std::vector<NodeBlock> blocks;
  std::size_t first = 1;  // the lowest header is final or the anchor
  if (state.headers.size() > options_.lookback_blocks) {
    first = state.headers.size() - static_cast<std::size_t>(options_.lookback_blocks);
  }
  for (std::size_t i = first; i < state.headers.size(); ++i) {
    const evm::Hash32 hash = state.headers[i].hash;
    Result<std::optional<NodeBlock>> block = co_await node_.BlockByHash(hash);
    if (!block.ok()) co_return block.error();
    if (!*block) break;  // a reorganisation while nobody looked: the machine will find it
    blocks.push_back(**block);
  }
  if (blocks.empty()) co_return Status();
  Result<std::vector<ReadBlockResult>> read =
      co_await reader_.Read(std::move(blocks), ReadBy::kHash);
  if (!read.ok()) co_return read.error();
  Remember(*read);
  co_return Status();
}

Task<Status> ChainFollower::HaltChain(std::string why) {
  const std::int64_t epoch = lease_.epoch().value_or(0);
  auto write = [chain = chain_, epoch, why](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreHalt(tx, chain, why);
    return {};
  };
  const pg::TransactOptions options{.name = "halt_chain", .idempotent = true};
  CO_RETURN_IF_ERROR(co_await database_.Transact(options, write));
  halted_ = true;
  metrics_.halted.Set(1);
  log_.Error("the chain is halted: a person must look", {{"chain", chain_}, {"reason", why}});
  co_return Status();
}

Task<void> ChainFollower::NoteTrouble(Error error) {
  const runtime::SteadyTime now = clock_.Steady();
  identity_checked_ = false;
  if (!trouble_since_) trouble_since_ = now;
  if (now - last_log_ > kTroubleLogInterval || error.message != trouble_) {
    if (now - last_log_ > kContactInterval) {
      log_.Warn("the node is of no use at present",
                {{"chain", chain_}, {"reason", error.reason}, {"err", error.message}});
      last_log_ = now;
    }
  }
  const bool changed = error.message != trouble_;
  trouble_ = error.message;
  if (now - *trouble_since_ < options_.unreachable_after) co_return;
  metrics_.unreachable.Set(1);
  if (trouble_written_ && (!changed || now - last_contact_write_ < kContactInterval)) co_return;
  last_contact_write_ = now;
  co_await WriteStatus(ChainState::kUnreachable, error.message.substr(0, kMaxReasonBytes), false);
  trouble_written_ = true;
}

Task<void> ChainFollower::NoteContact() {
  const runtime::SteadyTime now = clock_.Steady();
  if (trouble_since_) {
    if (trouble_written_) log_.Info("the node is of use again", {{"chain", chain_}});
    trouble_since_.reset();
    trouble_.clear();
    trouble_written_ = false;
    metrics_.unreachable.Set(0);
  } else if (now - last_contact_write_ < kContactInterval) {
    co_return;
  }
  last_contact_write_ = now;
  co_await WriteStatus(ChainState::kFollowing, "", true);
}

Task<void> ChainFollower::WriteStatus(ChainState state, std::string reason, bool contact) {
  ChainStatus status;
  status.state = state;
  status.reason = std::move(reason);
  status.contact = contact;
  if (memory_ && memory_->state.node_head) {
    status.node_head_number = memory_->state.node_head->number;
  }
  const std::int64_t epoch = lease_.epoch().value_or(0);
  auto write = [chain = chain_, epoch, status](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreStatus(tx, chain, status);
    return {};
  };
  const pg::TransactOptions options{.name = "chain_status", .idempotent = true};
  const Status written = co_await database_.Transact(options, write);
  if (!written.ok()) {
    log_.Debug("a chain's status was not stored", {{"err", written.error().ToString()}});
  }
}

}  // namespace paymesh::watcher
