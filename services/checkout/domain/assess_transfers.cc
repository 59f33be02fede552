#include "services/checkout/domain/assess_transfers.h"

#include <algorithm>
#include <vector>

namespace paymesh::checkout {
namespace {

bool IsLate(const Rules& rules, const Payment& payment, const Transfer& transfer) {
  return transfer.block.time > payment.expire_time + rules.grace;
}

U256 AcceptedLive(const Payment& payment) {
  U256 sum;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.live() && transfer.decided) sum = SaturatingAdd(sum, transfer.accepted);
  }
  return sum;
}

// The least that counts as paid: the due amount less tolerance, or less if a person accepted less.
U256 Threshold(const Payment& payment, const Option& bound) {
  const U256 required = RequiredOf(bound, payment.terms.tolerance_basis_points);
  return payment.decided_gross ? std::min(required, *payment.decided_gross) : required;
}

// The first live transfer in an offered unit binds its option, on-time ones first. A decision binds
// for good: what it accepted is counted in that unit.
void Bind(const Rules& rules, Payment& payment) {
  if (payment.decided_gross) return;
  const Option* on_time = nullptr;
  const Option* late = nullptr;
  for (const Transfer& transfer : payment.transfers) {
    const Option* option = payment.OptionFor(transfer.amount.unit);
    if (transfer.orphaned || option == nullptr) continue;
    const Option*& slot = IsLate(rules, payment, transfer) ? late : on_time;
    if (slot == nullptr) slot = option;
  }
  const Option* bound = on_time != nullptr ? on_time : late;
  payment.bound_option_id = bound != nullptr ? bound->option_id : "";
}

// In order of arrival: what each undecided, live transfer means.
void Classify(const Rules& rules, Payment& payment) {
  const Option* bound = payment.Bound();
  U256 counted = AcceptedLive(payment);
  const bool paid_before =
      payment.decided_gross && bound != nullptr && counted >= Threshold(payment, *bound);
  for (Transfer& transfer : payment.transfers) {
    if (transfer.orphaned || transfer.decided) continue;
    if (bound == nullptr || transfer.amount.unit != bound->due.unit) {
      transfer.disposition = Disposition::kWrongAsset;
    } else if (paid_before || counted >= bound->due.value) {
      transfer.disposition = Disposition::kExtra;
    } else if (IsLate(rules, payment, transfer)) {
      transfer.disposition = Disposition::kLate;
    } else {
      transfer.disposition = Disposition::kMatched;
      counted = SaturatingAdd(counted, transfer.amount.value);
    }
  }
}

struct Sums {
  U256 seen;       // accepted, or matched and undecided
  U256 confirmed;  // the same at the policy's certainty
  bool any_live = false;
  bool problem = false;    // something that a person should look at
  bool undecided = false;  // live money without a decision
};

Sums Add(const Payment& payment) {
  Sums sums;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.orphaned) continue;
    sums.any_live = true;
    if (!transfer.decided) sums.undecided = true;
    const bool odd = transfer.disposition == Disposition::kLate ||
                     transfer.disposition == Disposition::kWrongAsset ||
                     (transfer.disposition == Disposition::kExtra && transfer.after_close);
    if (odd && !transfer.reviewed) sums.problem = true;
    const bool counts = transfer.disposition == Disposition::kMatched || transfer.decided;
    if (!counts) continue;
    const U256& value = transfer.decided ? transfer.accepted : transfer.amount.value;
    sums.seen = SaturatingAdd(sums.seen, value);
    if (transfer.finality >= payment.terms.policy) {
      sums.confirmed = SaturatingAdd(sums.confirmed, value);
    }
  }
  return sums;
}

// After a success: does the accepted money still stand, and did anything come on top?
State StateAfterDecision(Payment& payment) {
  const Option* bound = payment.Bound();
  if (bound == nullptr) return State::kRequiresReview;
  const U256 threshold = Threshold(payment, *bound);
  Sums sums = Add(payment);
  const bool held = payment.flags.Has(Flag::kOnHold) && sums.any_live;
  if (AcceptedLive(payment) < threshold) {
    if (payment.reversed) return sums.undecided ? State::kRequiresReview : State::kReversed;
    // Lost in a reorganisation; the same money back, or money in its place, heals it by itself.
    if (held || sums.problem || sums.confirmed < threshold) return State::kRequiresReview;
    Decide(payment, Authority::kRules);
    return State::kSucceeded;
  }
  if (sums.undecided)
    Decide(payment, Authority::kRules);  // nothing was due any more: all owed back
  if (held || sums.problem) return State::kRequiresReview;
  // What a person accepted early is a success when it is as certain as any other; one that has been
  // reached stands as long as its money does.
  const bool reached = payment.state == State::kSucceeded || sums.confirmed >= threshold;
  return reached ? State::kSucceeded : State::kProcessing;
}

