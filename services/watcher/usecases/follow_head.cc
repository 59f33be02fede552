#include "services/watcher/usecases/follow_head.h"

#include <algorithm>

#include "services/watcher/reasons.h"
#include "services/watcher/usecases/chain_step.h"

namespace paymesh::watcher {
namespace {

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

void Append(std::vector<Match>& to, const IndexedTransfers& found) {
  to.insert(to.end(), found.matches.begin(), found.matches.end());
}

}  // namespace

HeadFollower::HeadFollower(pg::Database& database, NodeClient& node, BlockIndexer& indexer,
                           ChainMetrics& metrics, runtime::Logger& log, const runtime::Clock& clock,
                           HeadOptions options)
    : database_(database),
      node_(node),
      indexer_(indexer),
      metrics_(metrics),
      log_(log),
      clock_(clock),
      options_(std::move(options)) {}

Task<Status> HeadFollower::ReadHead(ChainMemory& memory) {
  memory.latest_asked = clock_.Steady();
  Result<NodeBlock> latest = co_await node_.Latest();
  if (!latest.ok()) co_return latest.error();
  memory.latest = *std::move(latest);
  co_return Status();
}

Task<Result<std::optional<std::string>>> HeadFollower::Advance(ChainMemory& memory) {
  const Header head = memory.latest.header;
  metrics_.node_head.Set(static_cast<double>(head.number));
  // Both are of one head only: a tag that was read for another may stand above this one.
  memory.tags.reset();
  memory.fetched.clear();
  memory.fetched[head.hash] = memory.latest;
  const bool moved = head.hash != memory.state.head().hash;
  HeadAction action = Step(memory.state, NodeHead{head}, options_.rules);
  while (!std::holds_alternative<Idle>(action)) {
    if (const auto* contradiction = std::get_if<Contradiction>(&action)) {
      metrics_.reorgs_beyond_finality.Increment();
      co_return std::optional<std::string>(contradiction->why);
    }
    CO_RETURN_IF_ERROR(co_await Perform(memory, action));
  }
  if (moved) {
    metrics_.commit_delay.Observe(
        std::chrono::duration<double>(clock_.Steady() - memory.latest_asked).count());
  }
  co_return std::optional<std::string>();
}

// Does what the machine asks and replaces the action with the machine's next one.
Task<Status> HeadFollower::Perform(ChainMemory& memory, HeadAction& action) {
  HeadState& state = memory.state;
  if (const auto* numbers = std::get_if<FetchNumbers>(&action)) {
    Result<std::vector<NodeBlock>> blocks =
        co_await node_.BlocksByNumber(numbers->from, numbers->to);
    if (!blocks.ok()) co_return blocks.error();
    HeadersFetched fetched;
    for (NodeBlock& block : *blocks) {
      fetched.headers.push_back(block.header);
      memory.fetched[block.header.hash] = std::move(block);
    }
    action = Step(state, fetched, options_.rules);
  } else if (const auto* parent = std::get_if<FetchHash>(&action)) {
    Result<std::optional<NodeBlock>> block = co_await node_.BlockByHash(parent->hash);
    if (!block.ok()) co_return block.error();
    HeadersFetched fetched;
    if (*block) {
      fetched.headers.push_back((*block)->header);
      memory.fetched[(*block)->header.hash] = **block;
    }
    action = Step(state, fetched, options_.rules);
  } else if (const auto* adopt = std::get_if<Adopt>(&action)) {
    Adopt step = *adopt;
    CO_RETURN_IF_ERROR(co_await TakeStep(memory, std::move(step)));
    action = Step(state, Adopted{state.levels}, options_.rules);
  } else if (const auto* behind = std::get_if<NodeBehind>(&action)) {
    co_return Error::Unavailable(std::string(reasons::kNodeBehind), behind->why);
  } else if (const auto* inconsistent = std::get_if<Inconsistent>(&action)) {
    co_return BadAnswer(inconsistent->why);
  }
  co_return Status();
}

Task<Status> HeadFollower::ReadTags(ChainMemory& memory) {
  if (memory.tags) co_return Status();
  Result<Tags> tags = co_await node_.FinalityTags(memory.state.tags_seen);
  if (!tags.ok()) co_return tags.error();
  memory.tags = *tags;
  const bool both = Satisfies(*tags, TagsSeen{.safe = true, .finalized = true});
  metrics_.tag_missing.Set(both ? 0 : 1);
  co_return Status();
}

Task<Status> HeadFollower::TakeStep(ChainMemory& memory, Adopt adopt) {
  HeadState& state = memory.state;
  CO_RETURN_IF_ERROR(co_await ReadTags(memory));
  const Tags& tags = *memory.tags;
  ChainStep step;
  step.chain = options_.chain;
  step.epoch = memory.epoch;
  step.expected_head = state.head().id();
  step.levels = LevelsAfter(state, adopt, tags, options_.finality);
  step.tags_seen = SeenAfter(state.tags_seen, tags);
  step.retained_blocks = options_.retained_blocks;
  step.node_head_number = state.node_head ? state.node_head->number : 0;
  std::vector<NodeBlock> branch;
  for (const Header& header : adopt.branch) {
    const auto found = memory.fetched.find(header.hash);
    if (found == memory.fetched.end()) co_return BadAnswer("a block was forgotten");
    branch.push_back(found->second);
  }
  // Logs by range are cheaper, but name no block hash: only where no other block can come.
  const bool settled = tags.finalized.answer == TagAnswer::kBlock &&
                       adopt.branch.back().number <= tags.finalized.block.number;
  Result<std::vector<ReadBlockResult>> read =
      co_await indexer_.Read(std::move(branch), settled ? ReadBy::kRange : ReadBy::kHash);
  if (!read.ok()) co_return read.error();
  std::vector<Header> finals =
      BecomingFinal(state, adopt.fork.number, options_.rules.max_step_blocks, step.levels);
  step.adopt = std::move(adopt);
  CO_RETURN_IF_ERROR(co_await Gather(memory, step, *read, std::move(finals)));
  const ChainStep stored = step;
  Result<StepResult> result = co_await CommitStep(database_, std::move(step));
  if (!result.ok()) co_return result.error();
  NoteStep(memory, stored, *result);
  state.levels = stored.levels;  // the machine takes them with Adopted
  state.tags_seen = stored.tags_seen;
  memory.added.clear();
  memory.Remember(*read, options_.lookback_blocks);
  co_return Status();
}

// Fills in what the step's blocks hold for us, and what a second look at older ones finds.
Task<Status> HeadFollower::Gather(ChainMemory& memory, ChainStep& step,
                                  const std::vector<ReadBlockResult>& read,
                                  std::vector<Header> finals) {
  const std::uint64_t first_final = finals.empty() ? 1 : finals.front().number;
  const std::uint64_t last_final = finals.empty() ? 0 : finals.back().number;
  // The addresses come after the logs: whatever was registered before the block was read is there.
  Result<StepFacts> facts = co_await ReadStepFacts(
      database_, options_.chain, memory.watched.position(), first_final, last_final);
  if (!facts.ok()) co_return facts.error();
  memory.AddWatched(facts->addresses);
  Result<IndexedTransfers> matches = co_await indexer_.MatchNew(memory, read);
  if (!matches.ok()) co_return matches.error();
  Append(step.matches, *matches);
  // Blocks above the fork leave the chain in this step: what they hold is not looked back at.
  Result<IndexedTransfers> late = co_await indexer_.LookBack(memory, step.adopt->fork.number);
  if (!late.ok()) co_return late.error();
  Append(step.matches, *late);
  CO_RETURN_IF_ERROR(co_await LookAgain(memory, step, std::move(finals), std::move(facts->live)));
  Result<std::vector<Inclusion>> inclusions =
      co_await indexer_.FindInclusions(read, std::move(facts->tracked));
  if (!inclusions.ok()) co_return inclusions.error();
  step.inclusions = *std::move(inclusions);
  co_return Status();
}

// What a second look missed before is recorded with the step. What was recorded and is not there
// any more holds finality back until the node is of one mind: nothing final may be wrong.
Task<Status> HeadFollower::LookAgain(ChainMemory& memory, ChainStep& step,
                                     std::vector<Header> finals, std::vector<Transfer> live) {
  Result<SecondLook> look = co_await indexer_.LookAgain(memory, std::move(finals), std::move(live));
  if (!look.ok()) co_return look.error();
  if (!look->gone.empty()) {
    metrics_.disagreements.Increment(static_cast<double>(look->gone.size()));
    co_return BadAnswer("recorded transfer " + look->gone.front() +
                        " is not in its block on a second look; finality waits");
  }
  const std::size_t missed = look->missed.matches.size();
  if (missed != 0) {
    metrics_.missed_logs.Increment(static_cast<double>(missed));
    log_.Warn("a second look found transfers", {{"chain", options_.chain}, {"matches", missed}});
  }
  Append(step.matches, look->missed);
  co_return Status();
}

// Before the memory takes the step's levels.
void HeadFollower::NoteStep(const ChainMemory& memory, const ChainStep& step,
                            const StepResult& result) {
  const Header& head = step.adopt->branch.back();
  metrics_.indexed.Set(static_cast<double>(head.number));
  metrics_.lag.Set(step.node_head_number > head.number
                       ? static_cast<double>(step.node_head_number - head.number)
                       : 0);
  metrics_.head_time.Set(static_cast<double>(head.timestamp_seconds));
  metrics_.safe.Set(static_cast<double>(step.levels.safe));
  metrics_.finalized.Set(static_cast<double>(step.levels.finalized));
  metrics_.watched_addresses.Set(static_cast<double>(memory.watched.size()));
  metrics_.transfers.Increment(static_cast<double>(result.new_transfers));
  metrics_.orphaned.Increment(static_cast<double>(result.orphaned_transfers));
  const double now = std::chrono::duration<double>(clock_.Now().time_since_epoch()).count();
  for (std::uint64_t number = memory.state.levels.finalized + 1; number <= step.levels.finalized;
       ++number) {
    if (const Header* header = memory.state.At(number)) {
      metrics_.confirmation.Observe(now - static_cast<double>(header->timestamp_seconds));
    }
  }
  if (step.adopt->reorg_depth == 0) return;
  metrics_.reorgs.Increment();
  metrics_.reorg_depth.Observe(step.adopt->reorg_depth);
  log_.Warn("reorganisation", {{"chain", options_.chain},
                               {"depth", step.adopt->reorg_depth},
                               {"fork", step.adopt->fork.number},
                               {"head", head.number},
                               {"orphaned_transfers", result.orphaned_transfers}});
}

}  // namespace paymesh::watcher
