// One nonce slot of an operator wallet and what is done about it: the state machine, when to sign,
// send, resend and pay more, and what a node's answer means. Decisions only; workers/sender
// performs them, and the simulation runs the very same functions against a chain that follows
// geth's rules. Pure functions and plain values; any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/evm/bytes.h"
#include "common/money/u256.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

enum class SlotState {
  kDraft,      // the nonce is bound to an intent; nothing that was signed is stored
  kSigned,     // signed bytes are stored; no node is known to have them
  kBroadcast,  // a node took them
  kIncluded,   // one attempt is in a block
  kFinalized,  // and that block is final: success or revert
  kReplaced,   // somebody else's transaction used the nonce up, finally
};
inline constexpr std::size_t kSlotStates = 6;

enum class SlotEvent {
  kSign,             // the first attempt's bytes were stored
  kSignReplacement,  // a further attempt's bytes were stored
  kAccept,           // a node took an attempt or has it already
  kInclude,          // an attempt is in a block
  kOrphan,           // that block left the chain
  kFinalize,         // that block is final
  kLose,             // a transaction that is none of our attempts is final with this nonce
};
inline constexpr std::size_t kSlotEvents = 7;

struct SlotTransition {
  SlotState from;
  SlotEvent event;
  SlotState to;
};

// Everything that can happen to a slot. A lost reply is why inclusion may follow kSigned directly.
// Nothing leads from a slot back to its intent being payable, except kReplaced.
inline constexpr std::array kSlotTransitions = {
    SlotTransition{SlotState::kDraft, SlotEvent::kSign, SlotState::kSigned},
    SlotTransition{SlotState::kDraft, SlotEvent::kLose, SlotState::kReplaced},
    SlotTransition{SlotState::kSigned, SlotEvent::kSignReplacement, SlotState::kSigned},
    SlotTransition{SlotState::kSigned, SlotEvent::kAccept, SlotState::kBroadcast},
    SlotTransition{SlotState::kSigned, SlotEvent::kInclude, SlotState::kIncluded},
    SlotTransition{SlotState::kSigned, SlotEvent::kLose, SlotState::kReplaced},
    SlotTransition{SlotState::kBroadcast, SlotEvent::kSignReplacement, SlotState::kBroadcast},
    SlotTransition{SlotState::kBroadcast, SlotEvent::kAccept, SlotState::kBroadcast},
    SlotTransition{SlotState::kBroadcast, SlotEvent::kInclude, SlotState::kIncluded},
    SlotTransition{SlotState::kBroadcast, SlotEvent::kLose, SlotState::kReplaced},
    SlotTransition{SlotState::kIncluded, SlotEvent::kInclude, SlotState::kIncluded},
    SlotTransition{SlotState::kIncluded, SlotEvent::kOrphan, SlotState::kBroadcast},
    SlotTransition{SlotState::kIncluded, SlotEvent::kFinalize, SlotState::kFinalized},
};

constexpr std::optional<SlotState> NextState(SlotState from, SlotEvent event) {
  for (const SlotTransition& transition : kSlotTransitions) {
    if (transition.from == from && transition.event == event) return transition.to;
  }
  return std::nullopt;
}
constexpr bool IsFinal(SlotState state) {
  return state == SlotState::kFinalized || state == SlotState::kReplaced;
}

std::string_view SlotStateName(SlotState state);  // "DRAFT", as in the database and on the wire
std::optional<SlotState> ParseSlotState(std::string_view name);

// What a slot is for.
enum class Purpose { kPayout, kSweep, kNoop, kForeign };
std::string_view PurposeName(Purpose purpose);
std::optional<Purpose> ParsePurpose(std::string_view name);

// Wei for each unit of gas.
struct Fees {
  U256 max_fee;
  U256 max_priority_fee;
  friend bool operator==(const Fees&, const Fees&) = default;
};
struct Market {
  U256 base_fee;
  Fees suggested;
};

