#include "services/settlement/domain/payout.h"

#include <algorithm>
#include <chrono>

namespace paymesh::settlement {
namespace {

constexpr bool Deterministic() {
  for (std::size_t i = 0; i < kPayoutTransitions.size(); ++i) {
    for (std::size_t j = i + 1; j < kPayoutTransitions.size(); ++j) {
      if (kPayoutTransitions[i].from == kPayoutTransitions[j].from &&
          kPayoutTransitions[i].event == kPayoutTransitions[j].event) {
        return false;
      }
    }
  }
  return true;
}
constexpr bool FinalStatesHaveNoExit() {
  for (const PayoutTransition& transition : kPayoutTransitions) {
    if (IsFinal(transition.from)) return false;
  }
  return true;
}
constexpr bool AllReachable() {
  std::array<bool, kPayoutStates> reached{};
  reached[0] = true;
  for (std::size_t round = 0; round < kPayoutStates; ++round) {
    for (const PayoutTransition& transition : kPayoutTransitions) {
      if (reached[static_cast<std::size_t>(transition.from)]) {
        reached[static_cast<std::size_t>(transition.to)] = true;
      }
    }
  }
  return std::ranges::all_of(reached, [](bool value) { return value; });
}
static_assert(Deterministic());
static_assert(FinalStatesHaveNoExit());
static_assert(AllReachable());

constexpr std::array<std::string_view, kPayoutStates> kStateNames = {
    "AWAITING_APPROVAL", "RESERVED", "SUBMITTED", "INCLUDED",
    "FINALIZED",         "FAILED",   "CANCELED",  "REJECTED"};
constexpr std::array<std::string_view, 3> kScheduleNames = {"MANUAL", "ON_FINAL", "DAILY"};

}  // namespace

std::string_view PayoutStateName(PayoutState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::optional<PayoutState> ParsePayoutState(std::string_view name) {
  for (std::size_t i = 0; i < kPayoutStates; ++i) {
    if (kStateNames[i] == name) return static_cast<PayoutState>(i);
  }
  return std::nullopt;
}

Error PayoutStateError(PayoutState state, PayoutEvent event) {
  std::string reason = "PAYOUT_CLOSED";
  if (event == PayoutEvent::kApprove || event == PayoutEvent::kReject) {
    reason = "PAYOUT_NOT_AWAITING_APPROVAL";
  } else if (!IsFinal(state)) {
    reason = "PAYOUT_IN_FLIGHT";
  }
  Error error = Error::FailedPrecondition(std::move(reason),
                                          "the payout is " + std::string(PayoutStateName(state)));
  error.metadata["state"] = std::string(PayoutStateName(state));
  return error;
}

std::vector<PayoutLine> AllocateLines(const U256& amount,
                                      const std::vector<OpenPayment>& payments) {
  std::vector<PayoutLine> lines;
  U256 left = amount;
  for (const OpenPayment& payment : payments) {
    if (left.IsZero()) break;
    const U256 part = std::min(left, payment.open);
    if (part.IsZero()) continue;
    lines.push_back({payment.payment_id, part});
    left = SaturatingSub(left, part);
  }
  return lines;
}

U256 MostToPay(const U256& amount, const std::vector<OpenPayment>& payments, int most_lines) {
  if (payments.size() < static_cast<std::size_t>(most_lines)) return amount;
  U256 covered;
  for (const PayoutLine& line : AllocateLines(amount, payments)) {
    covered = CheckedAdd(covered, line.amount).value_or(U256::Max());
  }
  return covered;
}

Status CheckLines(const U256& amount, const std::vector<OpenPayment>& payments, int most_lines) {
  const U256 at_most = MostToPay(amount, payments, most_lines);
  if (at_most == amount) return {};
  Error error = Error::FailedPrecondition(
      "TOO_MANY_PAYMENTS", "one payout settles at most " + std::to_string(most_lines) +
                               " payments; the oldest come to " + at_most.ToString());
  error.metadata["at_most"] = at_most.ToString();
  return error;
}

std::string_view PlanScheduleName(PlanSchedule schedule) {
  return kScheduleNames[static_cast<std::size_t>(schedule)];
}

std::optional<PlanSchedule> ParsePlanSchedule(std::string_view name) {
  for (std::size_t i = 0; i < kScheduleNames.size(); ++i) {
    if (kScheduleNames[i] == name) return static_cast<PlanSchedule>(i);
  }
  return std::nullopt;
}

bool PlanDue(PlanSchedule schedule, const std::optional<Time>& last_run, Time now) {
  switch (schedule) {
    case PlanSchedule::kManual:
      return false;
    case PlanSchedule::kOnFinal:
      return true;
    case PlanSchedule::kDaily:
      return !last_run || std::chrono::floor<std::chrono::days>(*last_run) <
                              std::chrono::floor<std::chrono::days>(now);
  }
  return false;
}

std::optional<U256> PlanPayout(const PlanFacts& facts) {
  if (facts.available.IsZero() || facts.available < facts.minimum) return std::nullopt;
  if (!PlanDue(facts.schedule, facts.last_run, facts.now)) return std::nullopt;
  return facts.available;
}

}  // namespace paymesh::settlement