State StateBeforeDecision(Payment& payment) {
  const Sums sums = Add(payment);
  if (payment.canceled) return sums.any_live ? State::kRequiresReview : State::kCanceled;
  if (sums.problem || (payment.flags.Has(Flag::kOnHold) && sums.any_live)) {
    return State::kRequiresReview;
  }
  const Option* bound = payment.Bound();
  if (bound == nullptr || sums.seen.IsZero()) {
    if (payment.expired) return State::kExpired;
    return payment.registered ? State::kAwaitingPayment : State::kCreated;
  }
  const U256 threshold = Threshold(payment, *bound);
  if (sums.seen < threshold) {
    return payment.expired ? State::kRequiresReview : State::kPartiallyPaid;
  }
  if (sums.confirmed < threshold) return State::kProcessing;
  Decide(payment, Authority::kRules);
  return State::kSucceeded;
}

// Flags that follow from the live transfers; REORGED, EXTENDED and the like are facts and stay.
void SetFlags(Payment& payment) {
  bool late = false, wrong = false, extra = false;
  int counted = 0;
  U256 in_bound;
  const Option* bound = payment.Bound();
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.orphaned) continue;
    late = late || transfer.disposition == Disposition::kLate;
    wrong = wrong || transfer.disposition == Disposition::kWrongAsset;
    extra = extra || transfer.disposition == Disposition::kExtra;
    const bool counts = transfer.disposition == Disposition::kMatched ||
                        (transfer.decided && !transfer.accepted.IsZero());
    counted += counts ? 1 : 0;
    if (bound != nullptr && transfer.amount.unit == bound->due.unit) {
      in_bound = SaturatingAdd(in_bound, transfer.amount.value);
    }
  }
  const bool any = late || wrong || extra || counted > 0;
  payment.flags.Set(Flag::kLate, late);
  payment.flags.Set(Flag::kWrongAsset, wrong);
  payment.flags.Set(Flag::kExtraAfterSuccess, extra);
  payment.flags.Set(Flag::kMultiTransfer, counted > 1);
  payment.flags.Set(Flag::kOverpaid, bound != nullptr && in_bound > bound->due.value);
  payment.flags.Set(Flag::kPaidAfterCancel, payment.canceled && any);
  payment.flags.Set(Flag::kUnderpaidAccepted, bound != nullptr && payment.decided_gross &&
                                                  *payment.decided_gross < bound->due.value);
}

// The live transfers as certain as the policy asks, then the others; in order of arrival each.
std::vector<Transfer*> CertainFirst(Payment& payment) {
  std::vector<Transfer*> order;
  for (Transfer& transfer : payment.transfers) {
    if (transfer.live()) order.push_back(&transfer);
  }
  std::stable_partition(order.begin(), order.end(), [&payment](const Transfer* transfer) {
    return transfer->finality >= payment.terms.policy;
  });
  return order;
}

}  // namespace

void Decide(Payment& payment, Authority authority) {
  const Option* bound = payment.Bound();
  if (bound == nullptr) return;
  U256 remaining = SaturatingSub(bound->due.value, AcceptedLive(payment));
  for (Transfer* transfer : CertainFirst(payment)) {
    const bool person = authority == Authority::kPerson;
    if (!transfer->decided) {
      const bool counts = transfer->amount.unit == bound->due.unit &&
                          (person || transfer->disposition == Disposition::kMatched);
      transfer->accepted = counts ? std::min(transfer->amount.value, remaining) : U256();
      transfer->refundable = SaturatingSub(transfer->amount.value, transfer->accepted);
      transfer->decided = true;
      remaining = SaturatingSub(remaining, transfer->accepted);
    }
    // What came after the close waits for a person, however plain its fate.
    if (person || !transfer->after_close) transfer->reviewed = true;
  }
  payment.decided_gross = AcceptedLive(payment);
}

U256 Acceptable(const Payment& payment) {
  const Option* bound = payment.Bound();
  if (bound == nullptr) return U256();
  U256 sum = AcceptedLive(payment);
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.live() && !transfer.decided && transfer.amount.unit == bound->due.unit) {
      sum = SaturatingAdd(sum, transfer.amount.value);
    }
  }
  return sum;
}

void AssessTransfers(const Rules& rules, Payment& payment) {
  Bind(rules, payment);
  Classify(rules, payment);
  payment.state =
      payment.decided_gross ? StateAfterDecision(payment) : StateBeforeDecision(payment);
  SetFlags(payment);
}

}  // namespace paymesh::checkout
