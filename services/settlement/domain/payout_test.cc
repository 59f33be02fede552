#include "services/settlement/domain/payout.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "common/base/testing/source_dir.h"
#include "services/settlement/domain/destination.h"

namespace paymesh::settlement {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Payout, GoesBackToReservedOnlyBeforeItIsIncluded) {
  EXPECT_EQ(NextState(PayoutState::kSubmitted, PayoutEvent::kWithdraw), PayoutState::kReserved);
  for (const PayoutState state : {PayoutState::kIncluded, PayoutState::kFinalized,
                                  PayoutState::kFailed, PayoutState::kCanceled}) {
    EXPECT_EQ(NextState(state, PayoutEvent::kWithdraw), std::nullopt);
  }
}

TEST(Payout, CannotBeCancelledOnceItHasANonce) {
  EXPECT_EQ(NextState(PayoutState::kSubmitted, PayoutEvent::kCancel), std::nullopt);
  EXPECT_EQ(PayoutStateError(PayoutState::kSubmitted, PayoutEvent::kCancel).reason,
            "PAYOUT_IN_FLIGHT");
  EXPECT_EQ(PayoutStateError(PayoutState::kFinalized, PayoutEvent::kCancel).reason,
            "PAYOUT_CLOSED");
  EXPECT_EQ(PayoutStateError(PayoutState::kReserved, PayoutEvent::kApprove).reason,
            "PAYOUT_NOT_AWAITING_APPROVAL");
}

TEST(Payout, MovesAsTheDatabaseEnforces) {
  std::ifstream file(SourcePath("/services/settlement/migrations/0050_payout.sql"));
  const std::string sql(std::istreambuf_iterator<char>(file), {});
  for (std::size_t from = 0; from < kPayoutStates; ++from) {
    for (std::size_t to = 0; to < kPayoutStates; ++to) {
      bool in_table = false;
      for (const PayoutTransition& transition : kPayoutTransitions) {
        in_table = in_table || (transition.from == static_cast<PayoutState>(from) &&
                                transition.to == static_cast<PayoutState>(to));
      }
      const std::string pair = "('" + std::string(PayoutStateName(static_cast<PayoutState>(from))) +
                               "', '" + std::string(PayoutStateName(static_cast<PayoutState>(to))) +
                               "')";
      EXPECT_EQ(sql.find(pair) != std::string::npos, in_table) << pair;
    }
  }
}

TEST(PayoutLines, SettleTheOldestPaymentsFirst) {
  const auto lines = AllocateLines(
      U256(25),
      {{"pay_a", U256(10)}, {"pay_b", U256(0)}, {"pay_c", U256(10)}, {"pay_d", U256(10)}});
  EXPECT_EQ(lines, (std::vector<PayoutLine>{
                       {"pay_a", U256(10)}, {"pay_c", U256(10)}, {"pay_d", U256(5)}}));
}

TEST(PayoutLines, LeaveMoneyWithoutAPaymentAlone) {
  EXPECT_EQ(AllocateLines(U256(25), {{"pay_a", U256(10)}}),
            (std::vector<PayoutLine>{{"pay_a", U256(10)}}));
  EXPECT_TRUE(AllocateLines(U256(25), {}).empty());
}

TEST(PayoutLines, LimitAPayoutToWhatTheySettleWhenThereMayBeMore) {
  const std::vector<OpenPayment> oldest = {{"pay_a", U256(10)}, {"pay_b", U256(10)}};
  EXPECT_EQ(MostToPay(U256(25), oldest, 2), U256(20));
  EXPECT_EQ(MostToPay(U256(15), oldest, 2), U256(15));
  EXPECT_EQ(MostToPay(U256(25), oldest, 3), U256(25)) << "there are no more payments than these";
  EXPECT_TRUE(CheckLines(U256(20), oldest, 2).ok());
  EXPECT_EQ(CheckLines(U256(21), oldest, 2).error().metadata.at("at_most"), "20");
}

TEST(PayoutPlan, PaysWhatIsAvailableFromTheMinimumOn) {
  PlanFacts facts;
  facts.schedule = PlanSchedule::kOnFinal;
  facts.minimum = U256(100);
  facts.available = U256(99);
  EXPECT_EQ(PlanPayout(facts), std::nullopt);
  facts.available = U256(100);
  EXPECT_EQ(PlanPayout(facts), U256(100));
  facts.schedule = PlanSchedule::kManual;
  EXPECT_EQ(PlanPayout(facts), std::nullopt);
  facts.schedule = PlanSchedule::kOnFinal;
  facts.minimum = facts.available = U256(0);
  EXPECT_EQ(PlanPayout(facts), std::nullopt);
}

TEST(PayoutPlan, RunsOnceADayAfterMidnight) {
  const Time day = std::chrono::floor<std::chrono::days>(Time(seconds(1'700'000'000)));
  EXPECT_TRUE(PlanDue(PlanSchedule::kDaily, std::nullopt, day));
  EXPECT_FALSE(PlanDue(PlanSchedule::kDaily, day, day + hours(23)));
  EXPECT_TRUE(PlanDue(PlanSchedule::kDaily, day + hours(23), day + hours(24)));
  EXPECT_TRUE(PlanDue(PlanSchedule::kDaily, day, day + hours(240)));
}

TEST(Destination, NeedsTwoPeople) {
  EXPECT_EQ(CheckDestinationApproval(DestinationState::kAwaitingApproval, "olivia", "olivia")
                .error()
                .reason,
            "SELF_APPROVAL");
  EXPECT_TRUE(CheckDestinationApproval(DestinationState::kAwaitingApproval, "olivia", "anna").ok());
  EXPECT_EQ(CheckDestinationApproval(DestinationState::kApproved, "olivia", "anna").error().reason,
            "DESTINATION_CLOSED");
}

TEST(Destination, CoolsOffBeforeItIsUsed) {
  const Time now = Time(seconds(1'700'000'000));
  EXPECT_EQ(
      CheckDestinationUsable(DestinationState::kAwaitingApproval, std::nullopt, now).error().reason,
      "DESTINATION_NOT_APPROVED");
  const Status early = CheckDestinationUsable(DestinationState::kApproved, now + hours(1), now);
  EXPECT_EQ(early.error().reason, "DESTINATION_COOLING_OFF");
  EXPECT_EQ(early.error().retry_after, std::chrono::milliseconds(hours(1)));
  EXPECT_TRUE(CheckDestinationUsable(DestinationState::kApproved, now, now).ok());
}

TEST(Destination, IsNeverOneOfOurs) {
  ForbiddenAddresses forbidden;
  const auto vault = evm::Address::Parse("0x00000000000000000000000000000000000000aa").value();
  const auto wallet = evm::Address::Parse("0x00000000000000000000000000000000000000bb").value();
  const auto merchant = evm::Address::Parse("0x00000000000000000000000000000000000000cc").value();
  forbidden.contracts.insert(vault);
  forbidden.wallets.insert(wallet);
  EXPECT_FALSE(CheckDestinationAddress(evm::Address(), forbidden).ok());
  EXPECT_FALSE(CheckDestinationAddress(vault, forbidden).ok());
  EXPECT_FALSE(CheckDestinationAddress(wallet, forbidden).ok());
  EXPECT_TRUE(CheckDestinationAddress(merchant, forbidden).ok());
}

}  // namespace
}  // namespace paymesh::settlement
