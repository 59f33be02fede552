#include "services/checkout/domain/payment.h"

#include <algorithm>

#include "common/money/rate.h"

namespace paymesh::checkout {

U256 SaturatingAdd(const U256& a, const U256& b) { return CheckedAdd(a, b).value_or(U256::Max()); }

U256 FeeOf(const FeePlan& plan, const Amount& accepted) {
  const U256 share =
      MulDiv(accepted.value, U256(plan.basis_points), U256(kBasisPointsOfOne), Rounding::kDown)
          .value_or(accepted.value);
  const auto fixed = plan.fixed.find(accepted.unit);
  const U256 fee = fixed == plan.fixed.end() ? share : SaturatingAdd(share, fixed->second);
  return std::min(fee, accepted.value);
}

const Option* Payment::OptionFor(const Unit& unit) const {
  for (const Option& option : terms.options) {
    if (option.due.unit == unit) return &option;
  }
  return nullptr;
}

const Option* Payment::Bound() const {
  for (const Option& option : terms.options) {
    if (!bound_option_id.empty() && option.option_id == bound_option_id) return &option;
  }
  return nullptr;
}

Arrived ArrivedIn(const Payment& payment, const Unit& unit) {
  Arrived arrived;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.orphaned || transfer.amount.unit != unit) continue;
    const U256& value = transfer.amount.value;
    arrived.seen = SaturatingAdd(arrived.seen, value);
    if (transfer.finality >= payment.terms.policy) {
      arrived.confirmed = SaturatingAdd(arrived.confirmed, value);
    }
    if (transfer.finality == Finality::kFinalized) {
      arrived.finalized = SaturatingAdd(arrived.finalized, value);
    }
  }
  return arrived;
}

std::optional<Outcome> OutcomeOf(const Payment& payment) {
  const Option* bound = payment.Bound();
  if (bound == nullptr || !payment.decided_gross) return std::nullopt;
  U256 gross;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.live() && transfer.decided) gross = SaturatingAdd(gross, transfer.accepted);
  }
  if (gross.IsZero()) return std::nullopt;
  const U256 fee = FeeOf(payment.terms.fee_plan, Amount{bound->due.unit, gross});
  return Outcome{bound->due.unit, gross, fee, SaturatingSub(gross, fee)};
}

std::map<Unit, U256> RefundableOf(const Payment& payment) {
  std::map<Unit, U256> sums;
  for (const Transfer& transfer : payment.transfers) {
    if (transfer.orphaned || !transfer.decided || transfer.refundable.IsZero()) continue;
    U256& sum = sums[transfer.amount.unit];
    sum = SaturatingAdd(sum, transfer.refundable);
  }
  return sums;
}

Finality FinalityOf(const Payment& payment) {
  const Option* bound = payment.Bound();
  if (bound == nullptr) return Finality::kNone;
  std::vector<const Transfer*> counted;
  for (const Transfer& transfer : payment.transfers) {
    const bool counts = transfer.decided ? !transfer.accepted.IsZero()
                                         : transfer.disposition == Disposition::kMatched;
    if (transfer.live() && counts) counted.push_back(&transfer);
  }
  std::stable_sort(counted.begin(), counted.end(),
                   [](const Transfer* a, const Transfer* b) { return a->finality > b->finality; });
  U256 covered;
  Finality lowest = Finality::kNone;
  for (const Transfer* transfer : counted) {
    if (covered >= bound->due.value) break;
    covered = SaturatingAdd(covered, transfer->amount.value);
    lowest = transfer->finality;
  }
  return lowest;
}

U256 RequiredOf(const Option& option, std::uint32_t tolerance_basis_points) {
  const U256 tolerance = MulDiv(option.due.value, U256(tolerance_basis_points),
                                U256(kBasisPointsOfOne), Rounding::kDown)
                             .value_or(U256());
  return SaturatingSub(option.due.value, tolerance);
}

void AddTimeline(Payment& payment, TimelineEntry entry) {
  entry.ordinal = payment.timeline.empty() ? 1 : payment.timeline.back().ordinal + 1;
  payment.timeline.push_back(std::move(entry));
}

std::span<const TimelineEntry> ShownTimeline(const Payment& payment) {
  const std::span<const TimelineEntry> all(payment.timeline);
  return all.last(std::min(all.size(), kMaxTimelineEntries));
}

}  // namespace paymesh::checkout
