#include "services/watcher/domain/head_machine.h"

#include <algorithm>
#include <utility>

namespace paymesh::watcher {
namespace {

std::string Describe(const BlockId& block) {
  return "block " + std::to_string(block.number) + " (" + block.hash.ToHex() + ")";
}

bool Linked(const std::vector<Header>& headers) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].number != headers[i - 1].number + 1) return false;
    if (headers[i].parent != headers[i - 1].hash) return false;
  }
  return true;
}

// A branch whose parent at or below the final height is not ours.
HeadAction BelowFinality(const HeadState& state) {
  const std::uint64_t final_number = state.levels.finalized;
  const Header* ours = state.At(final_number);
  std::string why =
      "the node has another history below final " +
      (ours != nullptr ? Describe(ours->id()) : "block " + std::to_string(final_number));
  const std::uint64_t node_number =
      state.node_head ? state.node_head->number : state.branch.back().number;
  // A lower node proves nothing: one that lost its state, or is of another chain, looks the same as
  // a chain that broke its finality. Halting is for a node that knows at least what we do.
  if (node_number < state.head().number) {
    return NodeBehind{why + " and is lower (" + std::to_string(node_number) +
                      ") than what was read (" + std::to_string(state.head().number) +
                      "): it lost its state, or it is another chain"};
  }
  return Contradiction{why + "; its head is " + std::to_string(node_number)};
}

// Looks for the point where the branch leaves our chain.
HeadAction Connect(HeadState& state) {
  const Header& front = state.branch.front();
  if (front.number == 0) return BelowFinality(state);
  const std::uint64_t parent_number = front.number - 1;
  const Header* ours = state.At(parent_number);
  if (ours != nullptr && ours->hash == front.parent) {
    const std::uint64_t depth = state.head().number - parent_number;
    return Adopt{ours->id(), state.branch, static_cast<std::uint32_t>(depth)};
  }
  if (parent_number <= state.levels.finalized) return BelowFinality(state);
  return FetchHash{front.parent};
}

HeadAction OnNodeHead(HeadState& state, const Header& header, const HeadRules& rules) {
  state.branch.clear();
  state.node_head = header;
  const Header& head = state.head();
  if (header.hash == head.hash) return Idle{};
  if (header.number < state.levels.finalized) {
    return NodeBehind{"the node's head " + std::to_string(header.number) +
                      " is below final block " + std::to_string(state.levels.finalized) +
                      ": it is behind or was rolled back to an older state"};
  }
  const Header* ours = state.At(header.number);
  // A node that lags is not a reorganisation: its head has no child there yet, but ours may stand.
  if (ours != nullptr && ours->hash == header.hash) {
    return NodeBehind{"the node's head " + std::to_string(header.number) +
                      " is an older block of the chain as read up to " +
                      std::to_string(head.number)};
  }
  // At our height or below, the branch must leave our chain somewhere: its parents are asked for by
  // hash, one at a time, since the node's blocks by number may change between two answers.
  if (header.number <= head.number || header.parent == head.hash) {
    if (header.parent == head.hash && header.number != head.number + 1) {
      return Inconsistent{"the node's head does not follow its parent in height"};
    }
    state.branch = {header};
    return Connect(state);
  }
  return FetchNumbers{head.number + 1,
                      std::min<std::uint64_t>(header.number, head.number + rules.max_step_blocks)};
}

HeadAction OnHeaders(HeadState& state, const std::vector<Header>& headers) {
  if (headers.empty() || !Linked(headers)) {
    state.branch.clear();
    return Inconsistent{"the blocks do not follow one another"};
  }
  // No branch yet: the answer to FetchNumbers. Else the parent that FetchHash asked for.
  if (state.branch.empty()) {
    if (headers.front().number != state.head().number + 1) {
      return Inconsistent{"the node answered other heights than asked for"};
    }
    state.branch = headers;
    return Connect(state);
  }
  const Header& front = state.branch.front();
  const Header& last = headers.back();
  if (last.hash != front.parent || last.number + 1 != front.number) {
    state.branch.clear();
    return Inconsistent{"the node answered another block than the parent asked for"};
  }
  state.branch.insert(state.branch.begin(), headers.begin(), headers.end());
  return Connect(state);
}

