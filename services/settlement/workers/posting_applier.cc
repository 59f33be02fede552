#include "services/settlement/workers/posting_applier.h"

#include <memory>
#include <optional>
#include <utility>

#include "paymesh/checkout/v1/event_service.pb.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/pause_store.h"

namespace paymesh::settlement {
namespace {

template <class Row>
std::vector<Row> Values(std::map<std::string, Row> by_id) {
  std::vector<Row> rows;
  rows.reserve(by_id.size());
  for (auto& [id, row] : by_id) rows.push_back(std::move(row));
  return rows;
}

// 2110 as it stands, and as the drafts of the cases planned so far leave it.
class Balances {
 public:
  explicit Balances(pg::Transaction& tx) : tx_(tx) {}

  U256 Get(const AccountKey& account) {
    const auto known = balances_.find(account);
    if (known != balances_.end()) return known->second;
    U256 balance = LockedBalance(tx_, account);
    for (const Leg& leg : planned_) {
      if (leg.account == account) Move(balance, leg);
    }
    return balances_[account] = balance;
  }
  void Add(const JournalDraft& draft) {
    for (const Leg& leg : draft.legs) {
      if (leg.account.code != AccountCode::kMerchantAvailable) continue;
      planned_.push_back(leg);
      const auto known = balances_.find(leg.account);
      if (known != balances_.end()) Move(known->second, leg);
    }
  }

