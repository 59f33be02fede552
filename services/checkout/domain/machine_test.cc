#include "services/checkout/domain/machine.h"

#include <gtest/gtest.h>

#include "services/checkout/testing/payments.h"

namespace paymesh::checkout {
namespace {
using namespace testing;  // NOLINT: the test's own names
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kLate = kDeadline + seconds(61);

std::string ReasonOf(const Result<Applied>& result) {
  return result.ok() ? "ok" : result.error().reason;
}

TEST(Payment, SucceedsWhenTheWholeAmountIsAsCertainAsThePolicyAsks) {
  Story story;
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue), "payment.processing");
  EXPECT_EQ(story.payment().bound_option_id, "opt_usd_a");
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue, Finality::kSafe), "payment.succeeded");
  const auto outcome = OutcomeOf(story.payment());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(Number(outcome->gross), kDue);
  EXPECT_EQ(Number(outcome->fee), 1'500'005u);  // 1.5 % and 5
  EXPECT_EQ(Number(outcome->net), kDue - 1'500'005u);
  EXPECT_TRUE(story.transfer(0).decided);
  EXPECT_EQ(story.payment().flags, Flags());
}

TEST(Payment, WaitsForFinalityWhenThePolicyAsksForIt) {
  Story story(MakePayment(Finality::kFinalized));
  story.Sees("t1", kUsdA, kDue);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kProcessing);
  story.Sees("t1", kUsdA, kDue, Finality::kFinalized);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(FinalityOf(story.payment()), Finality::kFinalized);
}

TEST(Payment, SucceedsAtFirstSightWhenThePolicyIsIncluded) {
  Story story(MakePayment(Finality::kIncluded));
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue), "payment.succeeded");
}

TEST(Payment, AddsUpPartialTransfersAndExtendsTheDeadlineOnce) {
  Story story;
  EXPECT_EQ(story.Sees("t1", kUsdA, 40'000'000), "payment.partially_paid");
  EXPECT_TRUE(story.Has(Flag::kExtended));
  EXPECT_EQ(story.payment().expire_time, kDeadline + minutes(10));
  story.Sees("t2", kUsdA, 30'000'000, Finality::kIncluded, kDeadline + minutes(5));
  EXPECT_EQ(story.state(), State::kPartiallyPaid);
  EXPECT_EQ(story.payment().expire_time, kDeadline + minutes(10));
  story.Sees("t3", kUsdA, 30'000'000, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kProcessing);
  story.Sees("t1", kUsdA, 40'000'000, Finality::kSafe);
  story.Sees("t2", kUsdA, 30'000'000, Finality::kSafe, kDeadline + minutes(5));
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kMultiTransfer));
  EXPECT_FALSE(story.Has(Flag::kOverpaid));
}

TEST(Payment, SucceedsForWhatIsDueAndOwesTheExcessBack) {
  Story story;
  story.Sees("t1", kUsdA, kDue + 7, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kOverpaid));
  EXPECT_EQ(Number(story.transfer(0).accepted), kDue);
  EXPECT_EQ(Number(story.transfer(0).refundable), 7u);
  EXPECT_EQ(Number(RefundableOf(story.payment()).at(kUsdA)), 7u);
}

TEST(Payment, AcceptsASmallShortfallWithinTheTolerance) {
  Story story(MakePayment(Finality::kSafe, 100));
  story.Sees("t1", kUsdA, kDue / 100 * 99, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kUnderpaidAccepted));
  Story strict(MakePayment(Finality::kSafe, 100));
  strict.Sees("t1", kUsdA, kDue / 100 * 99 - 1, Finality::kSafe);
  EXPECT_EQ(strict.state(), State::kPartiallyPaid);
}