HeadAction OnAdopted(HeadState& state, const Levels& levels, const HeadRules& rules) {
  const std::uint64_t first = state.branch.front().number;
  while (!state.headers.empty() && state.headers.back().number >= first) {
    state.headers.pop_back();
  }
  state.headers.insert(state.headers.end(), state.branch.begin(), state.branch.end());
  state.branch.clear();
  state.levels = levels;
  while (state.headers.size() > 1 && state.headers.front().number < levels.finalized) {
    state.headers.pop_front();
  }
  if (!state.node_head || state.node_head->number <= state.head().number) return Idle{};
  const std::uint64_t next = state.head().number + 1;
  return FetchNumbers{
      next, std::min<std::uint64_t>(state.node_head->number, next + rules.max_step_blocks - 1)};
}

bool IsBlock(const Tag& tag) { return tag.answer == TagAnswer::kBlock; }

bool Satisfies(const Tag& tag, bool seen) {
  return IsBlock(tag) || (tag.answer == TagAnswer::kAbsent && !seen);
}

// The height that a tag and a depth allow on the chain `at` whose head is `head`.
template <class At>
std::uint64_t Allowed(const Tag& tag, bool seen, std::uint32_t min_depth,
                      std::uint32_t missing_factor, std::uint64_t head, std::uint64_t floor,
                      const At& at) {
  if (!Satisfies(tag, seen)) return floor;
  if (!IsBlock(tag) && min_depth == 0) return floor;  // the tag alone was to decide
  const std::uint64_t depth =
      IsBlock(tag) ? min_depth : static_cast<std::uint64_t>(min_depth) * missing_factor;
  std::uint64_t level = head >= depth ? head - depth : 0;
  if (IsBlock(tag)) {
    const Header* ours = at(tag.block.number);
    if (ours != nullptr && ours->hash != tag.block.hash) return floor;
    level = std::min(level, tag.block.number);
  }
  return std::max(level, floor);
}

}  // namespace

const Header* HeadState::At(std::uint64_t number) const {
  const std::uint64_t first = headers.front().number;
  if (number < first || number > headers.back().number) return nullptr;
  return &headers[static_cast<std::size_t>(number - first)];
}

HeadAction Step(HeadState& state, const HeadEvent& event, const HeadRules& rules) {
  if (const auto* node_head = std::get_if<NodeHead>(&event)) {
    return OnNodeHead(state, node_head->header, rules);
  }
  if (const auto* fetched = std::get_if<HeadersFetched>(&event)) {
    return OnHeaders(state, fetched->headers);
  }
  return OnAdopted(state, std::get<Adopted>(event).levels, rules);
}

TagsSeen SeenAfter(TagsSeen before, const Tags& tags) {
  return {before.safe || IsBlock(tags.safe), before.finalized || IsBlock(tags.finalized)};
}

bool Satisfies(const Tags& tags, TagsSeen seen) {
  return Satisfies(tags.safe, seen.safe) && Satisfies(tags.finalized, seen.finalized);
}

Levels LevelsAfter(const HeadState& state, const Adopt& adopt, const Tags& tags,
                   const FinalityRule& rule) {
  const std::uint64_t first = adopt.branch.front().number;
  const std::uint64_t head = adopt.branch.back().number;
  const auto at = [&](std::uint64_t number) -> const Header* {
    if (number > head) return nullptr;
    if (number >= first) return &adopt.branch[static_cast<std::size_t>(number - first)];
    return state.At(number);
  };
  Levels levels;
  levels.finalized = Allowed(tags.finalized, state.tags_seen.finalized, rule.finalized_min_depth,
                             rule.missing_tag_factor, head, state.levels.finalized, at);
  const std::uint64_t safe_floor =
      std::max(levels.finalized, std::min(state.levels.safe, adopt.fork.number));
  levels.safe = Allowed(tags.safe, state.tags_seen.safe, rule.safe_min_depth,
                        rule.missing_tag_factor, head, safe_floor, at);
  return levels;
}

}  // namespace paymesh::watcher
