// Random histories: whatever the order of transfers, orphanings and returns, amounts are a function
// of the transfers that stand, and nothing is credited twice or forgotten.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "services/checkout/domain/assess_transfers.h"
#include "services/checkout/testing/payments.h"

namespace paymesh::checkout {
namespace {
using namespace testing;  // NOLINT: the test's own names

struct Planned {
  std::string id;
  Unit unit;
  std::uint64_t value;
};

Planned RandomTransfer(std::mt19937_64& random, int index) {
  static const std::vector<Unit> units{kUsdA, kUsdA, kUsdA, kUsdB, kUnoffered};
  static const std::vector<std::uint64_t> values{kDue, kDue / 2, kDue / 3, kDue + 9, 1, 0};
  return {"t" + std::to_string(index), units[random() % units.size()],
          values[random() % values.size()]};
}

void ExpectSound(const Payment& payment) {
  U256 accepted;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.orphaned) {
      EXPECT_FALSE(transfer.decided);
      continue;
    }
    EXPECT_FALSE(transfer.amount.IsZero()) << "nothing that counts as money";
    if (transfer.decided) {
      EXPECT_EQ(SaturatingAdd(transfer.accepted, transfer.refundable), transfer.amount.value);
    } else {
      EXPECT_NE(payment.state, State::kSucceeded) << "undecided money in a closed payment";
    }
    EXPECT_NE(payment.state, State::kExpired) << "money in an expired payment";
    EXPECT_NE(payment.state, State::kCanceled) << "money in a cancelled payment";
    accepted = SaturatingAdd(accepted, transfer.accepted);
  }
  const Option* bound = payment.Bound();
  if (bound != nullptr) {
    EXPECT_LE(accepted, bound->due.value);
    if (payment.state == State::kSucceeded) {
      const U256 required = RequiredOf(*bound, payment.terms.tolerance_basis_points);
      EXPECT_GE(accepted, std::min(required, *payment.decided_gross));
    }
  }
  const auto outcome = OutcomeOf(payment);
  if (outcome) {
    EXPECT_EQ(outcome->gross, accepted);
    EXPECT_EQ(SaturatingAdd(outcome->fee, outcome->net), outcome->gross);
  }
}

TEST(PaymentProperty, StaysSoundThroughAnyHistory) {
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Payment payment = MakePayment(random() % 2 == 0 ? Finality::kSafe : Finality::kIncluded,
                                  random() % 2 == 0 ? 0 : 300);
    Story story(Create(payment.terms, kDeadline, random() % 4 != 0));
    std::vector<Planned> transfers;
    for (int step = 0; step < 25; ++step) {
      const Planned fresh = RandomTransfer(random, step);
      const Planned* known = transfers.empty() ? nullptr : &transfers[random() % transfers.size()];
      switch (random() % 9) {
        case 0:
        case 1:
          transfers.push_back(fresh);
          story.Sees(fresh.id, fresh.unit, fresh.value, Finality::kIncluded,
                     random() % 4 == 0 ? kDeadline + std::chrono::hours(2) : kStart);
          break;
        case 2:
        case 3:
          if (known != nullptr) story.Loses(known->id, known->unit, known->value);
          break;
        case 4:
          if (known != nullptr) story.Sees(known->id, known->unit, known->value);
          break;
        case 5:
          if (known != nullptr) {
            story.Sees(known->id, known->unit, known->value, Finality::kSafe);
          }
          break;
        case 6:
          if (random() % 3 == 0) story.PassesDeadline();
          break;
        case 7:
          if (story.state() == State::kRequiresReview && !Acceptable(story.payment()).IsZero()) {
            story.Accepts();
          }
          break;
        default:
          if (story.state() == State::kCreated) {
            story.Do(AddressRegistered{});
          } else if (story.state() == State::kAwaitingPayment && random() % 4 == 0) {
            story.Do(Cancel{"no"});
          } else {
            story.Do(FinalizedHeights{{{kChainA, 1'000}, {kChainB, 1'000}}});
          }
      }
      ExpectSound(story.payment());
      if (HasFailure()) return;
    }
  }
}

// At each success by the rules nothing uncertain is accepted while something certain is owed back.
TEST(PaymentProperty, AcceptsNothingUncertainInPlaceOfSomethingCertain) {
  int successes = 0;
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Story story(MakePayment(Finality::kSafe, random() % 2 == 0 ? 0 : 300));
    std::vector<Planned> transfers;
    for (int step = 0; step < 12 && story.state() != State::kSucceeded; ++step) {
      Planned one = RandomTransfer(random, step);
      one.unit = kUsdA;
      transfers.push_back(one);
      story.Sees(one.id, one.unit, one.value);
      const Planned& known = transfers[random() % transfers.size()];
      story.Sees(known.id, known.unit, known.value, Finality::kSafe);
    }
    if (story.state() != State::kSucceeded) continue;
    ++successes;
    bool uncertain_accepted = false, certain_refundable = false;
    for (const Transfer& transfer : story.payment().transfers) {
      if (transfer.disposition != Disposition::kMatched) continue;
      const bool certain = transfer.finality >= Finality::kSafe;
      uncertain_accepted = uncertain_accepted || (!certain && !transfer.accepted.IsZero());
      certain_refundable = certain_refundable || (certain && !transfer.refundable.IsZero());
    }
    EXPECT_FALSE(uncertain_accepted && certain_refundable);
    if (HasFailure()) return;
  }
  EXPECT_GT(successes, 500);
}

// Before anything is decided, a history with orphanings ends as if only what stands had ever
// happened.
TEST(PaymentProperty, EndsAsAFreshReplayOfWhatStands) {
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Story story;
    std::vector<Planned> transfers;
    std::map<std::string, bool> stands;
    for (int step = 0; step < 12; ++step) {
      if (transfers.size() < 4 && random() % 2 == 0) {
        transfers.push_back(RandomTransfer(random, step));
        story.Sees(transfers.back().id, transfers.back().unit, transfers.back().value);
        stands[transfers.back().id] = true;
      } else if (!transfers.empty()) {
        const Planned& one = transfers[random() % transfers.size()];
        bool& standing = stands[one.id];
        if (standing) {
          story.Loses(one.id, one.unit, one.value);
        } else {
          story.Sees(one.id, one.unit, one.value);
        }
        standing = !standing;
      }
    }
    Story fresh;
    for (const Planned& one : transfers) {
      if (!stands[one.id]) continue;
      fresh.Sees(one.id, one.unit, one.value);
    }
    for (const Planned& one : transfers) {
      if (!stands[one.id]) continue;
      story.Sees(one.id, one.unit, one.value, Finality::kFinalized);
      fresh.Sees(one.id, one.unit, one.value, Finality::kFinalized);
    }
    EXPECT_EQ(story.state(), fresh.state());
    const auto a = OutcomeOf(story.payment());
    const auto b = OutcomeOf(fresh.payment());
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) {
      EXPECT_EQ(a->unit, b->unit);
      EXPECT_EQ(Number(a->gross), Number(b->gross));
      EXPECT_EQ(Number(a->fee), Number(b->fee));
    }
    EXPECT_EQ(RefundableOf(story.payment()), RefundableOf(fresh.payment()));
    for (const Unit& unit : {kUsdA, kUsdB, kUnoffered}) {
      EXPECT_EQ(ArrivedIn(story.payment(), unit), ArrivedIn(fresh.payment(), unit));
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace paymesh::checkout
