#include "services/watcher/domain/head_machine.h"

#include <gtest/gtest.h>

#include <map>

#include "common/evm/keccak.h"

namespace paymesh::watcher {
namespace {

// A chain of a node: blocks named by text, so that a test reads like a drawing.
class FakeChain {
 public:
  FakeChain() { Put("g", std::nullopt); }
  void Put(const std::string& name, const std::optional<std::string>& parent) {
    Header header;
    header.hash = evm::Keccak256(name);
    if (parent) {
      header.parent = by_name_.at(*parent).hash;
      header.number = by_name_.at(*parent).number + 1;
    }
    header.timestamp_seconds = 1'000 + header.number;
    by_name_[name] = header;
    by_hash_[header.hash] = header;
    head_ = name;
  }
  void SetHead(const std::string& name) { head_ = name; }
  const Header& Get(const std::string& name) const { return by_name_.at(name); }
  const Header& head() const { return by_name_.at(head_); }
  const Header& ByHash(const evm::Hash32& hash) const { return by_hash_.at(hash); }
  const Header& ByNumber(std::uint64_t number) const {
    const Header* header = &head();
    while (header->number > number) header = &by_hash_.at(header->parent);
    return *header;
  }

 private:
  std::map<std::string, Header> by_name_;
  std::map<evm::Hash32, Header> by_hash_;
  std::string head_;
};

HeadState StartAt(const FakeChain& chain) {
  HeadState state;
  state.headers.push_back(chain.Get("g"));
  return state;
}

// Plays the worker: answers the machine's questions from the chain until it rests.
HeadAction Follow(HeadState& state, const FakeChain& chain, const HeadRules& rules,
                  const FinalityRule& finality, const Tags& tags = {},
                  std::uint32_t* deepest = nullptr) {
  HeadAction action = Step(state, NodeHead{chain.head()}, rules);
  for (;;) {
    if (const auto* numbers = std::get_if<FetchNumbers>(&action)) {
      HeadersFetched fetched;
      for (std::uint64_t n = numbers->from; n <= numbers->to; ++n) {
        fetched.headers.push_back(chain.ByNumber(n));
      }
      action = Step(state, fetched, rules);
    } else if (const auto* by_hash = std::get_if<FetchHash>(&action)) {
      action = Step(state, HeadersFetched{{chain.ByHash(by_hash->hash)}}, rules);
    } else if (const auto* adopt = std::get_if<Adopt>(&action)) {
      if (deepest != nullptr) *deepest = std::max(*deepest, adopt->reorg_depth);
      const Levels levels = LevelsAfter(state, *adopt, tags, finality);
      action = Step(state, Adopted{levels}, rules);
    } else {
      return action;
    }
  }
}

void ExpectLinked(const HeadState& state) {
  for (std::size_t i = 1; i < state.headers.size(); ++i) {
    ASSERT_EQ(state.headers[i].parent, state.headers[i - 1].hash);
    ASSERT_EQ(state.headers[i].number, state.headers[i - 1].number + 1);
  }
}

const HeadRules kRules{4};
const FinalityRule kDepthOnly{2, 6, 1};

TEST(HeadMachine, TakesTheNextBlock) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  chain.Put("a", "g");
  const HeadAction action = Step(state, NodeHead{chain.head()}, kRules);
  const auto* adopt = std::get_if<Adopt>(&action);
  ASSERT_NE(adopt, nullptr);
  EXPECT_EQ(adopt->reorg_depth, 0U);
  EXPECT_EQ(adopt->fork, chain.Get("g").id());
}

TEST(HeadMachine, IgnoresTheHeadThatItHolds) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  EXPECT_TRUE(std::holds_alternative<Idle>(Step(state, NodeHead{chain.head()}, kRules)));
}

TEST(HeadMachine, CatchesUpOverAGapInBoundedSteps) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 23; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  EXPECT_TRUE(std::holds_alternative<Idle>(Follow(state, chain, kRules, kDepthOnly)));
  EXPECT_EQ(state.head().hash, chain.head().hash);
  EXPECT_EQ(state.levels, (Levels{21, 17}));
  EXPECT_EQ(state.headers.front().number, 17U);
  ExpectLinked(state);
}

