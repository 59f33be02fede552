#include "services/watcher/workers/chain_follower.h"

#include <algorithm>
#include <set>

#include "services/watcher/reasons.h"
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/store/transfer_store.h"

namespace paymesh::watcher {
namespace {

constexpr std::chrono::milliseconds kWithoutLeasePause{200};
constexpr std::chrono::milliseconds kHaltedPause{1'000};
constexpr std::chrono::milliseconds kDatabasePause{500};
constexpr std::chrono::milliseconds kThrottledPause{1'000};
constexpr int kMaxLoadedAddresses = 50'000;  // in one read
constexpr int kMaxTracked = 10'000;

std::vector<evm::Address> TokensOf(const runtime::ChainConfig& chain) {
  std::vector<evm::Address> tokens;
  for (const runtime::TokenConfig& token : chain.tokens) {
    tokens.push_back(evm::Address::Of(token.asset));
  }
  return tokens;
}

bool IsDatabaseTrouble(const Error& error) {
  return error.reason == "DATABASE_UNAVAILABLE" || error.reason == "OVERLOADED" ||
         error.reason == "COMMIT_UNKNOWN" || error.reason == "DATABASE_READ_ONLY" ||
         error.reason == "TRANSACTION_CONFLICT" || error.reason == "DATABASE_TIMEOUT";
}

bool IsNodeTrouble(const Error& error) {
  return error.reason == reasons::kNodeUnavailable || error.reason == reasons::kBadAnswer ||
         error.reason == reasons::kNodeError || error.reason == reasons::kNodeLimit ||
         error.reason == reasons::kNodeBehind || IsAnswerTooLarge(error);
}

// Blocks that were read before and become final in this step; they get a second look. When there
// are more than `limit`, the level waits with the rest for the next step.
std::vector<Header> BecomingFinal(const HeadState& state, std::uint64_t fork, std::size_t limit,
                                  Levels& levels) {
  std::vector<Header> finals;
  for (std::uint64_t number = state.levels.finalized + 1;
       number <= std::min(levels.finalized, fork); ++number) {
    const Header* header = state.At(number);
    if (header == nullptr) continue;
    if (finals.size() == limit) {
      levels.finalized = number - 1;
      break;
    }
    finals.push_back(*header);
  }
  return finals;
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
      reader_(node, TokensOf(options_.chain)),
      rules_{options_.max_step_blocks},
      finality_{options_.chain.safe_min_depth, options_.chain.finalized_min_depth,
                options_.missing_tag_factor} {}

Task<void> ChainFollower::Run() {
  for (;;) {
    if (!lease_.epoch()) {
      metrics_.leader.Set(0);
      memory_.reset();
      co_await runtime::SleepFor(kWithoutLeasePause);
      continue;
    }
    metrics_.leader.Set(1);
    Status done = co_await Tick();
    std::chrono::milliseconds pause = options_.poll_interval;
    if (done.ok()) {
      if (halted_) pause = kHaltedPause;
    } else if (IsNodeTrouble(done.error())) {
      if (memory_) memory_->fetched.clear();
      if (done.error().reason == reasons::kNodeLimit) pause = kThrottledPause;
      co_await NoteTrouble(done.error());
    } else {
      // Lost lease, moved cursor, database: what this process remembers may be wrong.
      memory_.reset();
      if (IsDatabaseTrouble(done.error())) pause = kDatabasePause;
      if (done.error().code == ErrorCode::kInternal) pause = kHaltedPause;
      log_.Warn("a step was not stored", {{"chain", chain_}, {"err", done.error().ToString()}});
    }
    co_await runtime::SleepFor(pause);
  }
}

Task<Status> ChainFollower::Tick() {
  const std::optional<std::int64_t> epoch = lease_.epoch();
  if (!epoch) co_return Status();
  if (halted_) memory_.reset();  // look whether an operator has let the chain go on
  if (!memory_ || memory_->epoch != *epoch) {
    memory_.reset();
    CO_RETURN_IF_ERROR(co_await Load(*epoch));
  }
  if (halted_ || !memory_) co_return Status();
  const runtime::SteadyTime start = clock_.Steady();
  Result<NodeBlock> latest = co_await node_.Latest();
  if (!latest.ok()) co_return latest.error();
  if (!identity_checked_) {
    auto read = [chain = chain_](pg::Transaction& tx) -> Result<std::optional<StoredChain>> {
      return LoadChain(tx, chain);
    };
    const pg::TransactOptions options{.name = "load_chain", .access = pg::Access::kReadOnly};
    Result<std::optional<StoredChain>> stored = co_await database_.Transact(options, read);
    if (!stored.ok()) co_return stored.error();
    CO_RETURN_IF_ERROR(co_await CheckIdentity(*stored));
    if (halted_) co_return Status();
  }
  metrics_.node_head.Set(static_cast<double>(latest->header.number));
  memory_->tags.reset();
  memory_->fetched.clear();
  memory_->fetched[latest->header.hash] = *latest;
  const bool moved = latest->header.hash != memory_->state.head().hash;
  const HeadAction first = Step(memory_->state, NodeHead{latest->header}, rules_);
  CO_RETURN_IF_ERROR(co_await Advance(first));
  if (halted_) co_return Status();
  if (moved) {
    metrics_.commit_delay.Observe(std::chrono::duration<double>(clock_.Steady() - start).count());
  }
  CO_RETURN_IF_ERROR(co_await CatchRegistrations());
  CO_RETURN_IF_ERROR(co_await Sweep());
  co_await NoteContact();
  co_return Status();
}

Task<Status> ChainFollower::Advance(HeadAction action) {
  while (!std::holds_alternative<Idle>(action)) {
    CO_RETURN_IF_ERROR(co_await Perform(action));
    if (halted_ || !memory_) co_return Status();
  }
  co_return Status();
}

// Does what the machine asks and replaces the action with the machine's next one.
Task<Status> ChainFollower::Perform(HeadAction& action) {
  HeadState& state = memory_->state;
  if (const auto* numbers = std::get_if<FetchNumbers>(&action)) {
    Result<std::vector<NodeBlock>> blocks =
        co_await node_.BlocksByNumber(numbers->from, numbers->to);
    if (!blocks.ok()) co_return blocks.error();
    HeadersFetched fetched;
    for (NodeBlock& block : *blocks) {
      fetched.headers.push_back(block.header);
      memory_->fetched[block.header.hash] = std::move(block);
    }
    action = Step(state, fetched, rules_);
  } else if (const auto* parent = std::get_if<FetchHash>(&action)) {
    Result<std::optional<NodeBlock>> block = co_await node_.BlockByHash(parent->hash);
    if (!block.ok()) co_return block.error();
    HeadersFetched fetched;
    if (*block) {
      fetched.headers.push_back((*block)->header);
      memory_->fetched[(*block)->header.hash] = **block;
    }
    action = Step(state, fetched, rules_);
  } else if (const auto* adopt = std::get_if<Adopt>(&action)) {
    Adopt step = *adopt;
    CO_RETURN_IF_ERROR(co_await TakeStep(std::move(step)));
    action = Step(state, Adopted{state.levels}, rules_);
  } else if (const auto* behind = std::get_if<NodeBehind>(&action)) {
    co_return Error::Unavailable(std::string(reasons::kNodeBehind), behind->why);
  } else if (const auto* inconsistent = std::get_if<Inconsistent>(&action)) {
    co_return BadAnswer(inconsistent->why);
  } else if (const auto* contradiction = std::get_if<Contradiction>(&action)) {
    std::string why = contradiction->why;
    metrics_.reorgs_beyond_finality.Increment();
    CO_RETURN_IF_ERROR(co_await HaltChain(std::move(why)));
    action = Idle{};
  }
  co_return Status();
}

Task<Status> ChainFollower::TakeStep(Adopt adopt) {
  HeadState& state = memory_->state;
  if (!memory_->tags) {
    Result<Tags> tags = co_await node_.FinalityTags(state.tags_seen);
    if (!tags.ok()) co_return tags.error();
    memory_->tags = *tags;
    const bool both = Satisfies(*tags, TagsSeen{.safe = true, .finalized = true});
    metrics_.tag_missing.Set(both ? 0 : 1);
  }
  const Tags& tags = *memory_->tags;
  ChainStep step;
  step.chain = chain_;
  step.epoch = memory_->epoch;
  step.expected_head = state.head().id();
  step.levels = LevelsAfter(state, adopt, tags, finality_);
  step.tags_seen = SeenAfter(state.tags_seen, tags);
  step.retained_blocks = options_.retained_blocks;
  step.node_head_number = state.node_head ? state.node_head->number : 0;
  std::vector<NodeBlock> branch;
  for (const Header& header : adopt.branch) {
    const auto found = memory_->fetched.find(header.hash);
    if (found == memory_->fetched.end()) co_return BadAnswer("a block was forgotten");
    branch.push_back(found->second);
  }
  const bool settled = tags.finalized.answer == TagAnswer::kBlock &&
                       adopt.branch.back().number <= tags.finalized.block.number;
  Result<std::vector<ReadBlockResult>> read =
      co_await reader_.Read(std::move(branch), settled ? ReadBy::kRange : ReadBy::kHash);
  if (!read.ok()) co_return read.error();
  std::vector<Header> finals =
      BecomingFinal(state, adopt.fork.number, options_.max_step_blocks, step.levels);
  step.adopt = std::move(adopt);
  CO_RETURN_IF_ERROR(co_await Gather(step, *read, std::move(finals)));
  const std::uint64_t old_final = state.levels.finalized;
  const ChainStep stored = step;
  Result<StepResult> result = co_await Store(std::move(step));
  if (!result.ok()) co_return result.error();
  NoteStep(stored, *result, old_final);
  state.levels = stored.levels;  // the machine takes them with Adopted
  state.tags_seen = stored.tags_seen;
  memory_->added.clear();
  Remember(*read);
  co_return Status();
}

// Fills in what the step's blocks hold for us, and what a second look at older ones finds.
Task<Status> ChainFollower::Gather(ChainStep& step, const std::vector<ReadBlockResult>& read,
                                   std::vector<Header> finals) {
  const std::uint64_t first_final = finals.empty() ? 1 : finals.front().number;
  const std::uint64_t last_final = finals.empty() ? 0 : finals.back().number;
  // The addresses come after the logs: whatever was registered before the block was read is there.
  Result<StepFacts> facts = co_await ReadFacts(first_final, last_final);
  if (!facts.ok()) co_return facts.error();
  AddWatched(facts->addresses);
  Result<std::vector<Match>> matches = co_await MatchBranch(read);
  if (!matches.ok()) co_return matches.error();
  step.matches = *std::move(matches);
  Result<std::vector<Match>> late = co_await LookBack(step.adopt->fork.number);
  if (!late.ok()) co_return late.error();
  step.matches.insert(step.matches.end(), late->begin(), late->end());
  Result<std::vector<Match>> missed = co_await SecondLook(std::move(finals), facts->live);
  if (!missed.ok()) co_return missed.error();
  if (!missed->empty()) {
    metrics_.missed_logs.Increment(static_cast<double>(missed->size()));
    log_.Warn("a second look found transfers", {{"chain", chain_}, {"matches", missed->size()}});
  }
  step.matches.insert(step.matches.end(), missed->begin(), missed->end());
  Result<std::vector<Inclusion>> inclusions = co_await FindInclusions(read, facts->tracked);
  if (!inclusions.ok()) co_return inclusions.error();
  step.inclusions = *std::move(inclusions);
  co_return Status();
}

void ChainFollower::AddWatched(const std::vector<WatchedAddress>& addresses) {
  memory_->watched.Add(addresses);
  for (const WatchedAddress& watched : addresses) memory_->added.insert(watched.address);
}

bool ChainFollower::Wanted(const evm::Address& to) const {
  return options_.match == MatchMode::kAll || memory_->watched.Contains(to);
}

Task<Result<std::vector<Match>>> ChainFollower::MatchBranch(
    const std::vector<ReadBlockResult>& blocks) {
  std::vector<Match> matches;
  for (const ReadBlockResult& block : blocks) {
    std::vector<Candidate> wanted;
    for (const Candidate& candidate : block.transfers) {
      if (Wanted(candidate.event.to)) wanted.push_back(candidate);
    }
    if (wanted.empty()) continue;
    Result<std::vector<Match>> proved =
        co_await reader_.Prove(block.block.header, std::move(wanted));
    if (!proved.ok()) co_return proved.error();
    matches.insert(matches.end(), proved->begin(), proved->end());
  }
  co_return matches;
}

// Addresses registered after a block was read are matched against the blocks that are remembered.
Task<Result<std::vector<Match>>> ChainFollower::LookBack(std::uint64_t up_to) {
  std::vector<Match> matches;
  const AddressSet& added = memory_->added;
  if (added.empty() || options_.match == MatchMode::kAll) co_return matches;
  for (const auto& [number, block] : memory_->recent) {
    if (number > up_to) break;
    std::vector<Candidate> wanted;
    for (const Candidate& candidate : block.transfers) {
      if (added.contains(candidate.event.to)) wanted.push_back(candidate);
    }
    if (wanted.empty()) continue;
    Result<std::vector<Match>> proved =
        co_await reader_.Prove(block.block.header, std::move(wanted));
    if (!proved.ok()) co_return proved.error();
    matches.insert(matches.end(), proved->begin(), proved->end());
  }
  co_return matches;
}

// Reads blocks again at the moment they become final. What was missed is returned; what was
// recorded and is not there any more holds finality back until the node is of one mind.
Task<Result<std::vector<Match>>> ChainFollower::SecondLook(std::vector<Header> headers,
                                                           std::vector<Transfer> live) {
  std::vector<Match> missed;
  if (headers.empty()) co_return missed;
  std::vector<NodeBlock> blocks;
  for (const Header& header : headers) {
    const auto known = memory_->recent.find(header.number);
    if (known != memory_->recent.end() && known->second.block.header.hash == header.hash) {
      blocks.push_back(known->second.block);
      continue;
    }
    Result<std::optional<NodeBlock>> block = co_await node_.BlockByHash(header.hash);
    if (!block.ok()) co_return block.error();
    if (!*block) co_return BadAnswer("a block that becomes final is unknown to the node");
    blocks.push_back(**block);
  }
  Result<std::vector<ReadBlockResult>> again =
      co_await reader_.Read(std::move(blocks), ReadBy::kHash);
  if (!again.ok()) co_return again.error();
  std::map<std::pair<std::uint64_t, std::uint32_t>, const Transfer*> recorded;
  for (const Transfer& transfer : live) {
    if (transfer.evidence.amount.IsZero()) continue;  // of a time when those were recorded
    recorded[{transfer.evidence.block.number, transfer.evidence.log_index}] = &transfer;
  }
  for (const ReadBlockResult& block : *again) {
    std::vector<Candidate> wanted;
    for (const Candidate& candidate : block.transfers) {
      if (!Wanted(candidate.event.to)) continue;
      if (recorded.erase({candidate.block_number, candidate.log_index}) == 0) {
        wanted.push_back(candidate);
      }
    }
    if (wanted.empty()) continue;
    Result<std::vector<Match>> proved =
        co_await reader_.Prove(block.block.header, std::move(wanted));
    if (!proved.ok()) co_return proved.error();
    missed.insert(missed.end(), proved->begin(), proved->end());
  }
  if (!recorded.empty()) {
    metrics_.disagreements.Increment(static_cast<double>(recorded.size()));
    co_return BadAnswer("recorded transfer " + recorded.begin()->second->id +
                        " is not in its block on a second look; finality waits");
  }
  co_return missed;
}

Task<Result<std::vector<Inclusion>>> ChainFollower::FindInclusions(
    const std::vector<ReadBlockResult>& blocks, std::vector<evm::Hash32> tracked) {
  std::vector<Inclusion> out;
  if (tracked.empty()) co_return out;
  const std::set<evm::Hash32> followed(tracked.begin(), tracked.end());
  for (const ReadBlockResult& block : blocks) {
    std::vector<evm::Hash32> here;
    for (const evm::Hash32& hash : block.block.transactions) {
      if (followed.contains(hash)) here.push_back(hash);
    }
    Result<std::vector<Inclusion>> found =
        co_await reader_.ReadInclusions(block.block.header, std::move(here));
    if (!found.ok()) co_return found.error();
    out.insert(out.end(), found->begin(), found->end());
  }
  co_return out;
}

Task<Result<ChainFollower::StepFacts>> ChainFollower::ReadFacts(std::uint64_t from,
                                                                std::uint64_t to) {
  StepFacts facts;
  std::int64_t position = memory_->watched.position();
  for (;;) {
    auto read = [chain = chain_, position, from, to](pg::Transaction& tx) -> Result<StepFacts> {
      StepFacts out;
      out.addresses = LoadAddresses(tx, position, kMaxLoadedAddresses);
      out.tracked = UnfinalTracked(tx, chain, kMaxTracked);
      if (from <= to) out.live = LoadLive(tx, chain, from, to);
      return out;
    };
    const pg::TransactOptions options{.name = "step_facts", .access = pg::Access::kReadOnly};
    Result<StepFacts> part = co_await database_.Transact(options, read);
    if (!part.ok()) co_return part.error();
    const bool more = part->addresses.size() == static_cast<std::size_t>(kMaxLoadedAddresses);
    if (more) position = part->addresses.back().position;
    facts.tracked = std::move(part->tracked);
    facts.live = std::move(part->live);
    facts.addresses.insert(facts.addresses.end(), part->addresses.begin(), part->addresses.end());
    if (!more) co_return facts;
  }
}

Task<Result<StepResult>> ChainFollower::Store(ChainStep step) {
  auto shared = std::make_shared<const ChainStep>(std::move(step));
  auto store = [shared](pg::Transaction& tx) { return StoreStep(tx, *shared); };
  const pg::TransactOptions options{.name = "chain_step"};
  co_return co_await database_.Transact(options, store);
}

void ChainFollower::Remember(const std::vector<ReadBlockResult>& blocks) {
  auto& recent = memory_->recent;
  if (!blocks.empty())
    recent.erase(recent.lower_bound(blocks.front().block.header.number), recent.end());
  for (const ReadBlockResult& block : blocks) recent[block.block.header.number] = block;
  const std::uint64_t final_number = memory_->state.levels.finalized;
  const std::uint64_t head = recent.empty() ? 0 : recent.rbegin()->first;
  while (!recent.empty() && recent.begin()->first <= final_number &&
         recent.begin()->first + options_.lookback_blocks <= head) {
    recent.erase(recent.begin());
  }
}

void ChainFollower::NoteStep(const ChainStep& step, const StepResult& result,
                             std::uint64_t old_final) {
  const Header& head = step.adopt->branch.back();
  metrics_.indexed.Set(static_cast<double>(head.number));
  metrics_.lag.Set(step.node_head_number > head.number
                       ? static_cast<double>(step.node_head_number - head.number)
                       : 0);
  metrics_.head_time.Set(static_cast<double>(head.timestamp_seconds));
  metrics_.safe.Set(static_cast<double>(step.levels.safe));
  metrics_.finalized.Set(static_cast<double>(step.levels.finalized));
  metrics_.watched_addresses.Set(static_cast<double>(memory_->watched.size()));
  metrics_.transfers.Increment(static_cast<double>(result.new_transfers));
  metrics_.orphaned.Increment(static_cast<double>(result.orphaned_transfers));
  const double now = std::chrono::duration<double>(clock_.Now().time_since_epoch()).count();
  for (std::uint64_t number = old_final + 1; number <= step.levels.finalized; ++number) {
    if (const Header* header = memory_->state.At(number)) {
      metrics_.confirmation.Observe(now - static_cast<double>(header->timestamp_seconds));
    }
  }
  if (step.adopt->reorg_depth == 0) return;
  metrics_.reorgs.Increment();
  metrics_.reorg_depth.Observe(step.adopt->reorg_depth);
  log_.Warn("reorganisation", {{"chain", chain_},
                               {"depth", step.adopt->reorg_depth},
                               {"fork", step.adopt->fork.number},
                               {"head", head.number},
                               {"orphaned_transfers", result.orphaned_transfers}});
}

}  // namespace paymesh::watcher
