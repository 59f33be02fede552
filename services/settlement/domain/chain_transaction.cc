#include "services/settlement/domain/chain_transaction.h"

#include <algorithm>

namespace paymesh::settlement {
namespace {

// The properties of the table that money rests on, checked by the compiler.
constexpr bool Deterministic() {
  for (std::size_t i = 0; i < kSlotTransitions.size(); ++i) {
    for (std::size_t j = i + 1; j < kSlotTransitions.size(); ++j) {
      if (kSlotTransitions[i].from == kSlotTransitions[j].from &&
          kSlotTransitions[i].event == kSlotTransitions[j].event) {
        return false;
      }
    }
  }
  return true;
}
constexpr bool FinalStatesHaveNoExit() {
  for (const SlotTransition& transition : kSlotTransitions) {
    if (IsFinal(transition.from)) return false;
  }
  return true;
}
constexpr bool AllReachable() {
  std::array<bool, kSlotStates> reached{};
  reached[0] = true;
  for (std::size_t round = 0; round < kSlotStates; ++round) {
    for (const SlotTransition& transition : kSlotTransitions) {
      if (reached[static_cast<std::size_t>(transition.from)]) {
        reached[static_cast<std::size_t>(transition.to)] = true;
      }
    }
  }
  return std::ranges::all_of(reached, [](bool value) { return value; });
}
constexpr bool NothingReturnsToDraft() {
  for (const SlotTransition& transition : kSlotTransitions) {
    if (transition.to == SlotState::kDraft) return false;
  }
  return true;
}
static_assert(Deterministic());
static_assert(FinalStatesHaveNoExit());
static_assert(AllReachable());
static_assert(NothingReturnsToDraft());

constexpr std::array<std::string_view, kSlotStates> kStateNames = {
    "DRAFT", "SIGNED", "BROADCAST", "INCLUDED", "FINALIZED", "REPLACED"};
constexpr std::array<std::string_view, 4> kPurposeNames = {"PAYOUT", "SWEEP", "NOOP", "FOREIGN"};
constexpr std::array<std::string_view, 10> kReplyNames = {
    "NONE",        "ACCEPTED",    "ALREADY_KNOWN",      "NONCE_TOO_LOW", "NONCE_TOO_HIGH",
    "UNDERPRICED", "FEE_TOO_LOW", "INSUFFICIENT_FUNDS", "REJECTED",      "UNKNOWN"};
constexpr std::array<std::string_view, 6> kAlarmNames = {"no_market",          "fee_ceiling",
                                                         "attempts_exhausted", "insufficient_funds",
                                                         "rejected",           "nonce_used"};

template <class Enum, std::size_t N>
std::optional<Enum> ParseName(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// value * (1000 + permille) / 1000, rounded up; saturates far above any fee that a ceiling allows.
U256 RaisedBy(const U256& value, std::uint64_t permille) {
  return MulDiv(value, U256(1000 + permille), U256(1000), Rounding::kUp).value_or(U256::Max());
}

NextAction Wait(std::optional<Alarm> alarm = std::nullopt) {
  return NextAction{WaitAction{alarm}, alarm};
}

bool Elapsed(const std::optional<Time>& since, Time now, std::chrono::milliseconds duration) {
  return !since || now - *since >= duration;
}

NextAction DecideDraft(const Situation& situation, const SendPolicy& policy) {
  if (situation.paused) return Wait();
  if (!situation.market) return Wait(Alarm::kNoMarket);
  if (auto fees = FirstFees(*situation.market, policy)) return NextAction{SignAction{*fees}, {}};
  return Wait(Alarm::kFeeCeiling);
}

// A replacement if one is allowed; otherwise the stored bytes once more, with an alarm.
NextAction Raise(const Slot& slot, const Situation& situation, const SendPolicy& policy) {
  const std::size_t newest = slot.attempts.size() - 1;
  const Attempt& attempt = slot.attempts[newest];
  std::optional<Alarm> alarm;
  if (slot.attempts.size() >= policy.max_attempts) {
    alarm = Alarm::kAttemptsExhausted;
  } else if (auto fees = RaisedFees(attempt.fees, situation.market, policy)) {
    return NextAction{SignAction{*fees}, {}};
  } else {
    alarm = Alarm::kFeeCeiling;
  }
  if (Elapsed(attempt.last_broadcast_time, situation.now, policy.resend_after)) {
    return NextAction{BroadcastAction{newest}, alarm};
  }
  return Wait(alarm);
}

NextAction DecideSent(const Slot& slot, const Situation& situation, const SendPolicy& policy) {
  const std::size_t newest = slot.attempts.size() - 1;
  const Attempt& attempt = slot.attempts[newest];
  if (!Elapsed(attempt.last_broadcast_time, situation.now, policy.retry_after)) return Wait();
  switch (attempt.last_reply) {
    case Reply::kNone:
    case Reply::kUnknown:
    case Reply::kNonceTooHigh:  // the lower slots are repaired by their own turns
      return NextAction{BroadcastAction{newest}, {}};
    case Reply::kUnderpriced:
    case Reply::kFeeTooLow:
      return Raise(slot, situation, policy);
    case Reply::kInsufficientFunds:
      return NextAction{BroadcastAction{newest}, Alarm::kInsufficientFunds};
    case Reply::kRejected:
      return NextAction{BroadcastAction{newest}, Alarm::kRejected};
    case Reply::kNonceTooLow:
    case Reply::kAccepted:
    case Reply::kAlreadyKnown:
      break;
  }
  // Paying more for a later nonce helps nothing while an earlier one is stuck.
  const bool lowest = !situation.latest_nonce || slot.nonce <= *situation.latest_nonce;
  const std::size_t doublings = std::min<std::size_t>(newest, 4);
  const auto patience = policy.bump_after * (1LL << doublings);
  if (lowest && Elapsed(attempt.first_broadcast_time, situation.now, patience)) {
    return Raise(slot, situation, policy);
  }
  if (Elapsed(attempt.last_broadcast_time, situation.now, policy.resend_after)) {
    return NextAction{BroadcastAction{newest}, {}};
  }
  return Wait();
}

}  // namespace

std::string_view SlotStateName(SlotState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}
std::optional<SlotState> ParseSlotState(std::string_view name) {
  return ParseName<SlotState>(kStateNames, name);
}
std::string_view PurposeName(Purpose purpose) {
  return kPurposeNames[static_cast<std::size_t>(purpose)];
}
std::optional<Purpose> ParsePurpose(std::string_view name) {
  return ParseName<Purpose>(kPurposeNames, name);
}
std::string_view ReplyName(Reply reply) { return kReplyNames[static_cast<std::size_t>(reply)]; }
std::optional<Reply> ParseReply(std::string_view name) {
  return ParseName<Reply>(kReplyNames, name);
}
std::string_view AlarmName(Alarm alarm) { return kAlarmNames[static_cast<std::size_t>(alarm)]; }

NextAction Decide(const Slot& slot, const Situation& situation, const SendPolicy& policy) {
  if (IsFinal(slot.state) || slot.state == SlotState::kIncluded) return Wait();
  const bool used = situation.latest_nonce && *situation.latest_nonce > slot.nonce;
  if (used) return NextAction{LookUpAction{}, {}};
  if (slot.state == SlotState::kDraft || slot.attempts.empty()) {
    return DecideDraft(situation, policy);
  }
  // A pause stops what has not gone out. What a node may already have is beyond stopping, and
  // keeping it alive at the same nonce is what keeps its fate knowable.
  const bool never_sent = std::ranges::all_of(
      slot.attempts, [](const Attempt& attempt) { return attempt.broadcast_count == 0; });
  if (situation.paused && never_sent) return Wait();
  return DecideSent(slot, situation, policy);
}

std::optional<SlotEvent> EventOfReply(Reply reply) {
  if (reply == Reply::kAccepted || reply == Reply::kAlreadyKnown) return SlotEvent::kAccept;
  return std::nullopt;
}

std::optional<Fees> FirstFees(const Market& market, const SendPolicy& policy) {
  Fees fees = market.suggested;
  if (fees.max_fee > policy.fee_ceiling) {
    if (policy.fee_ceiling <= market.base_fee) return std::nullopt;
    fees.max_fee = policy.fee_ceiling;
  }
  fees.max_priority_fee = std::min(fees.max_priority_fee, fees.max_fee);
  return fees;
}

std::optional<Fees> RaisedFees(const Fees& old, const std::optional<Market>& market,
                               const SendPolicy& policy) {
  Fees fees{RaisedBy(old.max_fee, std::uint64_t{policy.bump_percent} * 10),
            RaisedBy(old.max_priority_fee, std::uint64_t{policy.bump_percent} * 10)};
  if (market) {
    fees.max_fee = std::max(fees.max_fee, market->suggested.max_fee);
    fees.max_priority_fee = std::max(fees.max_priority_fee, market->suggested.max_priority_fee);
  }
  // A tip of zero would stay zero for ever, and nodes want both figures raised.
  if (fees.max_priority_fee.IsZero()) fees.max_priority_fee = U256(1);
  fees.max_fee = std::min(fees.max_fee, policy.fee_ceiling);
  fees.max_priority_fee = std::min(fees.max_priority_fee, fees.max_fee);
  if (fees.max_fee < RaisedBy(old.max_fee, policy.min_bump_permille)) return std::nullopt;
  if (fees.max_priority_fee < RaisedBy(old.max_priority_fee, policy.min_bump_permille)) {
    return std::nullopt;
  }
  return fees;
}

std::vector<std::uint64_t> MissingNonces(const std::vector<std::uint64_t>& known,
                                         std::uint64_t latest, std::uint64_t next) {
  std::vector<std::uint64_t> missing;
  for (std::uint64_t nonce = latest; nonce < next; ++nonce) {
    if (!std::ranges::binary_search(known, nonce)) missing.push_back(nonce);
  }
  return missing;
}

}  // namespace paymesh::settlement
