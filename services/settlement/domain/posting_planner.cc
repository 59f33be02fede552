#include "services/settlement/domain/posting_planner.h"

#include <algorithm>
#include <utility>

namespace paymesh::settlement {
namespace {

constexpr std::string_view kOrphaned = "the evidence left the chain or changed";
constexpr std::string_view kWithdrawn = "the decision was withdrawn";

U256 Plus(const U256& a, const U256& b) { return CheckedAdd(a, b).value_or(U256::Max()); }

bool IsAccepting(std::string_view rule) { return rule == "P2" || rule == "P7b" || rule == "P8c"; }

// The working state of one plan: what stands posted, and what has been planned so far.
class Planner {
 public:
  Planner(const PostingCase& facts, const PostingWorld& world) : facts_(facts), world_(world) {
    for (const PostedJournal& posted : facts.posted) {
      int& last = incarnation_[{posted.journal.event_id, posted.journal.rule}];
      last = std::max(last, posted.journal.incarnation);
      if (!posted.reversed) standing_[posted.journal.event_id].push_back(posted.journal);
    }
  }

  PostingPlan Run();

 private:
  struct Decision {
    U256 accepted;
    U256 refundable;
    Disposition disposition = Disposition::kMatched;
    friend bool operator==(const Decision&, const Decision&) = default;
  };

  bool attributed() const { return facts_.terms != nullptr; }
  bool IntoVault(const Evidence& transfer) const {
    const auto vault = world_.vaults.find(transfer.block.chain);
    return vault != world_.vaults.end() && vault->second == transfer.to_address;
  }
  bool FromDeposit(const Evidence& transfer) const {
    return attributed() && transfer.from_address == facts_.terms->address;
  }
  bool Halted(const Evidence& transfer) const {
    return world_.halted.contains(transfer.block.chain);
  }
  AccountKey Of(AccountCode code, const Evidence& transfer) const;
  AccountKey Merchant(AccountCode code, const std::string& unit) const {
    return {code, facts_.terms->merchant_id, unit};
  }

  const Allocation* AllocationOf(const Evidence& transfer) const;
  bool Matches(const Evidence& transfer) const;
  std::optional<Decision> Judge(const Evidence& transfer);
  U256 Standing(const std::string& event, AccountCode code) const;

  // Appends to `out` and keeps what stands up to date.
  void Post(const Evidence& transfer, std::string_view rule, std::vector<Leg> legs,
            std::optional<MoneyStage> stage = std::nullopt);
  void PostMoney(const std::string& unit, std::string_view rule, std::vector<Leg> legs,
                 std::optional<MoneyStage> stage = std::nullopt);
  void Add(JournalDraft draft, std::optional<MoneyStage> stage);
  void ReverseNewest(const std::string& event, std::string_view why);
  void ReverseAll(const std::string& event, std::string_view why);
  void ReverseDecision(const std::string& event);

  void PlanTransfers();
  void PlanTransfer(const Evidence& transfer);
  void PlanVault(const Evidence& transfer);
  void PlanDecision(const Evidence& transfer);
  void PostDecision(const Evidence& transfer, const Decision& decision);
  bool Reallocate(const Evidence& transfer, const Decision& decision);

  // Fee and availability, by unit.
  struct Target {
    U256 gross;         // in 2100 by the transfers' journals, after all of them
    bool complete = true;  // all that checkout accepted is posted
    bool final = true;
    bool halted = false;
  };
  std::map<std::string, Target> Targets();
  // The least that stands in 2100, by unit, while `planned` is posted on top of what stands.
  std::map<std::string, U256> LowestGross(const std::vector<PlannedJournal>& planned) const;
  void Track(const JournalDraft& draft, std::map<std::string, U256>& gross) const;
  void TakeBack(const std::string& unit, const U256& lowest_gross);
  void Settle(const std::string& unit, const Target& target);
  void SettleFee(const std::string& unit, const Target& target);
  void SettleNet(const std::string& unit, const Target& target);
  void WriteOff(const std::string& unit);
  void CheckSums(const std::string& unit, const Target& target, const U256& fee);
  U256 Balance(const AccountKey& account) const;
  U256 PostedNet(const std::string& event) const;

  const PostingCase& facts_;
  const PostingWorld& world_;
  PostingPlan plan_;
  std::map<std::pair<std::string, std::string>, int> incarnation_;
  std::map<std::string, std::vector<Journal>> standing_;
  std::vector<PlannedJournal>* out_ = &plan_.journals;
};

AccountKey Planner::Of(AccountCode code, const Evidence& transfer) const {
  switch (code) {
    case AccountCode::kDeposits: return {code, transfer.block.chain, transfer.unit};
    case AccountCode::kVault: return {code, transfer.to_address, transfer.unit};
    case AccountCode::kMerchantUnconfirmed:
    case AccountCode::kMerchantPending: return Merchant(code, transfer.unit);
    default: return {code, "", transfer.unit};
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
         Move(Of(AccountCode::kSuspense, transfer),
              Of(AccountCode::kMerchantUnconfirmed, transfer), transfer.amount));
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
  const std::string_view rule = !plain                          ? "P7a"
                                : decision.accepted.IsZero() ? "P6a"
                                                             : "P5";
  Post(transfer, rule,
       Move(from, Of(AccountCode::kPayerRefundable, transfer), decision.refundable));
}

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

std::map<std::string, U256> Planner::LowestGross(
    const std::vector<PlannedJournal>& planned) const {
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

}  // namespace

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
  return Planner(facts, world).Run();
}

}  // namespace paymesh::settlement
