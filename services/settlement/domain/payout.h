// A payout's life, and which payments a payout settles.
// Pure functions and plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/money/u256.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

enum class PayoutState {
  kAwaitingApproval,  // nothing is reserved
  kReserved,          // the money is set aside; nothing is signed
  kSubmitted,         // bound to a nonce slot
  kIncluded,          // paid in a block that is not final
  kFinalized,
  kFailed,    // refused by the chain, finally; the money is available again
  kCanceled,  // before anything was signed
  kRejected,  // by the second person
};
inline constexpr std::size_t kPayoutStates = 8;

enum class PayoutEvent {
  kApprove,
  kReject,
  kCancel,
  kSubmit,    // a nonce slot was drafted for it
  kWithdraw,  // the slot was given up before anything was signed for it, or lost to a final
              // transaction of somebody else
  kInclude,
  kOrphan,
  kFinalize,
  kFail,
};

struct PayoutTransition {
  PayoutState from;
  PayoutEvent event;
  PayoutState to;
};

inline constexpr std::array kPayoutTransitions = {
    PayoutTransition{PayoutState::kAwaitingApproval, PayoutEvent::kApprove, PayoutState::kReserved},
    PayoutTransition{PayoutState::kAwaitingApproval, PayoutEvent::kReject, PayoutState::kRejected},
    PayoutTransition{PayoutState::kAwaitingApproval, PayoutEvent::kCancel, PayoutState::kCanceled},
    PayoutTransition{PayoutState::kReserved, PayoutEvent::kCancel, PayoutState::kCanceled},
    PayoutTransition{PayoutState::kReserved, PayoutEvent::kSubmit, PayoutState::kSubmitted},
    PayoutTransition{PayoutState::kSubmitted, PayoutEvent::kWithdraw, PayoutState::kReserved},
    PayoutTransition{PayoutState::kSubmitted, PayoutEvent::kInclude, PayoutState::kIncluded},
    PayoutTransition{PayoutState::kSubmitted, PayoutEvent::kFail, PayoutState::kFailed},
    PayoutTransition{PayoutState::kIncluded, PayoutEvent::kOrphan, PayoutState::kSubmitted},
    PayoutTransition{PayoutState::kIncluded, PayoutEvent::kFinalize, PayoutState::kFinalized},
};

constexpr std::optional<PayoutState> NextState(PayoutState from, PayoutEvent event) {
  for (const PayoutTransition& transition : kPayoutTransitions) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return std::nullopt;
}
constexpr bool IsFinal(PayoutState state) {
  return state == PayoutState::kFinalized || state == PayoutState::kFailed ||
         state == PayoutState::kCanceled || state == PayoutState::kRejected;
}
// Whether the money stands in 2130.
constexpr bool HoldsMoney(PayoutState state) {
  return state == PayoutState::kReserved || state == PayoutState::kSubmitted ||
         state == PayoutState::kIncluded;
}

std::string_view PayoutStateName(PayoutState state);  // "AWAITING_APPROVAL"
std::optional<PayoutState> ParsePayoutState(std::string_view name);

// The error that a caller gets when `event` is impossible now.
Error PayoutStateError(PayoutState state, PayoutEvent event);

// What a payment still has to get, oldest first.
struct OpenPayment {
  std::string payment_id;
  U256 open;
};
struct PayoutLine {
  std::string payment_id;
  U256 amount;
  friend bool operator==(const PayoutLine&, const PayoutLine&) = default;
};
// Spreads `amount` over the payments in their order. What is left over when they are exhausted
// settles no payment (money that was returned to the merchant in other ways) and has no line.
std::vector<PayoutLine> AllocateLines(const U256& amount, const std::vector<OpenPayment>& payments);

// How many payments one payout settles at most: what is told of a payout stays well below the limit
// of a message.
inline constexpr int kMaxPayoutLines = 5'000;
// How much of `amount` a payout may take when it settles at most `most_lines` payments and
// `payments` are the oldest, as many at most: all of it, unless there may be more payments than
// these.
U256 MostToPay(const U256& amount, const std::vector<OpenPayment>& payments, int most_lines);
// FAILED_PRECONDITION TOO_MANY_PAYMENTS when that is less than all.
Status CheckLines(const U256& amount, const std::vector<OpenPayment>& payments,
                  int most_lines = kMaxPayoutLines);

enum class PlanSchedule { kManual, kOnFinal, kDaily };
std::string_view PlanScheduleName(PlanSchedule schedule);
std::optional<PlanSchedule> ParsePlanSchedule(std::string_view name);

// How much a plan pays out now; nothing when it is not its time or too little. DAILY is due once on
// each day (UTC) after `last_run`, also when the service slept over midnight.
struct PlanFacts {
  PlanSchedule schedule = PlanSchedule::kManual;
  U256 minimum;
  U256 available;
  std::optional<Time> last_run = std::nullopt;
  Time now{};
};
std::optional<U256> PlanPayout(const PlanFacts& facts);
// Whether a plan's time has come, whatever is available.
bool PlanDue(PlanSchedule schedule, const std::optional<Time>& last_run, Time now);

}  // namespace paymesh::settlement