TEST(Payment, NeverSucceedsWithNothingHoweverSmallTheAmount) {
  Payment payment = MakePayment(Finality::kIncluded, 500);
  payment.terms.options[0].due.value = U256(1);
  Story story(payment);
  story.Sees("t0", kUsdA, 0);
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
  story.Sees("t1", kUsdA, 1);
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, IsUntouchedByTransfersOfNothing) {
  Story story;
  const Payment fresh = story.payment();
  for (const Unit& unit : {kUsdA, kUsdB, kUnoffered}) {
    EXPECT_EQ(story.Sees("z" + unit.ToString(), unit, 0, Finality::kFinalized), "");
    EXPECT_EQ(story.payment(), fresh);
  }
  EXPECT_EQ(story.Do(Cancel{"no money here"}), "payment.canceled");
  story.Sees("z1", kUsdA, 0);
  EXPECT_EQ(story.state(), State::kCanceled);

  Story paid;
  paid.Sees("t1", kUsdA, kDue, Finality::kSafe);
  paid.Sees("z1", kUsdA, 0, Finality::kSafe);
  paid.Sees("z2", kUnoffered, 0);
  EXPECT_EQ(paid.state(), State::kSucceeded);
  EXPECT_EQ(paid.payment().flags, Flags());

  Story late;
  late.PassesDeadline();
  late.Sees("z1", kUsdB, 0, Finality::kSafe, kLate);
  EXPECT_EQ(late.state(), State::kExpired);
}

TEST(Payment, TakesATransferThatComesBackAsNothingForGone) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.Sees("t1", kUsdA, 0, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
  EXPECT_FALSE(story.transfer(0).live());
}

TEST(Payment, StaysSmallHoweverMuchDustIsSent) {
  Story story;
  std::int64_t revision = 0;
  for (int i = 0; i < 3'000; ++i) {
    if (i == 1'000) revision = story.payment().revision;
    story.Sees("d" + std::to_string(i), kUsdA, 1);
  }
  EXPECT_EQ(story.payment().transfers.size(), kFreeTransfers);
  EXPECT_TRUE(story.payment().transfers_left_out);
  EXPECT_EQ(story.payment().revision, revision) << "what is left out changes nothing";
  EXPECT_EQ(Number(ArrivedIn(story.payment(), kUsdA).seen), kFreeTransfers);
  // News of one that was left out stays out; what somebody really pays is taken all the same.
  story.Sees("d2999", kUsdA, 1, Finality::kFinalized);
  EXPECT_EQ(story.payment().revision, revision);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, TakesNoMoreThanItCanTellOfEvenOfMoney) {
  Story story;
  for (std::size_t i = 0; i < kMaxTransfers + 50; ++i) {
    story.Sees("t" + std::to_string(i), kUsdA, kDue / 100);
  }
  EXPECT_EQ(story.payment().transfers.size(), kMaxTransfers);
  EXPECT_TRUE(story.payment().transfers_left_out);
}

TEST(Payment, ExpiresWhenFundsNeverCome) {
  Story story;
  EXPECT_EQ(story.PassesDeadline(), "payment.expired");
  EXPECT_FALSE(story.payment().expiry_deferred);
}

TEST(Payment, DoesNotExpireBeforeEveryOfferedChainWasReadPastTheDeadline) {
  Story story;
  story.Do(Barrier{.read_until = {{kChainA, kLate}}, .waived = {}});
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
  EXPECT_TRUE(story.payment().expiry_deferred);
  story.Do(
      Barrier{.read_until = {{kChainA, kLate}, {kChainB, kDeadline + seconds(60)}}, .waived = {}});
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
  story.Do(Barrier{.read_until = {{kChainA, kLate}, {kChainB, kLate}}, .waived = {}});
  EXPECT_EQ(story.state(), State::kExpired);
  EXPECT_FALSE(story.payment().expiry_deferred);
}

TEST(Payment, ExpiresPastAHaltedChainThatAnOperatorWaived) {
  Story story;
  story.Do(Barrier{.read_until = {{kChainA, kLate}}, .waived = {{kChainB, true}}});
  EXPECT_EQ(story.state(), State::kExpired);
}

TEST(Payment, DoesNotExpireWhileMoneyIsOnItsWay) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.PassesDeadline();
  EXPECT_EQ(story.state(), State::kProcessing);
}

