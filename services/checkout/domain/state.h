// The states of a payment and the one table of steps between them. README.md draws this table, the
// CHECK of payment_transition in store/migrations repeats it, and tests compare the three.
// A state is open or closed; none absorbs: money that arrives in a closed state leads on.
// Immutable; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace paymesh::checkout {

// The numbers are those of the contract and of the database.
enum class State {
  kCreated = 1,
  kAwaitingPayment = 2,
  kPartiallyPaid = 3,
  kProcessing = 4,
  kRequiresReview = 5,
  kSucceeded = 6,
  kExpired = 7,
  kCanceled = 8,
  kReversed = 9,
};
inline constexpr std::array kStates{
    State::kCreated,    State::kAwaitingPayment, State::kPartiallyPaid,
    State::kProcessing, State::kRequiresReview,  State::kSucceeded,
    State::kExpired,    State::kCanceled,        State::kReversed};

struct Step {
  State from;
  State to;
  friend constexpr bool operator==(const Step&, const Step&) = default;
};

inline constexpr std::array kInitialStates{State::kCreated, State::kAwaitingPayment};

inline constexpr std::array kSteps{
    // The address is registered, or time passes, or the merchant thinks again.
    Step{State::kCreated, State::kAwaitingPayment},
    Step{State::kCreated, State::kExpired},
    Step{State::kCreated, State::kCanceled},
    // A registration whose answer was lost: money may come before the worker has noticed.
    Step{State::kCreated, State::kPartiallyPaid},
    Step{State::kCreated, State::kProcessing},
    Step{State::kCreated, State::kSucceeded},
    Step{State::kCreated, State::kRequiresReview},
    Step{State::kAwaitingPayment, State::kPartiallyPaid},
    Step{State::kAwaitingPayment, State::kProcessing},
    // With a policy that the first sight of the money already meets.
    Step{State::kAwaitingPayment, State::kSucceeded},
    Step{State::kAwaitingPayment, State::kExpired},
    Step{State::kAwaitingPayment, State::kCanceled},
    Step{State::kAwaitingPayment, State::kRequiresReview},
    Step{State::kPartiallyPaid, State::kAwaitingPayment},  // orphaned
    Step{State::kPartiallyPaid, State::kProcessing},
    Step{State::kPartiallyPaid, State::kSucceeded},
    Step{State::kPartiallyPaid, State::kRequiresReview},
    Step{State::kProcessing, State::kAwaitingPayment},  // orphaned
    Step{State::kProcessing, State::kPartiallyPaid},    // orphaned in part
    Step{State::kProcessing, State::kSucceeded},
    Step{State::kProcessing, State::kExpired},  // re-opened, then orphaned again
    Step{State::kProcessing, State::kRequiresReview},
    // A person decides, or what needed review is gone with its block, or is back.
    Step{State::kRequiresReview, State::kCreated},
    Step{State::kRequiresReview, State::kAwaitingPayment},
    Step{State::kRequiresReview, State::kPartiallyPaid},
    Step{State::kRequiresReview, State::kProcessing},
    Step{State::kRequiresReview, State::kSucceeded},
    Step{State::kRequiresReview, State::kExpired},
    Step{State::kRequiresReview, State::kCanceled},
    Step{State::kRequiresReview, State::kReversed},
    // Closed states: money arrives, or leaves with a reorganisation.
    Step{State::kSucceeded, State::kRequiresReview},
    Step{State::kExpired, State::kProcessing},
    Step{State::kExpired, State::kSucceeded},
    Step{State::kExpired, State::kRequiresReview},
    Step{State::kCanceled, State::kRequiresReview},
    Step{State::kReversed, State::kRequiresReview},
};

constexpr bool IsClosed(State state) {
  return state == State::kSucceeded || state == State::kExpired || state == State::kCanceled ||
         state == State::kReversed;
}

constexpr bool MayStep(State from, State to) {
  for (const Step& step : kSteps) {
    if (step == Step{from, to}) return true;
  }
  return false;
}

constexpr std::string_view StateName(State state) {
  switch (state) {
    case State::kCreated:
      return "CREATED";
    case State::kAwaitingPayment:
      return "AWAITING_PAYMENT";
    case State::kPartiallyPaid:
      return "PARTIALLY_PAID";
    case State::kProcessing:
      return "PROCESSING";
    case State::kRequiresReview:
      return "REQUIRES_REVIEW";
    case State::kSucceeded:
      return "SUCCEEDED";
    case State::kExpired:
      return "EXPIRED";
    case State::kCanceled:
      return "CANCELED";
    case State::kReversed:
      return "REVERSED";
  }
  return "";
}

constexpr std::optional<State> StateOf(int number) {
  for (State state : kStates) {
    if (static_cast<int>(state) == number) return state;
  }
  return std::nullopt;
}

namespace proof {
constexpr bool StepsAreDistinct() {
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    if (kSteps[i].from == kSteps[i].to) return false;
    for (std::size_t j = i + 1; j < kSteps.size(); ++j) {
      if (kSteps[i] == kSteps[j]) return false;
    }
  }
  return true;
}
constexpr bool AllAreReachable() {
  std::array<bool, kStates.size() + 1> seen{};
  for (State state : kInitialStates) seen[static_cast<std::size_t>(state)] = true;
  for (std::size_t round = 0; round < kStates.size(); ++round) {
    for (const Step& step : kSteps) {
      if (seen[static_cast<std::size_t>(step.from)]) seen[static_cast<std::size_t>(step.to)] = true;
    }
  }
  for (State state : kStates) {
    if (!seen[static_cast<std::size_t>(state)]) return false;
  }
  return true;
}
constexpr bool EveryStateLeadsToReview() {
  for (State state : kStates) {
    if (state != State::kRequiresReview && !MayStep(state, State::kRequiresReview)) return false;
  }
  return true;
}
constexpr bool OnlyReviewLeavesCanceledSucceededAndReversed() {
  for (const Step& step : kSteps) {
    if ((step.from == State::kCanceled || step.from == State::kSucceeded ||
         step.from == State::kReversed) &&
        step.to != State::kRequiresReview) {
      return false;
    }
  }
  return true;
}
static_assert(StepsAreDistinct());
static_assert(AllAreReachable());
static_assert(EveryStateLeadsToReview());
static_assert(OnlyReviewLeavesCanceledSucceededAndReversed());
}  // namespace proof

}  // namespace paymesh::checkout
