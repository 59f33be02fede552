// Following a chain's head: a pure machine. It holds the hash-linked headers from the last final
// block to the head, is told what the node says, and answers what to do next. Height alone never
// moves it: only a block whose ancestry leads by hash to a block that we hold does. Values and pure
// functions; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "services/watcher/domain/block.h"

namespace paymesh::watcher {

// Finality tags that a node of this chain has ever answered with a block.
struct TagsSeen {
  bool safe = false;
  bool finalized = false;
  friend bool operator==(const TagsSeen&, const TagsSeen&) = default;
};

struct HeadState {
  std::deque<Header> headers;  // never empty: from the final block (or lower) to the head
  Levels levels;
  TagsSeen tags_seen;
  // The branch that is being connected to what we hold, ascending; empty between two questions.
  std::vector<Header> branch;
  std::optional<Header> node_head;  // what the node said last

  const Header& head() const { return headers.back(); }
  // The header that we hold at a height, or null.
  const Header* At(std::uint64_t number) const;
};

struct HeadRules {
  std::size_t max_step_blocks = 64;  // new blocks taken in one step
};

// What the node said.
struct NodeHead {
  Header header;
};
struct HeadersFetched {
  std::vector<Header> headers;  // ascending, as asked for
};
// The last Adopt has been stored, with these levels.
struct Adopted {
  Levels levels;
};
using HeadEvent = std::variant<NodeHead, HeadersFetched, Adopted>;

// What to do next.
struct Idle {};
struct FetchNumbers {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};
struct FetchHash {
  evm::Hash32 hash;
};
// Read the blocks of `branch` whole, then store them on top of `fork` in one transaction, undoing
// the `reorg_depth` blocks that we hold above it.
struct Adopt {
  BlockId fork;
  std::vector<Header> branch;
  std::uint32_t reorg_depth = 0;
};
// The node is not where we are: lower than what is final, or on an older point of our chain. Not a
// reorganisation; it may catch up.
struct NodeBehind {
  std::string why;
};
// The node answered things that do not fit together (it moved between two answers): ask again.
struct Inconsistent {
  std::string why;
};
// A block that we hold as final is another one on a node that is at least as high as we are.
struct Contradiction {
  std::string why;
};
using HeadAction =
    std::variant<Idle, FetchNumbers, FetchHash, Adopt, NodeBehind, Inconsistent, Contradiction>;

HeadAction Step(HeadState& state, const HeadEvent& event, const HeadRules& rules);

// What a node says of a finality tag.
enum class TagAnswer {
  kUnclear,  // nothing of use: an error, or a block that does not make sense
  kAbsent,   // it does not know the tag, or has no block for it
  kBlock,
};
struct Tag {
  TagAnswer answer = TagAnswer::kUnclear;
  BlockId block;
};
struct Tags {
  Tag safe;
  Tag finalized;
};
TagsSeen SeenAfter(TagsSeen before, const Tags& tags);
// Whether `tags` say all that may be hoped for: a block, or that there is none where none was ever.
bool Satisfies(const Tags& tags, TagsSeen seen);

struct FinalityRule {
  std::uint32_t safe_min_depth = 0;  // blocks on top that are needed besides the tag; 0: tag alone
  std::uint32_t finalized_min_depth = 0;
  std::uint32_t missing_tag_factor = 4;  // depth counts so many times when the tag is missing
};

// The levels once `adopt` is stored: the lower of tag and depth. A tag whose block is not on the
// branch's chain is not believed. Depth alone, times the factor, counts only on a chain none of
// whose nodes ever knew the tag: an unclear answer, or a tag that was there before, leaves the
// level where it is. The final level never falls; the safe one only with a reorganisation.
Levels LevelsAfter(const HeadState& state, const Adopt& adopt, const Tags& tags,
                   const FinalityRule& rule);

}  // namespace paymesh::watcher