TEST(Payment, CountsATransferInTheGraceAsOnTime) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe, kDeadline + seconds(60));
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, NeedsReviewWhenPaidAfterItsExpiry) {
  Story story;
  story.PassesDeadline();
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue, Finality::kSafe, kLate), "payment.requires_review");
  EXPECT_TRUE(story.Has(Flag::kLate));
  EXPECT_EQ(story.transfer(0).disposition, Disposition::kLate);
  EXPECT_EQ(story.Accepts(), "payment.succeeded");
  EXPECT_TRUE(story.Has(Flag::kManualDecision));
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, WaitsForThePolicyAlsoWithWhatAPersonAccepted) {
  Story story;
  story.PassesDeadline();
  story.Sees("t1", kUsdA, kDue, Finality::kIncluded, kLate);
  EXPECT_EQ(story.Accepts(), "payment.processing");
  EXPECT_TRUE(story.Has(Flag::kManualDecision));
  EXPECT_TRUE(story.transfer(0).decided);
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue, Finality::kSafe, kLate), "payment.succeeded");
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, GoesBackToReviewWhenWhatAPersonAcceptedIsOrphanedFirst) {
  Story story;
  story.PassesDeadline();
  story.Sees("t1", kUsdA, kDue, Finality::kIncluded, kLate);
  story.Accepts();
  EXPECT_EQ(story.Loses("t1", kUsdA, kDue), "payment.reorged");
  EXPECT_EQ(story.state(), State::kRequiresReview);
  EXPECT_EQ(story.Do(FinalizedHeights{{{kChainA, 132}}}), "payment.reversed");
}

TEST(Payment, OwesBackWhatComesOnTopWhileAnAcceptedTransferIsStillUncertain) {
  Story story;
  story.PassesDeadline();
  story.Sees("t1", kUsdA, kDue, Finality::kIncluded, kLate);
  story.Accepts();
  story.Sees("t2", kUsdA, 7, Finality::kIncluded, kLate);
  EXPECT_EQ(story.state(), State::kProcessing);
  EXPECT_EQ(Number(story.transfer(1).refundable), 7u);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe, kLate);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, AcceptsWhatIsCertainBeforeWhatCameFirst) {
  Story story;
  story.Sees("t1", kUsdA, 40);
  story.Sees("t2", kUsdA, kDue, Finality::kSafe);
  ASSERT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(Number(story.transfer(0).accepted), 0u);
  EXPECT_EQ(Number(story.transfer(0).refundable), 40u);
  EXPECT_EQ(Number(story.transfer(1).accepted), kDue);
  // What was not certain may go: the success does not rest on it.
  story.Loses("t1", kUsdA, 40);
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, CanBeLateAndOverpaidAtOnce) {
  Story story;
  story.PassesDeadline();
  story.Sees("t1", kUsdA, kDue + 5, Finality::kSafe, kLate);
  EXPECT_TRUE(story.Has(Flag::kLate));
  EXPECT_TRUE(story.Has(Flag::kOverpaid));
  story.Accepts();
  EXPECT_EQ(Number(story.transfer(0).refundable), 5u);
}

TEST(Payment, NeedsReviewWhenOnlyPartlyPaidAtTheDeadline) {
  Story story;
  story.Sees("t1", kUsdA, 60'000'000, Finality::kSafe);
  EXPECT_EQ(story.PassesDeadline(), "payment.requires_review");
  story.Accepts();
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kUnderpaidAccepted));
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), 60'000'000u);
}

TEST(Payment, TreatsASecondFullTransferBeforeSuccessAsExtraAndStillSucceeds) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.Sees("t2", kUsdA, kDue);
  EXPECT_EQ(story.transfer(1).disposition, Disposition::kExtra);
  EXPECT_EQ(story.state(), State::kProcessing);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(Number(story.transfer(1).refundable), kDue);
  EXPECT_TRUE(story.Has(Flag::kExtraAfterSuccess));
}

TEST(Payment, NeedsReviewWhenMoneyComesAfterSuccessAndKeepsWhatItHas) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.Sees("t2", kUsdA, 30, Finality::kIncluded), "payment.requires_review");
  EXPECT_TRUE(story.Has(Flag::kExtraAfterSuccess));
  EXPECT_EQ(Number(story.transfer(1).refundable), 30u);
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
  story.Accepts("seen");
  EXPECT_EQ(story.state(), State::kSucceeded);
  story.Sees("t2", kUsdA, 30, Finality::kFinalized);
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, NeedsReviewForAnUnofferedTokenAndHasNothingToAccept) {
  Story story;
  EXPECT_EQ(story.Sees("t1", kUnoffered, 5, Finality::kSafe), "payment.requires_review");
  EXPECT_TRUE(story.Has(Flag::kWrongAsset));
  const Resolve accept{ResolveAction::kAccept, "why not", story.payment().revision};
  EXPECT_EQ(ReasonOf(story.Try(accept)), "NOTHING_TO_ACCEPT");
}

