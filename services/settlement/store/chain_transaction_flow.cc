#include "services/settlement/store/chain_transaction_flow.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "common/money/unit.h"
#include "services/settlement/store/chain_transaction_store.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kClearBackoff = R"(
  DELETE FROM sweep_backoff WHERE unit = $1 AND payment_id = ANY ($2::text[]))";
// 1, 2, 4 ... 64 minutes.
constexpr std::string_view kBackOff = R"(
  INSERT INTO sweep_backoff (payment_id, unit, failures, next_try_time, reason)
  VALUES ($1, $2, 1, now() + interval '1 minute', left($3, 200))
  ON CONFLICT (payment_id, unit) DO UPDATE
  SET failures = sweep_backoff.failures + 1, reason = left($3, 200),
      next_try_time = now() + interval '1 minute' * (2 ^ least(sweep_backoff.failures, 6)))";

// The work on one slot: what several of the functions below need.
struct Work {
  pg::Transaction& tx;
  const FateContext& context;
  const Fate& fate;
  SlotRow& row;
  Time now;

  void Alarm(FateAlarm alarm, const std::string& subject) const {
    if (context.alarm) context.alarm(alarm, subject);
  }
  PayoutEvidence Evidence() const {
    return {fate.chain,      context.vault.ToHex(), fate.block_number,
            fate.block_hash, fate.block_time,       fate.transaction_hash};
  }
};

Result<std::vector<PayoutRow>> LockPayouts(const Work& work) {
  std::vector<PayoutRow> payouts;
  for (const SlotItem& item : work.row.items) {
    ASSIGN_OR_RETURN(PayoutRow payout, LockPayout(work.tx, item.payout_id));
    payouts.push_back(std::move(payout));
  }
  return payouts;
}

Result<PayItem> ToItem(const PayoutRow& payout) {
  ASSIGN_OR_RETURN(const Unit unit, Unit::Parse(payout.unit));
  ASSIGN_OR_RETURN(const evm::Address to, evm::Address::Parse(payout.address));
  if (!unit.asset()) return Error::Internal("a payout in a currency");
  return PayItem{payout.payout_id, evm::Address::Of(*unit.asset()), to, payout.amount};
}

// Included: items that were paid post P12b; the others wait for the block to be final.
Status IncludePayouts(const Work& work) {
  ASSIGN_OR_RETURN(std::vector<PayoutRow> payouts, LockPayouts(work));
  std::vector<PayItem> items;
  for (const PayoutRow& payout : payouts) {
    ASSIGN_OR_RETURN(PayItem item, ToItem(payout));
    items.push_back(std::move(item));
  }
  std::vector<ItemResult> results(items.size());
  if (work.fate.success) {
    results = PayResults(work.context.vault, items, work.fate.logs);
  } else {
    std::ranges::fill(results, ItemResult{ItemOutcome::kFailed, "the transaction reverted"});
  }
  SetOutcomes(work.tx, work.row, results);
  for (std::size_t i = 0; i < payouts.size(); ++i) {
    work.row.items[i].outcome = OutcomeName(results[i].outcome);
    if (results[i].outcome == ItemOutcome::kPaid) {
      RETURN_IF_ERROR(Include(work.tx, payouts[i], work.Evidence(), work.now));
    } else {
      Remark(work.tx, payouts[i], "refused by the chain: " + results[i].reason, work.now);
    }
    if (results[i].outcome == ItemOutcome::kAlreadyPaid) {
      work.Alarm(FateAlarm::kAlreadyPaid, payouts[i].payout_id);
    } else if (results[i].outcome == ItemOutcome::kMissing) {
      work.Alarm(FateAlarm::kOutcomeMissing, payouts[i].payout_id);
    }
  }
  return {};
}

Status OrphanPayouts(const Work& work) {
  ASSIGN_OR_RETURN(std::vector<PayoutRow> payouts, LockPayouts(work));
  for (PayoutRow& payout : payouts) {
    if (payout.state == PayoutState::kIncluded) RETURN_IF_ERROR(Orphan(work.tx, payout, work.now));
  }
  return {};
}

// Final: what was paid is done, what was refused gives its money back, once. What the logs leave
// open (already paid, or nothing said) keeps its money aside: a person must look.
Status FinalizePayouts(const Work& work) {
  ASSIGN_OR_RETURN(std::vector<PayoutRow> payouts, LockPayouts(work));
  for (std::size_t i = 0; i < payouts.size(); ++i) {
    PayoutRow& payout = payouts[i];
    const std::string& outcome = work.row.items[i].outcome;
    if (payout.state == PayoutState::kIncluded) {
      RETURN_IF_ERROR(Finalize(work.tx, payout, work.Evidence(), work.now));
    } else if (outcome == OutcomeName(ItemOutcome::kFailed)) {
      const std::string reason = payout.status_reason;
      RETURN_IF_ERROR(Fail(work.tx, payout, reason, work.Evidence(), work.now));
    }
  }
  return {};
}

