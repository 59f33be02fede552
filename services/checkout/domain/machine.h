// The payment's machine: Apply(payment, event) -> payment'. The same function runs behind every
// RPC, follower and timer. It computes dispositions, the bound option, flags and the state from the
// facts, so that two histories which end in the same facts end in the same payment. Pure functions;
// any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "common/error/error.h"
#include "services/checkout/domain/payment.h"

namespace paymesh::checkout {

struct Rules {
  std::chrono::seconds grace{60};       // a block this much past the deadline is still on time
  std::chrono::seconds extension{600};  // once, at the first partial transfer
  std::uint64_t reversal_margin_blocks = 32;  // finalised blocks above a lost transfer's place
};

// The watcher registered the deposit address.
struct AddressRegistered {};

// The watcher's whole present knowledge of a transfer to the deposit address.
struct TransferUpdate {
  std::string transfer_id = {};
  std::string chain = {};
  std::string transaction_hash = {};
  Amount amount;
  std::string from_address = {};
  std::string to_address = {};
  Finality finality = Finality::kNone;
  Block block = {};
  bool orphaned = false;
  std::int64_t revision = 0;
};

// How far each chain was provably read when all transfers so far were applied, by block time; and
// the chains that an operator lets us pass over.
struct Barrier {
  std::map<std::string, Time> read_until = {};
  std::map<std::string, bool> waived = {};
};

// How far each chain is final, by block number.
struct FinalizedHeights {
  std::map<std::string, std::uint64_t> heights = {};
};

struct Cancel {
  std::string reason = {};
};

enum class ResolveAction { kAccept, kHold };
struct Resolve {
  ResolveAction action = ResolveAction::kHold;
  std::string reason = {};
  std::int64_t expected_revision = 0;
};

// Settlement moved the payment's money: a line of the timeline.
struct MoneyMoved {
  std::string kind = {};
  std::string message = {};
  std::string transaction_hash = {};
  std::string object_id = {};
  std::string chain = {};
  bool settled = false;
};

using Event = std::variant<AddressRegistered, TransferUpdate, Barrier, FinalizedHeights, Cancel,
                           Resolve, MoneyMoved>;

struct Applied {
  Payment payment;
  // False: the event said nothing new, and the payment is as it was.
  bool changed = false;
  // The journal's word: "payment.succeeded", "payment.reorged", "payment.updated", ...
  std::string kind = {};
};

// A payment just agreed on: revision 1, CREATED, or AWAITING_PAYMENT when its address is
// registered.
Payment Create(Terms terms, Time expire_time, bool registered);

// Errors are those of Cancel and Resolve: FAILED_PRECONDITION PAYMENT_IN_FLIGHT, PAYMENT_CLOSED,
// PAYMENT_NOT_IN_REVIEW, NOTHING_TO_ACCEPT; ABORTED REVISION_MISMATCH. INTERNAL is a bug (a step
// that the table forbids). `now` is the database's clock and only ever written down, never judged
// by.
Result<Applied> Apply(const Rules& rules, const Payment& before, const Event& event, Time now);

// Whether a barrier would expire this payment: the deadline and its grace have passed on every
// chain.
bool PassesBarrier(const Rules& rules, const Payment& payment, const Barrier& barrier);

// The kind of the first event: "payment.created".
inline constexpr const char* kCreatedEvent = "payment.created";

}  // namespace paymesh::checkout