TEST(Payment, BindsTheFirstOfferedTokenAndCallsTheOthersWrong) {
  Story story;
  story.Sees("t1", kUsdB, 10);
  EXPECT_EQ(story.payment().bound_option_id, "opt_usd_b");
  story.Sees("t2", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kRequiresReview);
  EXPECT_EQ(story.transfer(1).disposition, Disposition::kWrongAsset);
  story.Sees("t3", kUsdB, kDue - 10, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kRequiresReview);
  story.Accepts();
  EXPECT_EQ(story.state(), State::kProcessing) << "the first is not certain yet";
  story.Sees("t1", kUsdB, 10, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_EQ(Number(RefundableOf(story.payment()).at(kUsdA)), kDue);
}

TEST(Payment, IsCancelledOnlyBeforeMoneyIsSeen) {
  Story untouched;
  EXPECT_EQ(untouched.Do(Cancel{"changed my mind"}), "payment.canceled");
  EXPECT_EQ(ReasonOf(untouched.Try(Cancel{})), "PAYMENT_CLOSED");
  Story partial;
  partial.Sees("t1", kUsdA, 1);
  EXPECT_EQ(ReasonOf(partial.Try(Cancel{})), "PAYMENT_IN_FLIGHT");
  Story processing;
  processing.Sees("t1", kUsdA, kDue);
  EXPECT_EQ(ReasonOf(processing.Try(Cancel{})), "PAYMENT_IN_FLIGHT");
  processing.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(ReasonOf(processing.Try(Cancel{})), "PAYMENT_CLOSED");
}

TEST(Payment, NeedsReviewWhenPaidAfterACancellation) {
  Story story;
  story.Do(Cancel{"no"});
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue, Finality::kSafe), "payment.requires_review");
  EXPECT_TRUE(story.Has(Flag::kPaidAfterCancel));
  story.Accepts();
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kPaidAfterCancel));
}

TEST(Payment, IsCancelledAgainWhenTheMoneyThatCameAfterwardsIsOrphaned) {
  Story story;
  story.Do(Cancel{"no"});
  story.Sees("t1", kUsdA, kDue);
  story.Loses("t1", kUsdA, kDue);
  EXPECT_EQ(story.state(), State::kCanceled);
}

TEST(Payment, FallsBackWhenATransferIsOrphanedBeforeSuccess) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  EXPECT_EQ(story.Loses("t1", kUsdA, kDue), "payment.reorged");
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
  EXPECT_TRUE(story.Has(Flag::kReorged));
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue), "payment.processing");
  EXPECT_TRUE(story.Has(Flag::kReincluded));
}

TEST(Payment, NeedsReviewWhenItsMoneyIsOrphanedAfterSuccessAndHealsWhenItComesBack) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.Loses("t1", kUsdA, kDue), "payment.reorged");
  EXPECT_EQ(story.state(), State::kRequiresReview);
  EXPECT_FALSE(story.transfer(0).decided);
  EXPECT_FALSE(OutcomeOf(story.payment()).has_value());
  story.Sees("t1", kUsdA, kDue);
  EXPECT_EQ(story.state(), State::kRequiresReview);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kReincluded));
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, HealsWhenAnotherTransactionTakesTheOrphanedOnesPlace) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  story.Loses("t1", kUsdA, kDue);
  story.Sees("t2", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
  // Should the first come back after all, it is extra: nothing is credited twice.
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue), "payment.requires_review");
  EXPECT_EQ(Number(story.transfer(0).refundable), kDue);
  EXPECT_EQ(Number(OutcomeOf(story.payment())->gross), kDue);
}

TEST(Payment, IsReversedOnceItsMoneyIsProvenGone) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  story.Loses("t1", kUsdA, kDue);
  story.Do(FinalizedHeights{{{kChainA, 131}}});
  EXPECT_EQ(story.state(), State::kRequiresReview);
  EXPECT_EQ(story.Do(FinalizedHeights{{{kChainA, 132}}}), "payment.reversed");
  // Money in a closed payment is for a person to see.
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue, Finality::kSafe), "payment.requires_review");
  story.Accepts();
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, ReopensAsProcessingWhenAReorgBringsAnOnTimeTransferAfterExpiry) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.Loses("t1", kUsdA, kDue);
  story.PassesDeadline();
  EXPECT_EQ(story.state(), State::kExpired);
  EXPECT_EQ(story.Sees("t1", kUsdA, kDue), "payment.processing");
  EXPECT_TRUE(story.Has(Flag::kReorged));
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.state(), State::kSucceeded);
}

