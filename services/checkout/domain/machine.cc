#include "services/checkout/domain/machine.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/money/rate.h"
#include "services/checkout/domain/assess_transfers.h"
#include "services/checkout/reasons.h"

namespace paymesh::checkout {
namespace {

// What an event did, before the state is judged again.
struct Effect {
  std::string kind;  // of the journal entry; empty: by the state
};

struct Scene {
  const Rules& rules;
  const Payment& before;
  Payment& next;
  Time now;

  void Tell(std::string kind, std::string message) const {
    AddTimeline(next, {.kind = std::move(kind), .time = now, .message = std::move(message)});
  }
  void Tell(std::string kind, std::string message, const Transfer& transfer) const {
    AddTimeline(next, {.kind = std::move(kind),
                       .time = now,
                       .message = std::move(message),
                       .transaction_hash = transfer.transaction_hash,
                       .object_id = transfer.transfer_id,
                       .chain = transfer.chain});
  }
};

Result<Effect> On(const Scene& scene, const AddressRegistered&) {
  if (!scene.next.registered) {
    scene.next.registered = true;
    scene.Tell("address_registered", "The deposit address is watched on every chain");
  }
  return Effect{};
}

bool Counts(const Transfer& transfer) {
  return transfer.decided ? !transfer.accepted.IsZero()
                          : transfer.disposition == Disposition::kMatched;
}

void Withdraw(Transfer& transfer) {
  // Money that was credited and comes back is new to look at; what was owed back stays plain.
  if (!transfer.accepted.IsZero()) transfer.reviewed = false;
  transfer.decided = false;
  transfer.accepted = U256();
  transfer.refundable = U256();
}

void TellCertainty(const Scene& scene, const Transfer& transfer, Finality old) {
  const Finality policy = scene.next.terms.policy;
  if (old < policy && transfer.finality >= policy) {
    scene.Tell("confirmed", "As certain as the merchant asks", transfer);
  }
  if (old < Finality::kFinalized && transfer.finality == Finality::kFinalized) {
    scene.Tell("finalized", "Final on its chain", transfer);
  }
}

void Take(Transfer& transfer, const TransferUpdate& update) {
  if (transfer.amount != update.amount) Withdraw(transfer);
  transfer.amount = update.amount;
  transfer.from_address = update.from_address;
  transfer.to_address = update.to_address;
  transfer.block = update.block;
  transfer.orphaned = update.orphaned;
  transfer.finality = update.orphaned ? Finality::kNone : update.finality;
  transfer.revision = update.revision;
}

// Whether there is room for one more transfer, and it is worth the room.
bool Takes(const Payment& payment, const Amount& amount) {
  const std::size_t held = payment.transfers.size();
  if (held < kFreeTransfers) return true;
  const Option* option = payment.OptionFor(amount.unit);
  if (held >= kMaxTransfers || option == nullptr) return false;
  constexpr std::uint64_t kHundredth = 100;
  const auto worth = MulDiv(option->due.value, U256(1), U256(kHundredth), Rounding::kUp);
  return worth && amount.value >= *worth;
}

Result<Effect> NewTransfer(const Scene& scene, const TransferUpdate& update) {
  if (update.orphaned) return Effect{};  // never seen alive here, so nothing to undo
  if (!Takes(scene.before, update.amount)) {
    if (!scene.before.transfers_left_out) {
      scene.next.transfers_left_out = true;
      scene.Tell("left_out", "Too many transfers: from here on only larger ones are taken");
    }
    return Effect{};
  }
  Transfer transfer{.transfer_id = update.transfer_id,
                    .chain = update.chain,
                    .transaction_hash = update.transaction_hash,
                    .amount = update.amount};
  Take(transfer, update);
  transfer.after_close = IsClosed(scene.before.state);
  scene.next.transfers.push_back(transfer);
  scene.next.registered = true;  // the watcher would not have seen it otherwise
  scene.Tell("seen", "A transfer of " + update.amount.ToString() + " is in a block", transfer);
  TellCertainty(scene, transfer, Finality::kNone);
  return Effect{};
}

Result<Effect> On(const Scene& scene, const TransferUpdate& said) {
  TransferUpdate update = said;
  // A transfer of nothing is none: anybody can make one, for anybody.
  if (update.amount.IsZero()) update.orphaned = true;
  auto& transfers = scene.next.transfers;
  const auto known = std::find_if(transfers.begin(), transfers.end(), [&](const Transfer& one) {
    return one.transfer_id == update.transfer_id;
  });
  if (known == transfers.end()) return NewTransfer(scene, update);
  Transfer& transfer = *known;
  if (update.revision <= transfer.revision) return Effect{};
  const Transfer old = transfer;
  Take(transfer, update);
  Effect effect;
  if (!old.orphaned && update.orphaned) {
    transfer.was_orphaned = true;
    Withdraw(transfer);
    scene.Tell("reorged", "The transfer's block left the chain", transfer);
    if (Counts(old)) {
      scene.next.flags.Set(Flag::kReorged);
      effect.kind = "payment.reorged";
    }
  } else if (old.orphaned && !update.orphaned) {
    transfer.after_close = transfer.after_close || IsClosed(scene.before.state);
    scene.next.flags.Set(Flag::kReincluded);
    scene.Tell("reincluded", "The transfer is in a block again", transfer);
  }
  TellCertainty(scene, transfer, old.finality);
  return effect;
}

bool Awaits(State state) {
  return state == State::kCreated || state == State::kAwaitingPayment ||
         state == State::kPartiallyPaid;
}

Result<Effect> On(const Scene& scene, const Barrier& barrier) {
  if (!Awaits(scene.before.state)) return Effect{};
  const bool passed = PassesBarrier(scene.rules, scene.before, barrier);
  scene.next.expired = passed;
  scene.next.expiry_deferred = !passed;
  return Effect{};
}

// Lost for good: nothing accepted is left, and where the money was the chain is final without it.
Result<Effect> On(const Scene& scene, const FinalizedHeights& finalized) {
  const Payment& before = scene.before;
  if (before.state != State::kRequiresReview || !before.decided_gross || before.reversed) {
    return Effect{};
  }
  bool any_orphaned = false;
  for (const Transfer& transfer : before.transfers) {
    if (transfer.live()) {
      if (!transfer.decided || !transfer.accepted.IsZero()) return Effect{};
      continue;
    }
    any_orphaned = true;
    const auto height = finalized.heights.find(transfer.chain);
    if (height == finalized.heights.end() ||
        height->second < transfer.block.number + scene.rules.reversal_margin_blocks) {
      return Effect{};
    }
  }
  scene.next.reversed = any_orphaned;
  return Effect{};
}

Result<Effect> On(const Scene& scene, const Cancel& cancel) {
  const State state = scene.before.state;
  if (IsClosed(state)) {
    return Error::FailedPrecondition(std::string(reasons::kPaymentClosed),
                                     "the payment is closed already");
  }
  const bool money = std::any_of(scene.before.transfers.begin(), scene.before.transfers.end(),
                                 [](const Transfer& transfer) { return transfer.live(); });
  if (money || (state != State::kCreated && state != State::kAwaitingPayment)) {
    return Error::FailedPrecondition(std::string(reasons::kPaymentInFlight),
                                     "money is on its way or there");
  }
  scene.next.canceled = true;
  scene.next.cancel_reason = cancel.reason;
  return Effect{};
}

Result<Effect> On(const Scene& scene, const Resolve& resolve) {
  if (resolve.expected_revision != scene.before.revision) {
    Error error =
        Error::Aborted(std::string(reasons::kRevisionMismatch), "the payment has changed since");
    error.metadata["revision"] = std::to_string(scene.before.revision);
    return error;
  }
  if (scene.before.state != State::kRequiresReview) {
    return Error::FailedPrecondition(std::string(reasons::kPaymentNotInReview),
                                     "the payment is not in review");
  }
  if (resolve.action == ResolveAction::kHold) {
    scene.next.flags.Set(Flag::kOnHold);
    scene.Tell("resolved", "Kept on hold: " + resolve.reason);
    return Effect{};
  }
  if (Acceptable(scene.before).IsZero()) {
    return Error::FailedPrecondition(
        std::string(reasons::kNothingToAccept),
        "nothing has arrived in the token that the payment is bound to");
  }
  scene.next.flags.Set(Flag::kOnHold, false);
  scene.next.flags.Set(Flag::kManualDecision);
  scene.next.reversed = false;
  Decide(scene.next, Authority::kPerson);
  scene.Tell("resolved", "Accepted: " + resolve.reason);
  return Effect{};
}

Result<Effect> On(const Scene& scene, const MoneyMoved& moved) {
  AddTimeline(scene.next, {.kind = moved.kind,
                           .time = scene.now,
                           .message = moved.message,
                           .transaction_hash = moved.transaction_hash,
                           .object_id = moved.object_id,
                           .chain = moved.chain});
  if (moved.settled) scene.next.flags.Set(Flag::kSettledToMerchant);
  return Effect{};
}

// Once, at the first partial transfer, the payer gets more time to send the rest.
void Extend(const Scene& scene) {
  Payment& next = scene.next;
  if (next.state != State::kPartiallyPaid || next.flags.Has(Flag::kExtended)) return;
  next.flags.Set(Flag::kExtended);
  next.expire_time += scene.rules.extension;
  next.expiry_deferred = false;
  scene.Tell("extended", "More time to send the rest");
  AssessTransfers(scene.rules, next);
}

void TellState(const Scene& scene) {
  if (scene.next.state == scene.before.state) return;
  switch (scene.next.state) {
    case State::kSucceeded:
      return scene.Tell("succeeded", "Paid");
    case State::kExpired:
      return scene.Tell("expired", "Every offered chain was read past the deadline");
    case State::kCanceled:
      return scene.Tell("canceled", "Cancelled: " + scene.next.cancel_reason);
    case State::kRequiresReview:
      return scene.Tell("review", "A person must decide");
    case State::kReversed:
      return scene.Tell("reversed", "The money is proven gone");
    default:
      return;
  }
}

std::string KindOf(const Scene& scene, const Effect& effect) {
  if (!effect.kind.empty()) return effect.kind;
  if (scene.next.state == scene.before.state) return "payment.updated";
  std::string kind = "payment.";
  for (char letter : StateName(scene.next.state)) {
    kind += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return kind;
}

}  // namespace

Payment Create(Terms terms, Time expire_time, bool registered) {
  Payment payment{.terms = std::move(terms)};
  payment.expire_time = expire_time;
  payment.registered = registered;
  payment.state = registered ? State::kAwaitingPayment : State::kCreated;
  payment.revision = 1;
  payment.update_time = payment.terms.create_time;
  const Time now = payment.terms.create_time;
  AddTimeline(payment, {.kind = "created", .time = now, .message = "The payment was created"});
  if (registered) {
    AddTimeline(payment, {.kind = "address_registered",
                          .time = now,
                          .message = "The deposit address is watched on every chain"});
  }
  return payment;
}

bool PassesBarrier(const Rules& rules, const Payment& payment, const Barrier& barrier) {
  for (const Option& option : payment.terms.options) {
    const auto waived = barrier.waived.find(option.chain);
    if (waived != barrier.waived.end() && waived->second) continue;
    const auto read = barrier.read_until.find(option.chain);
    if (read == barrier.read_until.end() || read->second <= payment.expire_time + rules.grace) {
      return false;
    }
  }
  return true;
}

Result<Applied> Apply(const Rules& rules, const Payment& before, const Event& event, Time now) {
  Applied applied{.payment = before};
  const Scene scene{rules, before, applied.payment, now};
  ASSIGN_OR_RETURN(const Effect effect,
                   std::visit([&scene](const auto& one) { return On(scene, one); }, event));
  AssessTransfers(rules, applied.payment);
  Extend(scene);
  Payment& next = applied.payment;
  if (before.state == State::kExpired &&
      (next.state == State::kProcessing || next.state == State::kSucceeded)) {
    next.flags.Set(Flag::kReorged);  // only a reorganisation brings on-time money after the barrier
  }
  if (next == before) return applied;
  TellState(scene);
  if (next.state != before.state && !MayStep(before.state, next.state)) {
    return Error::Internal("a forbidden step from " + std::string(StateName(before.state)) +
                           " to " + std::string(StateName(next.state)));
  }
  next.revision = before.revision + 1;
  next.update_time = now;
  applied.changed = true;
  applied.kind = KindOf(scene, effect);
  return applied;
}

}  // namespace paymesh::checkout