// What nodes said to a broadcast; the watcher's BroadcastOutcome.
enum class Reply {
  kNone,  // never sent
  kAccepted,
  kAlreadyKnown,
  kNonceTooLow,
  kNonceTooHigh,
  kUnderpriced,
  kFeeTooLow,
  kInsufficientFunds,
  kRejected,
  kUnknown,
};
std::string_view ReplyName(Reply reply);
std::optional<Reply> ParseReply(std::string_view name);

// One set of signed bytes for a slot.
struct Attempt {
  evm::Hash32 hash;
  evm::Bytes raw;
  Fees fees;
  Time sign_time{};
  int broadcast_count = 0;
  std::optional<Time> first_broadcast_time = std::nullopt;
  std::optional<Time> last_broadcast_time = std::nullopt;
  Reply last_reply = Reply::kNone;
};

struct Slot {
  std::string id;  // ctx_…
  std::uint64_t nonce = 0;
  SlotState state = SlotState::kDraft;
  Purpose purpose = Purpose::kNoop;
  std::int64_t revision = 0;
  std::vector<Attempt> attempts = {};  // oldest first
};

struct SendPolicy {
  std::chrono::milliseconds retry_after{2'000};    // an answer that was not clear
  std::chrono::milliseconds resend_after{60'000};  // accepted and not mined: the same bytes again
  std::chrono::milliseconds bump_after{45'000};    // accepted and not mined: pay more; doubles
  unsigned bump_percent = 20;                      // nodes want 10, some 12.5, on both figures
  unsigned min_bump_permille = 125;                // what is worth sending when the ceiling is near
  std::size_t max_attempts = 8;
  U256 fee_ceiling;  // max_fee never goes above
};

// What the sender knows besides the slot.
struct Situation {
  Time now{};
  std::optional<Market> market = std::nullopt;
  // Signing and sending are stopped for the chain.
  bool paused = false;
  // The account's next nonce at the newest block: below it everything is mined.
  std::optional<std::uint64_t> latest_nonce = std::nullopt;
};

enum class Alarm {
  kNoMarket,           // fees are unknown
  kFeeCeiling,         // the market or the next bump is above the ceiling
  kAttemptsExhausted,  // paid more as often as allowed, and still not mined
  kInsufficientFunds,  // the wallet cannot pay for gas
  kRejected,           // a node refuses the bytes for another reason
  kNonceUsed,          // the nonce is used up on chain and none of our hashes is known to be mined
};
std::string_view AlarmName(Alarm alarm);

// What to do next about one slot.
struct SignAction {  // make an attempt with these fees and store it before anything else
  Fees fees;
};
struct BroadcastAction {  // hand out the stored bytes of attempts[index]
  std::size_t index;
};
struct LookUpAction {};  // ask what became of each hash of the slot
struct WaitAction {
  std::optional<Alarm> alarm = std::nullopt;
};
struct NextAction {
  std::variant<SignAction, BroadcastAction, LookUpAction, WaitAction> what;
  std::optional<Alarm> alarm = std::nullopt;
};

NextAction Decide(const Slot& slot, const Situation& situation, const SendPolicy& policy);

// What a node's answer does to the slot's state: nullopt is nothing.
std::optional<SlotEvent> EventOfReply(Reply reply);

// Fees of a first attempt: the market's, cut at the ceiling when that still beats the base fee.
std::optional<Fees> FirstFees(const Market& market, const SendPolicy& policy);
// Fees that replace `old`: both figures at least bump_percent up, or the market's if that is more;
// cut at the ceiling while that is still enough for nodes to take it. Empty: stop and say so.
std::optional<Fees> RaisedFees(const Fees& old, const std::optional<Market>& market,
                               const SendPolicy& policy);

// Nonces that are neither mined nor ours: what a no-op must fill before anything later can be
// mined. `known` are the nonces of all our slots in any state, sorted; the range is [latest, next).
std::vector<std::uint64_t> MissingNonces(const std::vector<std::uint64_t>& known,
                                         std::uint64_t latest, std::uint64_t next);

}  // namespace paymesh::settlement
