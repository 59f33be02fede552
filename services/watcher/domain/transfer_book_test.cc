#include "services/watcher/domain/transfer_book.h"

#include <gtest/gtest.h>

#include "common/evm/keccak.h"
#include "services/watcher/domain/tracked_transaction.h"

namespace paymesh::watcher {
namespace {

evm::Address AddressOf(std::uint8_t last) {
  std::array<std::uint8_t, 20> bytes{};
  bytes[19] = last;
  return evm::Address(bytes);
}

Match MatchIn(std::uint64_t block, std::string_view branch, std::string_view transaction,
              std::uint64_t amount = 5) {
  Match match;
  match.transaction_hash = evm::Keccak256(transaction);
  match.token = AddressOf(1);
  match.from = AddressOf(2);
  match.to = AddressOf(3);
  match.amount = U256(amount);
  match.block = {block, evm::Keccak256(std::string(branch) + std::to_string(block))};
  return match;
}

std::vector<Transfer> Plan(std::vector<Transfer> known, std::vector<Match> matches, Levels levels,
                           std::optional<std::uint64_t> fork = std::nullopt) {
  TransferStep step;
  step.chain = "eip155:1";
  step.fork = fork;
  step.known = std::move(known);
  step.matches = std::move(matches);
  step.levels = levels;
  auto plan = PlanTransfers(std::move(step));
  EXPECT_TRUE(plan.ok());
  return *plan;
}

TEST(Transfer, IdIsMadeOfChainTransactionAndOrdinal) {
  const evm::Hash32 hash = evm::Keccak256("t");
  const std::string id = TransferId("eip155:1", hash, 3);
  EXPECT_EQ(id, "trf_" + evm::Keccak256("eip155:1|" + hash.ToHex() + "|3").ToHex().substr(2, 32));
  EXPECT_NE(id, TransferId("eip155:1", hash, 3, 1));
  EXPECT_NE(id, TransferId("eip155:2", hash, 3));
}

TEST(TransferBook, RecordsWhatIsFoundAtItsLevel) {
  const auto plan =
      Plan({}, {MatchIn(7, "a", "t2"), MatchIn(5, "a", "t1"), MatchIn(9, "a", "t3")}, {7, 5});
  ASSERT_EQ(plan.size(), 3U);
  EXPECT_EQ(plan[0].evidence.block.number, 5U);
  EXPECT_EQ(plan[0].state, TransferState::kFinalized);
  EXPECT_EQ(plan[1].state, TransferState::kSafe);
  EXPECT_EQ(plan[2].state, TransferState::kIncluded);
  EXPECT_EQ(plan[2].revision, 1);
}

TEST(TransferBook, IgnoresWhatItHoldsAlready) {
  const auto known = Plan({}, {MatchIn(7, "a", "t")}, {});
  EXPECT_TRUE(Plan(known, {MatchIn(7, "a", "t")}, {}).empty());
}

TEST(TransferBook, RaisesFinalityOnceALevel) {
  auto known = Plan({}, {MatchIn(7, "a", "t")}, {});
  const auto safe = Plan(known, {}, {7, 3});
  ASSERT_EQ(safe.size(), 1U);
  EXPECT_EQ(safe[0].state, TransferState::kSafe);
  EXPECT_EQ(safe[0].revision, 2);
  EXPECT_TRUE(Plan(safe, {}, {8, 3}).empty());
  EXPECT_EQ(Plan(safe, {}, {9, 7})[0].state, TransferState::kFinalized);
}

TEST(TransferBook, OrphansWhatLeftTheChain) {
  const auto known = Plan({}, {MatchIn(7, "a", "t")}, {});
  const auto plan = Plan(known, {}, {}, 6);
  ASSERT_EQ(plan.size(), 1U);
  EXPECT_EQ(plan[0].state, TransferState::kOrphaned);
  EXPECT_EQ(plan[0].reorg_count, 1U);
  EXPECT_EQ(plan[0].evidence.block.number, 7U);
  EXPECT_TRUE(Plan(plan, {}, {}, 6).empty()) << "orphaned once only";
}

TEST(TransferBook, MovesATransferToItsNewBlockUnderTheSameId) {
  const auto known = Plan({}, {MatchIn(7, "a", "t")}, {});
  const auto plan = Plan(known, {MatchIn(8, "b", "t")}, {}, 6);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].state, TransferState::kOrphaned);
  EXPECT_EQ(plan[1].state, TransferState::kIncluded);
  EXPECT_EQ(plan[1].id, known[0].id);
  EXPECT_EQ(plan[1].revision, 3);
  EXPECT_EQ(plan[1].evidence.block.number, 8U);
}

TEST(TransferBook, BooksAnotherContentAtTheSamePlaceAnew) {
  const auto known = Plan({}, {MatchIn(7, "a", "t", 5)}, {});
  const auto plan = Plan(known, {MatchIn(7, "b", "t", 6)}, {}, 6);
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].id, known[0].id);
  EXPECT_EQ(plan[0].state, TransferState::kOrphaned);
  EXPECT_NE(plan[1].id, known[0].id);
  EXPECT_EQ(plan[1].variant, 1U);
  EXPECT_EQ(plan[1].evidence.amount, U256(6));
  // And back: the first content again, under its first id.
  const auto back = Plan({plan[0], plan[1]}, {MatchIn(7, "c", "t", 5)}, {}, 6);
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0].id, plan[1].id);
  EXPECT_EQ(back[0].state, TransferState::kOrphaned);
  EXPECT_EQ(back[1].id, known[0].id);
  EXPECT_EQ(back[1].state, TransferState::kIncluded);
}

TEST(TransferBook, RefusesToUndoAFinalTransfer) {
  TransferStep step;
  step.known = Plan({}, {MatchIn(7, "a", "t")}, {9, 9});
  step.fork = 6;
  EXPECT_FALSE(PlanTransfers(step).ok());
}

TEST(TransactionBook, FollowsATransactionThroughItsLife) {
  TrackedTransaction transaction;
  transaction.hash = evm::Keccak256("t");
  const BlockId block{7, evm::Keccak256("a7")};
  auto plan =
      PlanTransactions({std::nullopt, {transaction}, {{transaction.hash, block, 1, {}}}, {}});
  ASSERT_EQ(plan->size(), 1U);
  EXPECT_EQ(plan->at(0).state, TransactionState::kIncluded);
  EXPECT_TRUE(plan->at(0).receipt.has_value());
  auto orphaned = PlanTransactions({6, {plan->at(0)}, {}, {}});
  ASSERT_EQ(orphaned->size(), 1U);
  EXPECT_EQ(orphaned->at(0).state, TransactionState::kOrphaned);
  EXPECT_FALSE(orphaned->at(0).receipt.has_value());
  auto final = PlanTransactions(
      {std::nullopt, {orphaned->at(0)}, {{transaction.hash, {9, block.hash}, 1, {}}}, {9, 9}});
  ASSERT_EQ(final->size(), 1U);
  EXPECT_EQ(final->at(0).state, TransactionState::kFinalized);
  EXPECT_EQ(final->at(0).revision, 4);
}

}  // namespace
}  // namespace paymesh::watcher