TEST(HeadMachine, FollowsAReorganisationOfAnyDepthAboveFinality) {
  for (int depth = 1; depth <= 6; ++depth) {
    FakeChain chain;
    HeadState state = StartAt(chain);
    std::string parent = "g";
    for (int i = 1; i <= 10; ++i) {
      chain.Put("b" + std::to_string(i), parent);
      parent = "b" + std::to_string(i);
    }
    Follow(state, chain, kRules, kDepthOnly);
    ASSERT_EQ(state.levels.finalized, 4U);
    parent = "b" + std::to_string(10 - depth);
    for (int i = 10 - depth + 1; i <= 10; ++i) {
      chain.Put("c" + std::to_string(i), parent);
      parent = "c" + std::to_string(i);
    }
    std::uint32_t deepest = 0;
    EXPECT_TRUE(
        std::holds_alternative<Idle>(Follow(state, chain, kRules, kDepthOnly, {}, &deepest)));
    EXPECT_EQ(deepest, static_cast<std::uint32_t>(depth));
    EXPECT_EQ(state.head().hash, chain.head().hash);
    EXPECT_EQ(state.levels.finalized, 4U);
    ExpectLinked(state);
  }
}

TEST(HeadMachine, RefusesAReorganisationBelowFinality) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 10; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  Follow(state, chain, kRules, kDepthOnly);
  parent = "b3";
  for (int i = 4; i <= 10; ++i) {
    chain.Put("c" + std::to_string(i), parent);
    parent = "c" + std::to_string(i);
  }
  const HeadAction action = Follow(state, chain, kRules, kDepthOnly);
  EXPECT_TRUE(std::holds_alternative<Contradiction>(action));
  EXPECT_EQ(state.head().hash, chain.Get("b10").hash);
}

TEST(HeadMachine, TakesALowerNodeWithAnotherPastForOneThatLostItsState) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 10; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  Follow(state, chain, kRules, kDepthOnly);
  chain.Put("x1", "g");
  EXPECT_TRUE(std::holds_alternative<NodeBehind>(Follow(state, chain, kRules, kDepthOnly)));
  parent = "x1";
  for (int i = 2; i <= 7; ++i) {
    chain.Put("x" + std::to_string(i), parent);
    parent = "x" + std::to_string(i);
  }
  EXPECT_TRUE(std::holds_alternative<NodeBehind>(Follow(state, chain, kRules, kDepthOnly)));
  for (int i = 8; i <= 10; ++i) {
    chain.Put("x" + std::to_string(i), parent);
    parent = "x" + std::to_string(i);
  }
  EXPECT_TRUE(std::holds_alternative<Contradiction>(Follow(state, chain, kRules, kDepthOnly)));
}

TEST(HeadMachine, NeverGoesBackByNumberAlone) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  chain.Put("a", "g");
  chain.Put("b", "a");
  Follow(state, chain, kRules, kDepthOnly);
  chain.SetHead("a");
  EXPECT_TRUE(std::holds_alternative<NodeBehind>(Follow(state, chain, kRules, kDepthOnly)));
  EXPECT_EQ(state.head().hash, chain.Get("b").hash);
  chain.Put("b'", "a");
  EXPECT_TRUE(std::holds_alternative<Idle>(Follow(state, chain, kRules, kDepthOnly)));
  EXPECT_EQ(state.head().hash, chain.Get("b'").hash);
}

TEST(HeadMachine, AsksAgainWhenAnswersDoNotLink) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  chain.Put("a", "g");
  chain.Put("b", "a");
  chain.Put("c", "b");
  HeadAction action = Step(state, NodeHead{chain.head()}, kRules);
  ASSERT_TRUE(std::holds_alternative<FetchNumbers>(action));
  action = Step(state, HeadersFetched{{chain.Get("a"), chain.Get("c")}}, kRules);
  EXPECT_TRUE(std::holds_alternative<Inconsistent>(action));
  action = Step(state, HeadersFetched{}, kRules);
  EXPECT_TRUE(std::holds_alternative<Inconsistent>(action));
  EXPECT_EQ(state.head().number, 0U);
}

TEST(Finality, IsTheLowerOfTagAndDepth) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 20; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  Tags tags{chain.Get("b18").id(), chain.Get("b9").id()};
  const HeadRules wide{64};
  Follow(state, chain, wide, {4, 8, 4}, tags);
  EXPECT_EQ(state.levels, (Levels{16, 9}));
}

TEST(Finality, FallsBackToAMultipleOfTheDepthWithoutTags) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 20; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  const HeadRules wide{64};
  Follow(state, chain, wide, {1, 3, 4}, {});
  EXPECT_EQ(state.levels, (Levels{16, 8}));
}

TEST(Finality, DoesNotBelieveATagOfAnotherBranch) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  chain.Put("x1", "g");
  chain.Put("a1", "g");
  chain.Put("a2", "a1");
  chain.Put("a3", "a2");
  Tags tags{chain.Get("x1").id(), chain.Get("x1").id()};
  Follow(state, chain, kRules, {0, 0, 1}, tags);
  EXPECT_EQ(state.levels, (Levels{0, 0}));
}

}  // namespace
}  // namespace paymesh::watcher
