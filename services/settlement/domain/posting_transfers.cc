// From a transfer's evidence and the decision about it to its journals.
#include "services/settlement/domain/posting_plan.h"

namespace paymesh::settlement::planning {

// What to do with a live transfer to the deposit, or nothing as long as that is not known, not
// certain enough, or makes no sense.
std::optional<Planner::Decision> Planner::Judge(const Evidence& transfer) {
  const Allocation* allocation = AllocationOf(transfer);
  if (allocation == nullptr || !allocation->decided) return std::nullopt;
  // Decided on another inclusion than the one we know: one of the two journals is behind.
  if (allocation->orphaned || allocation->block_hash != transfer.block.hash) return std::nullopt;
  const std::optional<U256> sum = CheckedAdd(allocation->accepted, allocation->refundable);
  if (!sum || *sum != transfer.amount) {
    plan_.contradictions.push_back(transfer.transfer_id +
                                   ": accepted and refundable are not what arrived");
    plan_.deferred = true;
    return std::nullopt;
  }
  if (!allocation->accepted.IsZero() && transfer.state < facts_.terms->policy) return std::nullopt;
  return Decision{allocation->accepted, allocation->refundable, allocation->disposition};
}

void Planner::PlanVault(const Evidence& transfer) {
  const bool from_deposit = FromDeposit(transfer);
  const std::string_view rule = from_deposit ? "P10" : "P0";
  const auto& standing = standing_[transfer.transfer_id];
  if (!standing.empty() && standing.front().rule != rule) {
    ReverseAll(transfer.transfer_id, "the sender is a deposit address");
  }
  if (!standing_[transfer.transfer_id].empty()) return;
  const AccountKey vault = Of(AccountCode::kVault, transfer);
  if (from_deposit) {
    Post(transfer, rule, Move(vault, Of(AccountCode::kDeposits, transfer), transfer.amount),
         MoneyStage::kSwept);
  } else {
    Post(transfer, rule, Move(vault, Of(AccountCode::kCapital, transfer), transfer.amount));
  }
}

void Planner::PlanTransfer(const Evidence& transfer) {
  const std::string& event = transfer.transfer_id;
  const bool ours = !attributed() || transfer.to_address == facts_.terms->address ||
                    (IntoVault(transfer) && FromDeposit(transfer));
  if (!ours) return;
  if (!transfer.live() || !Matches(transfer)) ReverseAll(event, kOrphaned);
  if (!transfer.live() || transfer.amount.IsZero()) return;
  if (IntoVault(transfer)) return PlanVault(transfer);
  const AccountKey deposits = Of(AccountCode::kDeposits, transfer);
  if (standing_[event].empty()) {
    if (!attributed()) {
      Post(transfer, "P8", Move(deposits, Of(AccountCode::kSuspense, transfer), transfer.amount));
    } else {
      Post(transfer, "P1",
           Move(deposits, Of(AccountCode::kMerchantUnconfirmed, transfer), transfer.amount));
    }
  }
  if (!attributed()) return;
  if (standing_[event].size() == 1 && standing_[event].front().rule == "P8") {
    Post(transfer, "P8b",
         Move(Of(AccountCode::kSuspense, transfer), Of(AccountCode::kMerchantUnconfirmed, transfer),
              transfer.amount));
  }
  PlanDecision(transfer);
}

void Planner::PlanDecision(const Evidence& transfer) {
  const std::string& event = transfer.transfer_id;
  const std::size_t contradictions = plan_.contradictions.size();
  const std::optional<Decision> decision = Judge(transfer);
  const bool undecided = !Standing(event, AccountCode::kMerchantUnconfirmed).IsZero();
  if (!decision) {
    // Terms that make no sense change nothing.
    if (!undecided && plan_.contradictions.size() == contradictions) ReverseDecision(event);
    return;
  }
  const U256 owed = decision->disposition == Disposition::kWrongAsset
                        ? Standing(event, AccountCode::kSuspense)
                        : Standing(event, AccountCode::kPayerRefundable);
  if (!undecided && Standing(event, AccountCode::kMerchantPending) == decision->accepted &&
      owed == decision->refundable) {
    return;
  }
  if (Halted(transfer) && !decision->accepted.IsZero()) {
    plan_.deferred = true;
    return;
  }
  if (!undecided && Reallocate(transfer, *decision)) return;
  if (!undecided) ReverseDecision(event);
  PostDecision(transfer, *decision);
}

// More of it is accepted than was: straight from what was owed back.
bool Planner::Reallocate(const Evidence& transfer, const Decision& decision) {
  const std::string& event = transfer.transfer_id;
  const U256 accepted = Standing(event, AccountCode::kMerchantPending);
  const bool suspense = !Standing(event, AccountCode::kSuspense).IsZero();
  if (decision.accepted <= accepted ||
      suspense != (decision.disposition == Disposition::kWrongAsset)) {
    return false;
  }
  const AccountCode from = suspense ? AccountCode::kSuspense : AccountCode::kPayerRefundable;
  const U256 more = SaturatingSub(decision.accepted, accepted);
  if (Standing(event, from) < more) return false;
  Post(transfer, suspense ? "P8c" : "P7b",
       Move(Of(from, transfer), Of(AccountCode::kMerchantPending, transfer), more),
       MoneyStage::kPosted);
  return true;
}

void Planner::PostDecision(const Evidence& transfer, const Decision& decision) {
  const AccountKey from = Of(AccountCode::kMerchantUnconfirmed, transfer);
  const bool plain = decision.disposition == Disposition::kMatched;
  Post(transfer, plain ? "P2" : "P7b",
       Move(from, Of(AccountCode::kMerchantPending, transfer), decision.accepted),
       MoneyStage::kPosted);
  if (decision.disposition == Disposition::kWrongAsset) {
    Post(transfer, "P8", Move(from, Of(AccountCode::kSuspense, transfer), decision.refundable));
    return;
  }
  const std::string_view rule = !plain ? "P7a" : decision.accepted.IsZero() ? "P6a" : "P5";
  Post(transfer, rule,
       Move(from, Of(AccountCode::kPayerRefundable, transfer), decision.refundable));
}

// Money that left a deposit goes back to it before the deposit itself is taken back, and leaves it
// after it has come: so no holding is below zero in between.
void Planner::PlanTransfers() {
  for (const Evidence& transfer : facts_.transfers) {
    const bool gone = !transfer.live() || !Matches(transfer);
    const bool ours = !attributed() || FromDeposit(transfer);
    if (IntoVault(transfer) && gone && ours) ReverseAll(transfer.transfer_id, kOrphaned);
  }
  for (const Evidence& transfer : facts_.transfers) {
    if (!IntoVault(transfer)) PlanTransfer(transfer);
  }
  for (const Evidence& transfer : facts_.transfers) {
    if (IntoVault(transfer)) PlanTransfer(transfer);
  }
}

}  // namespace paymesh::settlement::planning