TEST(Payment, IgnoresOldNewsAndNewsOfAnUnknownOrphan) {
  Story story;
  const Event old = story.Update("t1", kUsdA, kDue, Finality::kIncluded, false, kStart);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  story.Do(old);
  EXPECT_EQ(story.state(), State::kSucceeded);
  const std::int64_t revision = story.payment().revision;
  story.Loses("t9", kUsdA, 5);
  EXPECT_EQ(story.payment().revision, revision);
}

TEST(Payment, TakesTheNewContentOfATransferThatCameBackDifferent) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.Loses("t1", kUsdA, kDue);
  story.Sees("t1", kUsdA, 40, Finality::kIncluded);
  EXPECT_EQ(story.state(), State::kPartiallyPaid);
  EXPECT_EQ(Number(ArrivedIn(story.payment(), kUsdA).seen), 40u);
}

TEST(Payment, StaysOnHoldUntilAPersonAccepts) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  story.Sees("t2", kUsdA, 5);
  story.Do(Resolve{ResolveAction::kHold, "asking the payer", story.payment().revision});
  EXPECT_TRUE(story.Has(Flag::kOnHold));
  story.Loses("t2", kUsdA, 5);
  EXPECT_EQ(story.state(), State::kRequiresReview);
  story.Accepts();
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_FALSE(story.Has(Flag::kOnHold));
}

TEST(Payment, IsResolvedOnlyInReviewAndOnTheRevisionThatWasSeen) {
  Story story;
  const std::int64_t revision = story.payment().revision;
  EXPECT_EQ(ReasonOf(story.Try(Resolve{ResolveAction::kAccept, "x", revision})),
            "PAYMENT_NOT_IN_REVIEW");
  story.PassesDeadline();
  story.Sees("t1", kUsdA, kDue, Finality::kSafe, kLate);
  EXPECT_EQ(ReasonOf(story.Try(Resolve{ResolveAction::kAccept, "x", revision})),
            "REVISION_MISMATCH");
}

TEST(Payment, ShowsItsAddressOnceItIsRegistered) {
  Payment fresh = MakePayment();
  Story story(Create(fresh.terms, kDeadline, false));
  EXPECT_EQ(story.state(), State::kCreated);
  EXPECT_EQ(story.Do(AddressRegistered{}), "payment.awaiting_payment");
}

TEST(Payment, ShowsItsAddressToWhoeverPaidBeforeTheRegistrationWasAnswered) {
  Story story(Create(MakePayment().terms, kDeadline, false));
  story.Sees("t1", kUsdA, 5);
  EXPECT_TRUE(story.payment().registered);
  EXPECT_EQ(story.Loses("t1", kUsdA, 5), "payment.reorged");
  EXPECT_EQ(story.state(), State::kAwaitingPayment);
}

TEST(Payment, RemembersWhatSettlementDidWithoutChangingState) {
  Story story;
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  EXPECT_EQ(story.Do(MoneyMoved{.kind = "paid_out", .message = "Paid", .settled = true}),
            "payment.updated");
  EXPECT_EQ(story.state(), State::kSucceeded);
  EXPECT_TRUE(story.Has(Flag::kSettledToMerchant));
  EXPECT_EQ(story.payment().timeline.back().kind, "paid_out");
}

TEST(Payment, TellsItsStoryInOrder) {
  Story story;
  story.Sees("t1", kUsdA, kDue);
  story.Sees("t1", kUsdA, kDue, Finality::kSafe);
  story.Sees("t1", kUsdA, kDue, Finality::kFinalized);
  std::string words;
  std::int64_t ordinal = 0;
  for (const TimelineEntry& entry : story.payment().timeline) {
    words += entry.kind + " ";
    EXPECT_EQ(entry.ordinal, ++ordinal);
  }
  EXPECT_EQ(words, "created address_registered seen confirmed succeeded finalized ");
}

TEST(Fee, IsNeverMoreThanWhatWasAccepted) {
  FeePlan plan{.basis_points = 10'000};
  plan.fixed[kUsdA] = U256(1);
  EXPECT_EQ(Number(FeeOf(plan, Amount{kUsdA, U256(7)})), 7u);
  EXPECT_EQ(FeeOf(plan, Amount{kUsdA, U256::Max()}), U256::Max());
  plan.basis_points = 1;
  EXPECT_EQ(Number(FeeOf(plan, Amount{kUsdA, U256(9'999)})), 1u);
}

}  // namespace
}  // namespace paymesh::checkout