 private:
  static void Move(U256& balance, const Leg& leg) {
    balance = leg.side == Side::kCredit ? CheckedAdd(balance, leg.amount).value_or(U256::Max())
                                        : SaturatingSub(balance, leg.amount);
  }
  pg::Transaction& tx_;
  std::map<AccountKey, U256> balances_;
  std::vector<Leg> planned_;
};

}  // namespace

// What a batch of entries says, the last word on each thing only: entries are whole snapshots.
struct PostingApplier::Facts {
  std::map<std::string, Evidence> transfers;
  std::map<std::string, ChainProgress> progress;
  std::map<std::string, std::pair<bool, std::string>> halts;  // chain -> halted, why
  std::map<std::string, DepositRow> deposits;
};

struct PostingApplier::Work {
  std::vector<std::unique_ptr<Terms>> terms;
  std::map<std::string, std::string> traces;  // payment -> traceparent of the call that made it
  std::vector<PostingCase> cases;
};

Status PostingApplier::ApplyTransfers(pg::Transaction& tx,
                                      const std::vector<outbox::Entry>& entries) const {
  Facts facts;
  for (const outbox::Entry& entry : entries) {
    watcher::v1::TransferEvent event;
    if (!event.ParseFromString(entry.payload)) return Error::Internal("an unreadable transfer");
    if (event.has_transfer()) {
      ASSIGN_OR_RETURN(Evidence one, ToEvidence(event.transfer()));
      std::string id = one.transfer_id;
      facts.transfers.insert_or_assign(std::move(id), std::move(one));
    } else if (event.has_checkpoint()) {
      facts.progress.insert_or_assign(event.checkpoint().chain(), ToProgress(event.checkpoint()));
    } else if (event.has_chain_halt()) {
      const watcher::v1::ChainHalt& halt = event.chain_halt();
      facts.halts.insert_or_assign(halt.chain(), std::pair(halt.halted(), halt.reason()));
    }
  }
  return ApplyFacts(tx, std::move(facts));
}

Status PostingApplier::ApplyPayments(pg::Transaction& tx,
                                     const std::vector<outbox::Entry>& entries) const {
  Facts facts;
  for (const outbox::Entry& entry : entries) {
    checkout::v1::Event event;
    if (!event.ParseFromString(entry.payload)) return Error::Internal("an unreadable payment");
    if (!event.has_payment()) continue;
    DepositRow row = ToDeposit(event.payment(), options_.factories);
    row.trace = entry.trace;
    if (!row.refused.empty()) observer_.Contradiction(row.payment_id + ": " + row.refused);
    std::string id = row.payment_id;
    // The first entry of a payment is of the call that made it.
    if (const auto first = facts.deposits.find(id); first != facts.deposits.end()) {
      row.trace = first->second.trace;
    }
    facts.deposits.insert_or_assign(std::move(id), std::move(row));
  }
  return ApplyFacts(tx, std::move(facts));
}

void PostingApplier::TakeHalts(pg::Transaction& tx, const Facts& facts,
                               std::set<std::string>& addresses) const {
  for (const auto& [chain, halt] : facts.halts) {
    const auto& [halted, reason] = halt;
    PutHalt(tx, chain, halted, reason);
    if (halted) {
      PauseRow row;
      row.kind = PauseKind::kChain;
      row.value = chain;
      row.reason = reason;
      row.creator = "watcher";
      row.by_watcher = true;
      PutPause(tx, row);
    } else {
      DropPause(tx, PauseKind::kChain, chain, true);
      addresses.merge(DeferredAddresses(tx));
    }
  }
}

Status PostingApplier::ApplyFacts(pg::Transaction& tx, Facts facts) const {
  const bool matters = !facts.transfers.empty() || !facts.deposits.empty() || !facts.halts.empty();
  // Taken before anything is read: the other follower, payouts and we see one another's work whole.
  if (matters) LockLedger(tx);
  for (const auto& [chain, progress] : facts.progress) PutProgress(tx, progress);
  if (!matters) return {};
  std::set<std::string> addresses;
  TakeHalts(tx, facts, addresses);
  const std::vector<Evidence> transfers = Values(std::move(facts.transfers));
  const std::vector<Evidence> changed = UpsertEvidence(tx, transfers);
  const std::vector<DepositRow> deposits = Values(std::move(facts.deposits));
  for (const std::string& payment_id : ChangedOwners(tx, deposits)) {
    observer_.Contradiction(payment_id + ": a payment's merchant never changes");
  }
  addresses.merge(UpsertDeposits(tx, deposits));
  return Replan(tx, addresses, changed);
}

Result<PostingApplier::Work> PostingApplier::Load(pg::Transaction& tx,
                                                  const std::set<std::string>& addresses,
                                                  const std::vector<Evidence>& changed) const {
  std::set<std::string> wanted = addresses;
  std::vector<std::string> ids;
  for (const Evidence& one : changed) {
    wanted.insert(one.to_address);
    wanted.insert(one.from_address);
    ids.push_back(one.transfer_id);
  }
  for (const auto& [chain, vault] : options_.vaults) wanted.erase(vault);
  Work work;
  std::map<std::string, std::size_t> case_at;  // address -> index
  std::vector<std::string> deposit_addresses;
  for (const DepositRow& row :
       DepositsAt(tx, std::vector<std::string>(wanted.begin(), wanted.end()))) {
    ASSIGN_OR_RETURN(Terms terms, ToTerms(row));
    work.terms.push_back(std::make_unique<Terms>(std::move(terms)));
    work.traces[row.payment_id] = row.trace;
    case_at[*row.address] = work.cases.size();
    deposit_addresses.push_back(*row.address);
    work.cases.emplace_back().terms = work.terms.back().get();
  }
  for (Evidence& one : EvidenceOf(tx, deposit_addresses, ids)) {
    auto owner = case_at.find(one.to_address);
    if (owner == case_at.end()) owner = case_at.find(one.from_address);
    if (owner == case_at.end()) {
      work.cases.emplace_back().transfers.push_back(std::move(one));
    } else {
      work.cases[owner->second].transfers.push_back(std::move(one));
    }
  }
  std::map<std::string, std::size_t> case_of_event;
  std::vector<std::string> events;
  for (std::size_t i = 0; i < work.cases.size(); ++i) {
    for (std::string& event : EventIdsOf(work.cases[i])) {
      case_of_event[event] = i;
      events.push_back(std::move(event));
    }
  }
  for (EventJournal& one : JournalsOf(tx, events)) {
    work.cases[case_of_event[one.journal.event_id]].posted.push_back(
        {std::move(one.journal), one.reversed});
  }
  return work;
}

Status PostingApplier::Replan(pg::Transaction& tx, const std::set<std::string>& addresses,
                              const std::vector<Evidence>& changed) const {
  if (addresses.empty() && changed.empty()) return {};
  ASSIGN_OR_RETURN(Work work, Load(tx, addresses, changed));
  std::vector<std::string> with_money;
  for (const PostingCase& one : work.cases) {
    if (one.terms != nullptr && !one.transfers.empty()) with_money.push_back(one.terms->payment_id);
  }
  RefreshHoldings(tx, with_money);
  return PostPlans(tx, work);
}

Status PostingApplier::PostPlans(pg::Transaction& tx, Work& work) const {
  Balances balances(tx);
  PostingWorld world{options_.vaults, {}, [&balances](const AccountKey& account) {
                       return balances.Get(account);
                     }};
  for (const ChainProgress& chain : Progress(tx)) {
    if (chain.halted) world.halted.insert(chain.chain);
  }
  std::vector<JournalDraft> drafts;
  std::vector<std::optional<MoneyEvent>> events;
  std::vector<PaymentNet> nets;
  std::map<std::string, bool> deferred;
  for (const PostingCase& one : work.cases) {
    if (one.transfers.empty()) continue;
    PostingPlan plan = Plan(one, world);
    for (PlannedJournal& planned : plan.journals) {
      balances.Add(planned.draft);
      drafts.push_back(std::move(planned.draft));
      events.push_back(std::move(planned.event));
    }
    for (const std::string& what : plan.contradictions) observer_.Contradiction(what);
    if (one.terms == nullptr) continue;
    deferred[one.terms->payment_id] = plan.deferred;
    for (const auto& [unit, net] : plan.net) {
      nets.push_back({one.terms->payment_id, one.terms->merchant_id, unit, net, Time()});
    }
  }
  ASSIGN_OR_RETURN(const std::vector<Journal> posted, Post(tx, drafts));
  for (std::size_t i = 0; i < posted.size(); ++i) {
    observer_.Posted(posted[i]);
    if (!events[i]) continue;
    events[i]->journal_id = posted[i].journal_id;
    AppendMoneyEvent(tx, *events[i], work.traces[events[i]->payment_id]);
  }
  for (PaymentNet& net : nets) {
    net.available_time = posted.empty() ? Time() : posted.back().post_time;
    SetPaymentNet(tx, net);
  }
  SetDeferred(tx, deferred);
  return {};
}

}  // namespace paymesh::settlement
