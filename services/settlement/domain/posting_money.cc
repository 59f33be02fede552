// A payment's fee, its net, and what it owes after a reorganisation.
#include "services/settlement/domain/posting_plan.h"

namespace paymesh::settlement::planning {

std::map<std::string, Planner::Target> Planner::Targets() {
  std::map<std::string, Target> targets;
  const Terms& terms = *facts_.terms;
  for (const auto& [event, journals] : standing_) {
    // Units in which fees or nets stand are looked at even when no transfer is left.
    if (!journals.empty() && event.starts_with(terms.payment_id)) {
      targets[journals.front().legs.front().account.unit];
    }
  }
  for (const Evidence& transfer : facts_.transfers) {
    if (transfer.to_address != terms.address) continue;
    const U256 accepted = Standing(transfer.transfer_id, AccountCode::kMerchantPending);
    const Allocation* allocation = AllocationOf(transfer);
    const bool wanted =
        allocation != nullptr && allocation->decided && !allocation->accepted.IsZero();
    if (accepted.IsZero() && !wanted) continue;
    Target& target = targets[transfer.unit];
    target.gross = Plus(target.gross, accepted);
    if (!wanted || accepted != allocation->accepted) target.complete = false;
    if (transfer.state != EvidenceState::kFinalized) target.final = false;
    if (Halted(transfer)) target.halted = true;
  }
  // Checkout has seen what has not come to us yet: the fee waits for the whole.
  const bool missing = std::any_of(
      terms.allocations.begin(), terms.allocations.end(), [this](const Allocation& one) {
        return one.decided && !one.accepted.IsZero() &&
               std::none_of(facts_.transfers.begin(), facts_.transfers.end(),
                            [&one](const Evidence& transfer) {
                              return transfer.transfer_id == one.transfer_id;
                            });
      });
  for (auto& [unit, target] : targets) target.complete = target.complete && !missing;
  return targets;
}

U256 Planner::Balance(const AccountKey& account) const {
  U256 balance = world_.balance ? world_.balance(account) : U256();
  for (const PlannedJournal& planned : plan_.journals) {
    for (const Leg& leg : planned.draft.legs) {
      if (leg.account != account) continue;
      balance = leg.side == NormalSide(account.code) ? Plus(balance, leg.amount)
                                                     : SaturatingSub(balance, leg.amount);
    }
  }
  return balance;
}

void Planner::Track(const JournalDraft& draft, std::map<std::string, U256>& gross) const {
  for (const Leg& leg : draft.legs) {
    if (leg.account.code != AccountCode::kMerchantPending) continue;
    U256& sum = gross[leg.account.unit];
    sum = leg.side == Side::kCredit ? Plus(sum, leg.amount) : SaturatingSub(sum, leg.amount);
  }
}

std::map<std::string, U256> Planner::LowestGross(const std::vector<PlannedJournal>& planned) const {
  std::map<std::string, U256> gross;
  for (const PostedJournal& posted : facts_.posted) {
    const bool of_transfer = !posted.journal.event_id.starts_with(facts_.terms->payment_id);
    if (of_transfer && !posted.reversed) Track(posted.journal, gross);
  }
  std::map<std::string, U256> lowest = gross;
  for (const PlannedJournal& one : planned) {
    Track(one.draft, gross);
    for (auto& [unit, sum] : lowest) sum = std::min(sum, gross[unit]);
  }
  return lowest;
}

// P4 alone: a debt of the payment (P13) stands on the same account.
U256 Planner::PostedNet(const std::string& event) const {
  U256 net;
  const auto found = standing_.find(event);
  if (found == standing_.end()) return net;
  for (const Journal& journal : found->second) {
    if (journal.rule == "P4") net = Plus(net, journal.legs.front().amount);
  }
  return net;
}

// Before accepted money is taken back: the net and the fee that it no longer carries.
void Planner::TakeBack(const std::string& unit, const U256& lowest_gross) {
  const std::string event = MoneyEventId(facts_.terms->payment_id, unit);
  const U256 net = PostedNet(event);
  const U256 fee = Standing(event, AccountCode::kProcessingFee);
  if (Plus(net, fee) <= lowest_gross) return;
  const AccountKey available = Merchant(AccountCode::kMerchantAvailable, unit);
  if (!net.IsZero()) {
    // What payouts have taken meanwhile is owed by the merchant.
    const U256 missing = SaturatingSub(net, Balance(available));
    if (!missing.IsZero()) {
      PostMoney(unit, "P13",
                Move(Merchant(AccountCode::kMerchantReceivable, unit), available, missing));
    }
  }
  std::vector<Journal> kept;
  for (Journal& journal : std::exchange(standing_[event], {})) {
    if (journal.rule == "P13" || journal.rule == "P13b") {
      kept.push_back(std::move(journal));
    } else {
      standing_[event].push_back(std::move(journal));
    }
  }
  ReverseAll(event, kOrphaned);
  standing_[event] = std::move(kept);
  if (!net.IsZero()) plan_.net[unit] = U256();
}

void Planner::CheckSums(const std::string& unit, const Target& target, const U256& fee) {
  const Terms& terms = *facts_.terms;
  if (terms.gross_unit != unit || !terms.gross || *terms.gross != target.gross) return;
  if (terms.fee && *terms.fee != fee) {
    plan_.contradictions.push_back(terms.payment_id + ": the fee is not what the plan says");
  }
}

void Planner::SettleFee(const std::string& unit, const Target& target) {
  if (!target.complete || target.halted) return;
  const std::string event = MoneyEventId(facts_.terms->payment_id, unit);
  const U256 fee = FeeOf(facts_.terms->fee_plan, unit, target.gross);
  CheckSums(unit, target, fee);
  const U256 posted = Standing(event, AccountCode::kProcessingFee);
  if (posted == fee) return;
  const AccountKey pending = Merchant(AccountCode::kMerchantPending, unit);
  const AccountKey income{AccountCode::kProcessingFee, "", unit};
  if (fee > posted) {
    PostMoney(unit, "P3", Move(pending, income, SaturatingSub(fee, posted)));
  } else {
    PostMoney(unit, "P3", Move(income, pending, SaturatingSub(posted, fee)));
  }
}

void Planner::SettleNet(const std::string& unit, const Target& target) {
  const Terms& terms = *facts_.terms;
  const bool lost = std::any_of(terms.allocations.begin(), terms.allocations.end(),
                                [](const Allocation& one) { return one.orphaned; });
  const bool frozen = terms.reversed || (terms.in_review && (terms.on_hold || lost));
  if (!target.complete || !target.final || target.gross.IsZero() || frozen) return;
  if (target.halted) {
    plan_.deferred = true;
    return;
  }
  const std::string event = MoneyEventId(terms.payment_id, unit);
  const U256 fee = Standing(event, AccountCode::kProcessingFee);
  const U256 posted = PostedNet(event);
  const U256 net = SaturatingSub(target.gross, fee);
  if (net <= posted) return;
  PostMoney(unit, "P4",
            Move(Merchant(AccountCode::kMerchantPending, unit),
                 Merchant(AccountCode::kMerchantAvailable, unit), SaturatingSub(net, posted)),
            MoneyStage::kAvailable);
  plan_.net[unit] = net;
}

// The debt of a payment whose money came back is paid by it; of one that is gone for good, written
// off.
void Planner::WriteOff(const std::string& unit) {
  const std::string event = MoneyEventId(facts_.terms->payment_id, unit);
  const AccountKey receivable = Merchant(AccountCode::kMerchantReceivable, unit);
  std::vector<Journal>& standing = standing_[event];
  const U256 owed = Standing(event, AccountCode::kMerchantReceivable);
  if (PostedNet(event).IsZero()) {
    if (facts_.terms->reversed && !owed.IsZero()) {
      PostMoney(unit, "P13b", Move({AccountCode::kWriteOffLoss, "", unit}, receivable, owed));
    }
    return;
  }
  for (const std::string_view rule : {"P13b", "P13"}) {
    for (std::size_t i = standing.size(); i-- > 0;) {
      if (standing[i].rule != rule) continue;
      if (rule == "P13" && Balance(Merchant(AccountCode::kMerchantAvailable, unit)) <
                               standing[i].legs.front().amount) {
        continue;
      }
      std::rotate(standing.begin() + static_cast<std::ptrdiff_t>(i),
                  standing.begin() + static_cast<std::ptrdiff_t>(i) + 1, standing.end());
      ReverseNewest(event, "the money came back");
    }
  }
}

void Planner::Settle(const std::string& unit, const Target& target) {
  SettleFee(unit, target);
  SettleNet(unit, target);
  WriteOff(unit);
}

}  // namespace paymesh::settlement::planning
