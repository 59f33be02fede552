#include "services/settlement/domain/chain_transaction.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "common/base/testing/source_dir.h"

namespace paymesh::settlement {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kGwei = 1'000'000'000;
const Time kStart = Time(seconds(1'700'000'000));

Fees Gwei(std::uint64_t cap, std::uint64_t tip) { return {U256(cap * kGwei), U256(tip * kGwei)}; }
Market MarketOf(std::uint64_t base, std::uint64_t tip) {
  return {U256(base * kGwei), Gwei(2 * base + tip, tip)};
}

SendPolicy Policy() {
  SendPolicy policy;
  policy.fee_ceiling = U256(500 * kGwei);
  return policy;
}

Slot DraftSlot() {
  Slot slot;
  slot.id = "ctx_1";
  slot.nonce = 7;
  return slot;
}

Slot SentSlot(Reply reply, Time sent = kStart, Fees fees = Gwei(22, 2)) {
  Slot slot = DraftSlot();
  slot.state = reply == Reply::kAccepted ? SlotState::kBroadcast : SlotState::kSigned;
  Attempt attempt;
  attempt.fees = fees;
  attempt.sign_time = sent;
  attempt.last_reply = reply;
  if (reply != Reply::kNone) {
    attempt.broadcast_count = 1;
    attempt.first_broadcast_time = attempt.last_broadcast_time = sent;
  }
  slot.attempts.push_back(attempt);
  return slot;
}

Situation At(Time now) {
  Situation situation;
  situation.now = now;
  situation.market = MarketOf(10, 2);
  situation.latest_nonce = 7;
  return situation;
}

TEST(SlotMachine, KnowsEveryEdgeAndNoOther) {
  int edges = 0;
  for (std::size_t from = 0; from < kSlotStates; ++from) {
    for (std::size_t event = 0; event < kSlotEvents; ++event) {
      const auto next = NextState(static_cast<SlotState>(from), static_cast<SlotEvent>(event));
      edges += next.has_value();
    }
  }
  EXPECT_EQ(edges, static_cast<int>(kSlotTransitions.size()));
  EXPECT_EQ(NextState(SlotState::kIncluded, SlotEvent::kOrphan), SlotState::kBroadcast);
  EXPECT_EQ(NextState(SlotState::kIncluded, SlotEvent::kLose), std::nullopt);
  EXPECT_EQ(NextState(SlotState::kFinalized, SlotEvent::kOrphan), std::nullopt);
}

TEST(SlotMachine, IsTheOneThatTheDatabaseEnforces) {
  std::ifstream file(SourcePath("/services/settlement/migrations/0051_chain_transaction.sql"));
  const std::string sql(std::istreambuf_iterator<char>(file), {});
  std::size_t listed = 0;
  for (std::size_t from = 0; from < kSlotStates; ++from) {
    for (std::size_t to = 0; to < kSlotStates; ++to) {
      if (from == to) continue;
      bool in_table = false;
      for (const SlotTransition& transition : kSlotTransitions) {
        in_table = in_table || (transition.from == static_cast<SlotState>(from) &&
                                transition.to == static_cast<SlotState>(to));
      }
      const std::string pair = "('" + std::string(SlotStateName(static_cast<SlotState>(from))) +
                               "', '" + std::string(SlotStateName(static_cast<SlotState>(to))) +
                               "')";
      EXPECT_EQ(sql.find(pair) != std::string::npos, in_table) << pair;
      listed += in_table;
    }
  }
  EXPECT_EQ(listed, 9u);
}

TEST(SlotMachine, NamesReadBack) {
  for (std::size_t state = 0; state < kSlotStates; ++state) {
    EXPECT_EQ(ParseSlotState(SlotStateName(static_cast<SlotState>(state))),
              static_cast<SlotState>(state));
  }
  for (int reply = 0; reply < 10; ++reply) {
    EXPECT_EQ(ParseReply(ReplyName(static_cast<Reply>(reply))), static_cast<Reply>(reply));
  }
  for (int purpose = 0; purpose < 4; ++purpose) {
    EXPECT_EQ(ParsePurpose(PurposeName(static_cast<Purpose>(purpose))),
              static_cast<Purpose>(purpose));
  }
  EXPECT_EQ(ParseSlotState("draft"), std::nullopt);
}

TEST(Sender, SignsADraftAtTheMarketsPrice) {
  const NextAction next = Decide(DraftSlot(), At(kStart), Policy());
  ASSERT_TRUE(std::holds_alternative<SignAction>(next.what));
  EXPECT_EQ(std::get<SignAction>(next.what).fees, Gwei(22, 2));
}

TEST(Sender, SignsNothingWhilePausedOrWithoutAPrice) {
  Situation situation = At(kStart);
  situation.paused = true;
  EXPECT_TRUE(std::holds_alternative<WaitAction>(Decide(DraftSlot(), situation, Policy()).what));
  situation = At(kStart);
  situation.market.reset();
  EXPECT_EQ(Decide(DraftSlot(), situation, Policy()).alarm, Alarm::kNoMarket);
}

TEST(Sender, QueuesWhenGasCostsMoreThanTheCeiling) {
  Situation situation = At(kStart);
  situation.market = MarketOf(1'000, 2);
  EXPECT_EQ(Decide(DraftSlot(), situation, Policy()).alarm, Alarm::kFeeCeiling);
  situation.market = MarketOf(400, 2);  // the cap is cut, and still beats the base fee
  const NextAction next = Decide(DraftSlot(), situation, Policy());
  ASSERT_TRUE(std::holds_alternative<SignAction>(next.what));
  EXPECT_EQ(std::get<SignAction>(next.what).fees, Gwei(500, 2));
}

TEST(Sender, SendsStoredBytesThatWereNeverSent) {
  const NextAction next = Decide(SentSlot(Reply::kNone), At(kStart), Policy());
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(next.what));
}

TEST(Sender, SendsTheSameBytesAgainWhenNobodyAnswered) {
  const Slot slot = SentSlot(Reply::kUnknown);
  EXPECT_TRUE(
      std::holds_alternative<WaitAction>(Decide(slot, At(kStart + seconds(1)), Policy()).what));
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(
      Decide(slot, At(kStart + seconds(2)), Policy()).what));
}

TEST(Sender, HoldsBackWhatWasSignedAndNeverSentWhilePaused) {
  Situation situation = At(kStart + seconds(10));
  situation.paused = true;
  EXPECT_TRUE(
      std::holds_alternative<WaitAction>(Decide(SentSlot(Reply::kNone), situation, Policy()).what));
  // What a node may have cannot be called back; its nonce stays ours.
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(
      Decide(SentSlot(Reply::kUnknown), situation, Policy()).what));
}

TEST(Sender, PaysMoreWhenNothingIsMined) {
  SendPolicy policy = Policy();
  const Slot slot = SentSlot(Reply::kAccepted);
  EXPECT_TRUE(
      std::holds_alternative<WaitAction>(Decide(slot, At(kStart + seconds(44)), policy).what));
  const NextAction next = Decide(slot, At(kStart + seconds(45)), policy);
  ASSERT_TRUE(std::holds_alternative<SignAction>(next.what));
  const Fees fees = std::get<SignAction>(next.what).fees;
  EXPECT_EQ(fees.max_fee, U256(26'400'000'000));  // 20 % up
  EXPECT_EQ(fees.max_priority_fee, U256(2'400'000'000));
}

TEST(Sender, DoesNotPayMoreForANonceBehindAStuckOne) {
  Situation situation = At(kStart + seconds(50));
  situation.latest_nonce = 6;
  EXPECT_TRUE(std::holds_alternative<WaitAction>(
      Decide(SentSlot(Reply::kAccepted), situation, Policy()).what));
  situation.now = kStart + seconds(60);
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(
      Decide(SentSlot(Reply::kAccepted), situation, Policy()).what));
}

TEST(Sender, RaisesAnUnderpricedReplacementAtOnce) {
  const NextAction next = Decide(SentSlot(Reply::kUnderpriced), At(kStart + seconds(2)), Policy());
  EXPECT_TRUE(std::holds_alternative<SignAction>(next.what));
}

TEST(Sender, StopsAtTheCeilingAndSaysSo) {
  Slot slot = SentSlot(Reply::kAccepted, kStart, Gwei(480, 2));
  const NextAction next = Decide(slot, At(kStart + seconds(60)), Policy());
  EXPECT_EQ(next.alarm, Alarm::kFeeCeiling);
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(next.what));  // the same bytes, kept alive
}

TEST(Sender, StopsAfterTheAllowedAttempts) {
  SendPolicy policy = Policy();
  policy.max_attempts = 1;
  const NextAction next = Decide(SentSlot(Reply::kAccepted), At(kStart + seconds(60)), policy);
  EXPECT_EQ(next.alarm, Alarm::kAttemptsExhausted);
}

TEST(Sender, LooksUpItsHashesWhenTheNonceIsUsed) {
  Situation situation = At(kStart + seconds(2));
  situation.latest_nonce = 8;
  EXPECT_TRUE(std::holds_alternative<LookUpAction>(
      Decide(SentSlot(Reply::kNonceTooLow), situation, Policy()).what));
  EXPECT_TRUE(std::holds_alternative<LookUpAction>(Decide(DraftSlot(), situation, Policy()).what));
}

TEST(Sender, LeavesMinedSlotsAlone) {
  Slot slot = SentSlot(Reply::kAccepted);
  for (const SlotState state :
       {SlotState::kIncluded, SlotState::kFinalized, SlotState::kReplaced}) {
    slot.state = state;
    EXPECT_TRUE(std::holds_alternative<WaitAction>(
        Decide(slot, At(kStart + seconds(1'000)), Policy()).what));
  }
}

TEST(Sender, AsksForMoneyWhenTheWalletHasNone) {
  const NextAction next =
      Decide(SentSlot(Reply::kInsufficientFunds), At(kStart + seconds(2)), Policy());
  EXPECT_EQ(next.alarm, Alarm::kInsufficientFunds);
  EXPECT_TRUE(std::holds_alternative<BroadcastAction>(next.what));
}

TEST(Fees, RiseByATwelfthAtLeastOnBothFigures) {
  const auto raised = RaisedFees({U256(100), U256(0)}, std::nullopt, Policy());
  ASSERT_TRUE(raised);
  EXPECT_EQ(raised->max_fee, U256(120));
  EXPECT_EQ(raised->max_priority_fee, U256(1));
  SendPolicy policy = Policy();
  policy.fee_ceiling = U256(113);
  EXPECT_EQ(RaisedFees({U256(100), U256(1)}, std::nullopt, policy)->max_fee, U256(113));
  policy.fee_ceiling = U256(112);
  EXPECT_EQ(RaisedFees({U256(100), U256(1)}, std::nullopt, policy), std::nullopt);
}

TEST(Fees, FollowTheMarketWhenItRoseMore) {
  const auto raised = RaisedFees(Gwei(22, 2), MarketOf(50, 3), Policy());
  EXPECT_EQ(raised, Gwei(103, 3));
}

TEST(Nonces, HolesAreWhatNobodyHas) {
  EXPECT_EQ(MissingNonces({3, 4, 6}, 3, 8), (std::vector<std::uint64_t>{5, 7}));
  EXPECT_TRUE(MissingNonces({}, 5, 5).empty());
  EXPECT_TRUE(MissingNonces({}, 6, 5).empty());
}

}  // namespace
}  // namespace paymesh::settlement
