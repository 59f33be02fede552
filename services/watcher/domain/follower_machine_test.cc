#include "services/watcher/domain/follower_machine.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

using std::chrono::milliseconds;
using enum FollowerAction;

constexpr milliseconds kPoll{150};

class FollowerMachineTest : public ::testing::Test {
 protected:
  // A first turn up to the head, from a chain that is stored already.
  void LoadWhole() {
    ASSERT_EQ(machine_.Begin(1), kLoad);
    machine_.Loaded(false, false);
    ASSERT_EQ(machine_.Next(), kCheckIdentity);
    ASSERT_EQ(machine_.Next(), kReadRecent);
    ASSERT_EQ(machine_.Next(), kReadHead);
  }
  void FinishTurn() {
    while (machine_.Next() != kRest) {
    }
  }

  FollowerMachine machine_{kPoll};
};

TEST_F(FollowerMachineTest, WaitsForTheLeaseAndRemembersNothing) {
  EXPECT_EQ(machine_.Begin(std::nullopt), kRest);
  EXPECT_EQ(machine_.pause(), milliseconds(200));
  LoadWhole();
  EXPECT_TRUE(machine_.remembers());
  FinishTurn();
  EXPECT_EQ(machine_.Begin(std::nullopt), kRest);
  EXPECT_FALSE(machine_.remembers());
  EXPECT_EQ(machine_.Begin(1), kLoad);
}

TEST_F(FollowerMachineTest, ATurnGoesThroughAllActionsInOrder) {
  LoadWhole();
  EXPECT_EQ(machine_.Next(), kAdvance);
  EXPECT_EQ(machine_.Next(), kCatchRegistrations);
  EXPECT_EQ(machine_.Next(), kPollTransactions);
  EXPECT_EQ(machine_.Next(), kReportContact);
  EXPECT_EQ(machine_.Next(), kRest);
  EXPECT_EQ(machine_.pause(), kPoll);
  EXPECT_EQ(machine_.Begin(1), kReadHead);
  EXPECT_EQ(machine_.Next(), kAdvance);
}

TEST_F(FollowerMachineTest, AnotherEpochLoadsAgain) {
  LoadWhole();
  FinishTurn();
  EXPECT_EQ(machine_.Begin(2), kLoad);
  EXPECT_FALSE(machine_.remembers());
  machine_.Loaded(false, false);
  EXPECT_EQ(machine_.Next(), kReadRecent) << "the node has not been away";
}

TEST_F(FollowerMachineTest, ANewChainTakesItsIdentityFromTheNode) {
  ASSERT_EQ(machine_.Begin(1), kLoad);
  machine_.Loaded(false, true);
  EXPECT_EQ(machine_.Next(), kReadRecent);
}

TEST_F(FollowerMachineTest, AHaltedChainIsLookedAtUntilItIsResumed) {
  ASSERT_EQ(machine_.Begin(1), kLoad);
  machine_.Loaded(true, false);
  EXPECT_EQ(machine_.Next(), kRest);
  EXPECT_EQ(machine_.pause(), milliseconds(1'000));
  EXPECT_FALSE(machine_.remembers());
  ASSERT_EQ(machine_.Begin(1), kLoad);
  machine_.Loaded(false, false);
  EXPECT_EQ(machine_.Next(), kCheckIdentity);
}

TEST_F(FollowerMachineTest, HaltingEndsTheTurnAndForgets) {
  LoadWhole();
  ASSERT_EQ(machine_.Next(), kAdvance);
  machine_.Halted();
  EXPECT_EQ(machine_.Next(), kRest);
  EXPECT_EQ(machine_.pause(), milliseconds(1'000));
  EXPECT_EQ(machine_.Begin(1), kLoad);
}

TEST_F(FollowerMachineTest, AnotherIdentityHaltsBeforeAnyBlockIsRead) {
  ASSERT_EQ(machine_.Begin(1), kLoad);
  machine_.Loaded(false, false);
  ASSERT_EQ(machine_.Next(), kCheckIdentity);
  machine_.Halted();
  EXPECT_EQ(machine_.Next(), kRest);
  EXPECT_FALSE(machine_.remembers());
}

TEST_F(FollowerMachineTest, ANodeThatWasAwayIsAskedWhoItIsBeforeItsHeadIsBelieved) {
  LoadWhole();
  FinishTurn();
  ASSERT_EQ(machine_.Begin(1), kReadHead);
  EXPECT_EQ(machine_.Failed(Trouble::kNode), kRest);
  EXPECT_EQ(machine_.pause(), kPoll);
  EXPECT_TRUE(machine_.remembers());
  ASSERT_EQ(machine_.Begin(1), kReadHead);
  EXPECT_EQ(machine_.Next(), kCheckIdentity);
  EXPECT_EQ(machine_.Next(), kAdvance);
}

TEST_F(FollowerMachineTest, ALoadThatFailedHalfwayIsBegunAgain) {
  ASSERT_EQ(machine_.Begin(1), kLoad);
  machine_.Loaded(false, false);
  ASSERT_EQ(machine_.Next(), kCheckIdentity);
  ASSERT_EQ(machine_.Next(), kReadRecent);
  machine_.Failed(Trouble::kNode);
  EXPECT_FALSE(machine_.remembers());
  EXPECT_EQ(machine_.Begin(1), kLoad);
}

TEST_F(FollowerMachineTest, PausesByTheKindOfTroubleAndForgetsWhereTheDatabaseMayDiffer) {
  const std::vector<std::tuple<Trouble, milliseconds, bool>> rows = {
      {Trouble::kNode, kPoll, true},
      {Trouble::kThrottled, milliseconds(1'000), true},
      {Trouble::kDatabase, milliseconds(500), false},
      {Trouble::kInternal, milliseconds(1'000), false},
      {Trouble::kOther, kPoll, false}};
  for (const auto& [trouble, pause, remembers] : rows) {
    FollowerMachine machine(kPoll);
    machine.Begin(1);
    machine.Loaded(false, true);
    machine.Next();
    ASSERT_EQ(machine.Next(), kReadHead);
    EXPECT_EQ(machine.Failed(trouble), kRest);
    EXPECT_EQ(machine.pause(), pause) << static_cast<int>(trouble);
    EXPECT_EQ(machine.remembers(), remembers) << static_cast<int>(trouble);
  }
}

TEST(TroubleOf, SortsErrorsByWhatTheyMeanForTheFollower) {
  const auto of = [](std::string_view reason) {
    return TroubleOf(Error::Unavailable(std::string(reason), ""));
  };
  EXPECT_EQ(of(reasons::kNodeUnavailable), Trouble::kNode);
  EXPECT_EQ(of(reasons::kBadAnswer), Trouble::kNode);
  EXPECT_EQ(of(reasons::kNodeError), Trouble::kNode);
  EXPECT_EQ(of(reasons::kNodeBehind), Trouble::kNode);
  EXPECT_EQ(of(reasons::kNodeAnswerTooLarge), Trouble::kNode);
  EXPECT_EQ(of(reasons::kNodeLimit), Trouble::kThrottled);
  EXPECT_EQ(of("DATABASE_UNAVAILABLE"), Trouble::kDatabase);
  EXPECT_EQ(of("COMMIT_UNKNOWN"), Trouble::kDatabase);
  EXPECT_EQ(of(reasons::kCursorMoved), Trouble::kOther);
  EXPECT_EQ(of("LEASE_LOST"), Trouble::kOther);
  EXPECT_EQ(TroubleOf(Error::Internal("")), Trouble::kInternal);
}

}  // namespace
}  // namespace paymesh::watcher