Status IncludeSweep(const Work& work) {
  ASSIGN_OR_RETURN(const Unit unit, Unit::Parse(work.row.unit));
  std::vector<evm::Hash32> salts;
  for (const SlotItem& item : work.row.items) salts.push_back(DepositSalt(item.payment_id));
  std::vector<ItemResult> results(salts.size(), {ItemOutcome::kFailed, "the transaction reverted"});
  if (work.fate.success && unit.asset()) {
    results =
        SweepResults(work.context.factory, salts, evm::Address::Of(*unit.asset()), work.fate.logs);
  }
  SetOutcomes(work.tx, work.row, results);
  return {};
}

// The money itself is booked from the observed transfers into the vault; here only what failed is
// kept from being tried again at once.
void FinalizeSweep(const Work& work) {
  std::vector<std::string> swept;
  for (const SlotItem& item : work.row.items) {
    if (item.outcome == OutcomeName(ItemOutcome::kPaid)) {
      swept.push_back(item.payment_id);
    } else {
      work.tx.Execute(kBackOff, item.payment_id, work.row.unit, item.outcome);
    }
  }
  work.tx.Execute(kClearBackoff, work.row.unit, swept);
}

Status Orphaned(const Work& work) {
  if (!MoveOrphaned(work.tx, work.row, work.now)) {
    if (work.row.slot.state == SlotState::kFinalized) {
      work.Alarm(FateAlarm::kContradiction, work.row.slot.id);
    }
    return {};
  }
  if (work.row.slot.purpose == Purpose::kPayout) return OrphanPayouts(work);
  return {};
}

Status Included(const Work& work) {
  const bool same = work.row.slot.state == SlotState::kIncluded &&
                    work.row.included_hash == work.fate.transaction_hash &&
                    work.row.block_hash == work.fate.block_hash;
  if (work.row.slot.state == SlotState::kReplaced) {
    // Given up because its nonce had finally gone to somebody else; its payouts went on without it.
    work.Alarm(FateAlarm::kContradiction, work.row.slot.id);
    return {};
  }
  if (same || IsFinal(work.row.slot.state)) return {};
  // Another block, or another attempt: what was booked for the former is taken back first.
  if (work.row.slot.state == SlotState::kIncluded) RETURN_IF_ERROR(Orphaned(work));
  const SlotEvidence evidence{work.fate.transaction_hash, work.fate.block_number,
                              work.fate.block_hash,       work.fate.block_time,
                              work.fate.success,          work.fate.gas_cost};
  if (!MoveIncluded(work.tx, work.row, evidence, work.now)) {
    work.Alarm(FateAlarm::kContradiction, work.row.slot.id);
    return {};
  }
  if (work.row.slot.purpose == Purpose::kPayout) return IncludePayouts(work);
  if (work.row.slot.purpose == Purpose::kSweep) return IncludeSweep(work);
  return {};
}

Status Finalized(Work work) {
  if (work.row.slot.state == SlotState::kFinalized) return {};
  RETURN_IF_ERROR(Included(work));
  // Outcomes were written by Included, maybe in an earlier transaction: read what stands.
  const auto fresh = LockSlot(work.tx, work.row.slot.id);
  if (fresh) work.row = *fresh;
  if (!Move(work.tx, work.row, SlotEvent::kFinalize, 0, work.now)) return {};
  if (!work.fate.success) work.Alarm(FateAlarm::kReverted, work.row.slot.id);
  RETURN_IF_ERROR(PostGas(work.tx, work.row.slot.id, work.row.wallet.address, work.fate.gas_cost,
                          work.Evidence()));
  if (work.row.slot.purpose == Purpose::kPayout) return FinalizePayouts(work);
  if (work.row.slot.purpose == Purpose::kSweep) FinalizeSweep(work);
  return {};
}

}  // namespace

std::string_view FateAlarmName(FateAlarm alarm) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "unknown_transaction", "already_paid", "outcome_missing", "reverted", "contradiction"};
  return kNames[static_cast<std::size_t>(alarm)];
}

Status ApplyFate(pg::Transaction& tx, const FateContext& context, const Fate& fate) {
  std::optional<SlotRow> row = LockSlotOfHash(tx, fate.transaction_hash);
  if (!row) {
    if (context.alarm) context.alarm(FateAlarm::kUnknownTransaction, fate.transaction_hash);
    return {};
  }
  Work work{tx, context, fate, *row, DatabaseNow(tx)};
  switch (fate.state) {
    case FateState::kPending:
      return {};
    case FateState::kIncluded:
    case FateState::kSafe:
      return Included(work);
    case FateState::kFinalized:
      return Finalized(work);
    case FateState::kOrphaned:
      // Only the attempt that stands in the slot can be taken out of it.
      if (row->included_hash != fate.transaction_hash) return {};
      return Orphaned(work);
  }
  return {};
}

}  // namespace paymesh::settlement
