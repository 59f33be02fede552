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

const Tags kNoTags{{TagAnswer::kAbsent, {}}, {TagAnswer::kAbsent, {}}};
Tag At(const Header& header) { return {TagAnswer::kBlock, header.id()}; }

// Plays the worker: answers the machine's questions from the chain until it rests.
HeadAction Follow(HeadState& state, const FakeChain& chain, const HeadRules& rules,
                  const FinalityRule& finality, const Tags& tags = kNoTags,
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
        std::holds_alternative<Idle>(Follow(state, chain, kRules, kDepthOnly, kNoTags, &deepest)));
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
  const Tags tags{At(chain.Get("b18")), At(chain.Get("b9"))};
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
  Follow(state, chain, wide, {1, 3, 4}, kNoTags);
  EXPECT_EQ(state.levels, (Levels{16, 8}));
}

TEST(Finality, DoesNotBelieveATagOfAnotherBranch) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  chain.Put("x1", "g");
  chain.Put("a1", "g");
  chain.Put("a2", "a1");
  chain.Put("a3", "a2");
  const Tags tags{At(chain.Get("x1")), At(chain.Get("x1"))};
  Follow(state, chain, kRules, {0, 0, 1}, tags);
  EXPECT_EQ(state.levels, (Levels{0, 0}));
}

// A node that knows the tags, twenty blocks up, and what it says of them with the blocks that
// follow.
class TagTest : public ::testing::Test {
 protected:
  TagTest() : state_(StartAt(chain_)) { Grow(20, {At(chain_.Get("g")), At(chain_.Get("g"))}); }
  void Grow(int blocks, const Tags& tags) {
    for (; blocks > 0; --blocks) {
      const std::string name = "b" + std::to_string(++height_);
      chain_.Put(name, height_ == 1 ? "g" : "b" + std::to_string(height_ - 1));
    }
    Follow(state_, chain_, HeadRules{64}, {2, 3, 4}, tags);
    state_.tags_seen = SeenAfter(state_.tags_seen, tags);
  }
  FakeChain chain_;
  HeadState state_;
  int height_ = 0;
};

TEST_F(TagTest, ATagThatIsMissingForAMomentRaisesNothing) {
  Grow(1, {At(chain_.Get("b18")), At(chain_.Get("b9"))});
  EXPECT_EQ(state_.levels, (Levels{18, 9}));
  Grow(20, kNoTags);
  EXPECT_EQ(state_.levels, (Levels{18, 9}));
  Grow(1, {{}, {}});
  EXPECT_EQ(state_.levels, (Levels{18, 9}));
  Grow(1, {At(chain_.Get("b30")), At(chain_.Get("b25"))});
  EXPECT_EQ(state_.levels, (Levels{30, 25}));
}

TEST_F(TagTest, EachTagIsRememberedForItself) {
  FakeChain other;
  HeadState state = StartAt(other);
  state.tags_seen = SeenAfter({}, {At(other.Get("g")), {TagAnswer::kAbsent, {}}});
  EXPECT_EQ(state.tags_seen, (TagsSeen{.safe = true, .finalized = false}));
  EXPECT_FALSE(Satisfies(kNoTags, state.tags_seen));
  EXPECT_TRUE(Satisfies(kNoTags, {}));
  EXPECT_FALSE(Satisfies(Tags{}, {})) << "an unclear answer is not the node's word";
}

TEST(Finality, AnUnclearAnswerRaisesNothingEvenOnAChainWithoutTags) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 40; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  Follow(state, chain, HeadRules{64}, {1, 3, 4}, Tags{});
  EXPECT_EQ(state.levels, (Levels{0, 0}));
}

TEST(Finality, IsTheTagsAloneWhereNoDepthIsConfigured) {
  FakeChain chain;
  HeadState state = StartAt(chain);
  std::string parent = "g";
  for (int i = 1; i <= 40; ++i) {
    chain.Put("b" + std::to_string(i), parent);
    parent = "b" + std::to_string(i);
  }
  const HeadRules wide{64};
  Follow(state, chain, wide, {0, 0, 4}, kNoTags);
  EXPECT_EQ(state.levels, (Levels{0, 0}));
  chain.Put("b41", "b40");
  Follow(state, chain, wide, {0, 0, 4}, {At(chain.Get("b40")), At(chain.Get("b39"))});
  EXPECT_EQ(state.levels, (Levels{40, 39}));
}

}  // namespace
}  // namespace paymesh::watcher
