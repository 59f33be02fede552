// Random walks of a node over a growing tree of blocks: whatever it does above finality, the
// recorded live transfers are those that a fresh scan of the node's chain finds, and each journal
// of snapshots makes sense by itself.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "common/evm/keccak.h"
#include "services/watcher/domain/head_machine.h"
#include "services/watcher/domain/transfer_book.h"

namespace paymesh::watcher {
namespace {

const Tags kUntagged{{TagAnswer::kAbsent, {}}, {TagAnswer::kAbsent, {}}};

struct Block {
  Header header;
  std::vector<Match> matches;
};

class World {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    Block genesis;
    genesis.header.hash = evm::Keccak256("genesis");
    blocks_[genesis.header.hash] = genesis;
    tip_ = genesis.header.hash;
    state_.headers.push_back(genesis.header);
  }

  // Moves the node: back by at most five blocks but not below finality, then forward.
  void MoveNode() {
    const std::uint64_t head = blocks_.at(tip_).header.number;
    std::uint64_t back = random_() % 6;
    while (back-- > 0 && blocks_.at(tip_).header.number > state_.levels.finalized) {
      tip_ = blocks_.at(tip_).header.parent;
    }
    const std::uint64_t goal = std::max<std::uint64_t>(head, 1) + random_() % 4;
    while (blocks_.at(tip_).header.number < goal) Mine();
  }

  void Follow() {
    HeadAction action = Step(state_, NodeHead{blocks_.at(tip_).header}, rules_);
    while (!std::holds_alternative<Idle>(action)) {
      if (const auto* numbers = std::get_if<FetchNumbers>(&action)) {
        HeadersFetched fetched;
        for (std::uint64_t n = numbers->from; n <= numbers->to; ++n) {
          fetched.headers.push_back(At(n).header);
        }
        action = Step(state_, fetched, rules_);
      } else if (const auto* hash = std::get_if<FetchHash>(&action)) {
        action = Step(state_, HeadersFetched{{blocks_.at(hash->hash).header}}, rules_);
      } else {
        const auto* adopt = std::get_if<Adopt>(&action);
        ASSERT_NE(adopt, nullptr);
        const Levels levels = LevelsAfter(state_, *adopt, kUntagged, {2, 6, 1});
        Store(*adopt, levels);
        action = Step(state_, Adopted{levels}, rules_);
      }
    }
  }

  void Check() {
    std::map<std::string, Match> scanned;
    for (evm::Hash32 hash = tip_; blocks_.at(hash).header.number > 0;
         hash = blocks_.at(hash).header.parent) {
      for (const Match& match : blocks_.at(hash).matches) {
        scanned[match.transaction_hash.ToHex() + "/" + std::to_string(match.ordinal)] = match;
      }
    }
    std::set<std::string> live;
    for (const auto& [id, transfer] : recorded_) {
      if (!transfer.live()) continue;
      const Match& have = transfer.evidence;
      const std::string key = have.transaction_hash.ToHex() + "/" + std::to_string(have.ordinal);
      EXPECT_TRUE(live.insert(key).second) << "recorded twice";
      ASSERT_TRUE(scanned.contains(key)) << "not on the chain";
      EXPECT_TRUE(SameContent(scanned.at(key), have));
      EXPECT_EQ(scanned.at(key).block, have.block);
      EXPECT_EQ(transfer.state, StateAt(have.block.number, state_.levels));
    }
    EXPECT_EQ(live.size(), scanned.size()) << "a transfer was lost";
  }

 private:
  const Block& At(std::uint64_t number) const {
    evm::Hash32 hash = tip_;
    while (blocks_.at(hash).header.number > number) hash = blocks_.at(hash).header.parent;
    return blocks_.at(hash);
  }

  void Mine() {
    const Header& parent = blocks_.at(tip_).header;
    Block block;
    block.header.number = parent.number + 1;
    block.header.parent = parent.hash;
    block.header.hash = evm::Keccak256("b" + std::to_string(serial_++));
    // Transactions from a small set, so that many come back in other blocks; each once in a chain.
    std::set<evm::Hash32> mined;
    for (evm::Hash32 hash = tip_; blocks_.at(hash).header.number > 0;
         hash = blocks_.at(hash).header.parent) {
      for (const Match& match : blocks_.at(hash).matches) mined.insert(match.transaction_hash);
    }
    std::uint32_t log_index = 0;
    for (std::uint64_t i = random_() % 4; i > 0; --i) {
      Match match;
      match.transaction_hash = evm::Keccak256("t" + std::to_string(random_() % 40));
      if (!mined.insert(match.transaction_hash).second) continue;
      match.log_index = log_index;
      log_index += 3;
      match.amount = U256(random_() % 2);  // another content on another branch, sometimes
      match.block = block.header.id();
      block.matches.push_back(match);
    }
    tip_ = block.header.hash;
    blocks_[tip_] = std::move(block);
  }

  void Store(const Adopt& adopt, const Levels& levels) {
    TransferStep step;
    step.chain = "eip155:1";
    if (adopt.reorg_depth > 0) step.fork = adopt.fork.number;
    step.levels = levels;
    for (const Header& header : adopt.branch) {
      const auto& matches = blocks_.at(header.hash).matches;
      step.matches.insert(step.matches.end(), matches.begin(), matches.end());
    }
    // A second look at what becomes final changes nothing.
    for (std::uint64_t n = state_.levels.finalized + 1; n <= levels.finalized; ++n) {
      const Header* header = state_.At(n);
      if (header == nullptr || n > adopt.fork.number) continue;
      const auto& matches = blocks_.at(header->hash).matches;
      step.matches.insert(step.matches.end(), matches.begin(), matches.end());
    }
    for (const auto& [id, transfer] : recorded_) step.known.push_back(transfer);
    const auto plan = PlanTransfers(std::move(step));
    ASSERT_TRUE(plan.ok());
    for (const Transfer& snapshot : *plan) {
      const auto before = recorded_.find(snapshot.id);
      if (before == recorded_.end()) {
        EXPECT_EQ(snapshot.revision, 1);
      } else {
        EXPECT_EQ(snapshot.revision, before->second.revision + 1);
        EXPECT_TRUE(Allowed(before->second.state, snapshot.state));
      }
      recorded_[snapshot.id] = snapshot;
    }
  }

  std::mt19937 random_;
  std::map<evm::Hash32, Block> blocks_;
  evm::Hash32 tip_;
  int serial_ = 0;
  HeadState state_;
  const HeadRules rules_{5};
  std::map<std::string, Transfer> recorded_;
};

TEST(Reorganisations, NeverLoseOrDoubleATransfer) {
  for (std::uint32_t seed = 1; seed <= 150 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int round = 0; round < 25; ++round) {
      world.MoveNode();
      if (round % 3 == 2) world.MoveNode();  // moved twice while nobody looked
      world.Follow();
      world.Check();
    }
  }
}

}  // namespace
}  // namespace paymesh::watcher
