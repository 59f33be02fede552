#include "services/settlement/domain/posting_planner.h"

#include <iterator>
#include <set>

#include "services/settlement/domain/posting_plan.h"

namespace paymesh::settlement {
namespace planning {
namespace {

bool IsAccepting(std::string_view rule) { return rule == "P2" || rule == "P7b" || rule == "P8c"; }

}  // namespace

AccountKey Planner::Of(AccountCode code, const Evidence& transfer) const {
  switch (code) {
    case AccountCode::kDeposits:
      return {code, transfer.block.chain, transfer.unit};
    case AccountCode::kVault:
      return {code, transfer.to_address, transfer.unit};
    case AccountCode::kMerchantUnconfirmed:
    case AccountCode::kMerchantPending:
      return Merchant(code, transfer.unit);
    default:
      return {code, "", transfer.unit};
  }
}

const Allocation* Planner::AllocationOf(const Evidence& transfer) const {
  for (const Allocation& one : facts_.terms->allocations) {
    if (one.transfer_id == transfer.transfer_id) return &one;
  }
  return nullptr;
}

// Whether the journals that stand for a transfer were posted from this same evidence.
bool Planner::Matches(const Evidence& transfer) const {
  const auto found = standing_.find(transfer.transfer_id);
  if (found == standing_.end() || found->second.empty()) return true;
  const Journal& entry = found->second.front();
  return entry.block == transfer.block && entry.transaction_hash == transfer.transaction_hash &&
         entry.legs.front().amount == transfer.amount &&
         entry.legs.front().account.unit == transfer.unit &&
         IntoVault(transfer) == (entry.legs.front().account.code == AccountCode::kVault);
}

U256 Planner::Standing(const std::string& event, AccountCode code) const {
  const auto found = standing_.find(event);
  if (found == standing_.end()) return U256();
  U256 debits, credits;
  for (const Journal& journal : found->second) {
    for (const Leg& leg : journal.legs) {
      if (leg.account.code != code) continue;
      U256& sum = leg.side == Side::kDebit ? debits : credits;
      sum = Plus(sum, leg.amount);
    }
  }
  return NormalSide(code) == Side::kDebit ? SaturatingSub(debits, credits)
                                          : SaturatingSub(credits, debits);
}

void Planner::Add(JournalDraft draft, std::optional<MoneyStage> stage) {
  Journal standing;
  static_cast<JournalDraft&>(standing) = draft;
  standing_[draft.event_id].push_back(std::move(standing));
  PlannedJournal planned;
  if (stage) {
    planned.event = MoneyEvent{.payment_id = draft.payment_id,
                               .merchant_id = draft.merchant_id,
                               .stage = *stage,
                               .unit = draft.legs.front().account.unit,
                               .amount = draft.legs.front().amount,
                               .transaction_hash = draft.transaction_hash,
                               .chain = draft.block ? draft.block->chain : ""};
  }
  planned.draft = std::move(draft);
  out_->push_back(std::move(planned));
}

void Planner::Post(const Evidence& transfer, std::string_view rule, std::vector<Leg> legs,
                   std::optional<MoneyStage> stage) {
  if (legs.front().amount.IsZero()) return;
  JournalDraft draft;
  draft.rule = std::string(rule);
  draft.event_id = transfer.transfer_id;
  draft.incarnation = ++incarnation_[{draft.event_id, draft.rule}];
  draft.legs = std::move(legs);
  if (attributed()) {
    draft.payment_id = facts_.terms->payment_id;
    draft.merchant_id = facts_.terms->merchant_id;
  }
  draft.block = transfer.block;
  draft.transaction_hash = transfer.transaction_hash;
  Add(std::move(draft), stage);
}

void Planner::PostMoney(const std::string& unit, std::string_view rule, std::vector<Leg> legs,
                        std::optional<MoneyStage> stage) {
  JournalDraft draft;
  draft.rule = std::string(rule);
  draft.event_id = MoneyEventId(facts_.terms->payment_id, unit);
  draft.incarnation = ++incarnation_[{draft.event_id, draft.rule}];
  draft.legs = std::move(legs);
  draft.payment_id = facts_.terms->payment_id;
  draft.merchant_id = facts_.terms->merchant_id;
  Add(std::move(draft), stage);
}

void Planner::ReverseNewest(const std::string& event, std::string_view why) {
  std::vector<Journal>& standing = standing_[event];
  const Journal last = std::move(standing.back());
  standing.pop_back();
  PlannedJournal planned{Reverse(last, why), std::nullopt};
  // Told for what the merchant had been told of; the fee and the net go the same way silently.
  if (IsAccepting(last.rule)) {
    planned.event = MoneyEvent{.payment_id = last.payment_id,
                               .merchant_id = last.merchant_id,
                               .stage = MoneyStage::kReversed,
                               .unit = last.legs.front().account.unit,
                               .amount = last.legs.front().amount,
                               .transaction_hash = last.transaction_hash,
                               .chain = last.block ? last.block->chain : ""};
  }
  out_->push_back(std::move(planned));
}

void Planner::ReverseAll(const std::string& event, std::string_view why) {
  while (!standing_[event].empty()) ReverseNewest(event, why);
}

// Back to where the money was when it was attributed: P1, or P8 and P8b.
void Planner::ReverseDecision(const std::string& event) {
  while (true) {
    const std::vector<Journal>& standing = standing_[event];
    const std::string& rule = standing.back().rule;
    if (standing.size() == 1 || rule == "P8b") return;
    ReverseNewest(event, kWithdrawn);
  }
}

PostingPlan Planner::Run() {
  // The transfers are planned aside: what they take back is taken from the net and the fee first.
  std::vector<PlannedJournal> transfers;
  out_ = &transfers;
  PlanTransfers();
  out_ = &plan_.journals;
  if (!attributed()) {
    plan_.journals = std::move(transfers);
    return std::move(plan_);
  }
  const std::map<std::string, Target> targets = Targets();
  std::map<std::string, U256> lowest = LowestGross(transfers);
  for (const auto& [unit, target] : targets) TakeBack(unit, lowest[unit]);
  std::move(transfers.begin(), transfers.end(), std::back_inserter(plan_.journals));
  for (const auto& [unit, target] : targets) Settle(unit, target);
  return std::move(plan_);
}

}  // namespace planning

std::string MoneyEventId(std::string_view payment_id, std::string_view unit) {
  return std::string(payment_id) + "|" + std::string(unit);
}

std::vector<std::string> EventIdsOf(const PostingCase& facts) {
  std::set<std::string> ids;
  for (const Evidence& transfer : facts.transfers) {
    ids.insert(transfer.transfer_id);
    if (facts.terms != nullptr) ids.insert(MoneyEventId(facts.terms->payment_id, transfer.unit));
  }
  return {ids.begin(), ids.end()};
}

PostingPlan Plan(const PostingCase& facts, const PostingWorld& world) {
  return planning::Planner(facts, world).Run();
}

}  // namespace paymesh::settlement
