#include "services/settlement/store/sender_store.h"

#include <algorithm>
#include <utility>

#include "common/money/unit.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/ids.h"
#include "services/settlement/store/payout_pause.h"
#include "services/settlement/store/payout_store.h"
#include "services/settlement/store/sweep_store.h"

namespace paymesh::settlement {
namespace {

// Oldest first. What is paused or parked does not hold up what stands behind it.
constexpr std::string_view kCandidates = R"(
  SELECT payout_id, unit, address, amount FROM payout p
  WHERE chain = $1 AND state = 'RESERVED' AND (next_try_time IS NULL OR next_try_time <= now())
    AND NOT EXISTS (SELECT FROM pause WHERE (kind, value) IN
                      (('chain', p.chain), ('unit', p.unit), ('merchant', p.merchant_id)))
  ORDER BY sequence LIMIT $2)";
constexpr std::string_view kInFlight = R"(
  SELECT unit, sum(amount) AS amount,
         coalesce(sum(amount) FILTER (WHERE state = 'SUBMITTED'), 0) AS unmined
  FROM payout
  WHERE chain = $1 AND state IN ('SUBMITTED', 'INCLUDED') GROUP BY unit)";
constexpr std::string_view kOwners =
    "SELECT payout_id, merchant_id, unit, chain FROM payout WHERE payout_id = ANY ($1::text[])";

Result<PayoutCandidate> ToCandidate(const pg::Row& row) {
  ASSIGN_OR_RETURN(const Unit unit, Unit::Parse(row.Get<std::string>("unit")));
  ASSIGN_OR_RETURN(const evm::Address to, evm::Address::Parse(row.Get<std::string>("address")));
  if (!unit.asset()) return Error::Internal("a payout in a currency");
  return PayoutCandidate{{row.Get<std::string>("payout_id"), evm::Address::Of(*unit.asset()), to,
                          row.Get<U256>("amount")},
                         unit.ToString()};
}

OpenSlot ToOpenSlot(SlotRow row) {
  OpenSlot open;
  open.slot = std::move(row.slot);
  open.call = std::move(row.call);
  open.used_since = row.used_since;
  for (const SlotItem& item : row.items) {
    if (item.alive && !item.payout_id.empty()) open.payout_ids.push_back(item.payout_id);
  }
  return open;
}

// The first pause that stops one of the payouts, in words; "" for none.
std::string PauseOf(pg::Transaction& tx, const std::vector<std::string>& payout_ids) {
  for (const pg::Row row : tx.Execute(kOwners, payout_ids)) {
    std::string reason =
        PauseReason(tx, row.Get<std::string>("chain"), row.Get<std::string>("unit"),
                    row.Get<std::string>("merchant_id"));
    if (!reason.empty()) return reason;
  }
  return "";
}

// Puts the payouts of a slot that will never carry them back to RESERVED.
Status ReturnPayouts(pg::Transaction& tx, const SlotRow& row, const std::string& reason, Time now) {
  for (const SlotItem& item : row.items) {
    if (!item.alive || item.payout_id.empty()) continue;
    ASSIGN_OR_RETURN(PayoutRow payout, LockPayout(tx, item.payout_id));
    RETURN_IF_ERROR(Withdraw(tx, payout, reason, now));
  }
  return {};
}

Error SlotChanged() {
  return Error::Aborted("SLOT_CHANGED", "the slot is not what it was when the turn began");
}

}  // namespace

PgSenderStore::PgSenderStore(pg::Database& database, runtime::IdSource& ids,
                             SenderStoreOptions options)
    : database_(database), ids_(ids), options_(std::move(options)) {}

Task<Status> PgSenderStore::Guarded(const char* name, std::int64_t epoch, Change change) {
  auto work = [lease = options_.lease, epoch,
               change = std::move(change)](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(pg::RequireLease(tx, lease, epoch));
    return change(tx);
  };
  return database_.Transact({.name = name}, std::move(work));
}

Task<Result<std::optional<WalletView>>> PgSenderStore::Load() {
  auto read = [key = options_.wallet, limit = options_.max_open_slots](
                  pg::Transaction& tx) -> Result<std::optional<WalletView>> {
    const std::optional<WalletRow> wallet = FindWallet(tx, key);
    if (!wallet) return std::optional<WalletView>();
    WalletView view;
    view.now = DatabaseNow(tx);
    view.next_nonce = wallet->next_nonce;
    for (SlotRow& row : UnminedSlots(tx, key, static_cast<int>(limit))) {
      view.open.push_back(ToOpenSlot(std::move(row)));
    }
    const Backlog backlog = FindBacklog(tx, key);
    view.unmined = backlog.unmined;
    view.first_open_nonce = backlog.first_open.value_or(view.next_nonce);
    view.chain_paused = !PauseReason(tx, key.chain, "", "").empty();
    return std::optional<WalletView>(std::move(view));
  };
  return database_.Transact({.name = "sender load", .idempotent = true}, std::move(read));
}

Task<Status> PgSenderStore::InitializeWallet(std::int64_t epoch, std::uint64_t nonce) {
  return Guarded("sender initialize", epoch,
                 [key = options_.wallet, nonce](pg::Transaction& tx) -> Status {
                   InsertWallet(tx, key, nonce, DatabaseNow(tx));
                   return {};
                 });
}

Task<Result<std::vector<std::uint64_t>>> PgSenderStore::MissingNonces(std::uint64_t latest) {
  auto read = [key = options_.wallet,
               latest](pg::Transaction& tx) -> Result<std::vector<std::uint64_t>> {
    const std::optional<WalletRow> wallet = FindWallet(tx, key);
    if (!wallet) return std::vector<std::uint64_t>();
    return settlement::MissingNonces(SlotNonces(tx, key, latest), latest, wallet->next_nonce);
  };
  return database_.Transact({.name = "sender nonces", .idempotent = true}, std::move(read));
}

Task<Status> PgSenderStore::DraftNoop(std::int64_t epoch, std::uint64_t nonce, Call noop) {
  NewSlot slot{ids_.Next("ctx"), Purpose::kNoop, std::move(noop), {}, {}, epoch};
  return Guarded(
      "sender noop", epoch,
      [key = options_.wallet, slot = std::move(slot), nonce](pg::Transaction& tx) -> Status {
        InsertDraft(tx, key, slot, nonce, DatabaseNow(tx));
        return {};
      });
}

Task<Status> PgSenderStore::RecordForeign(std::int64_t epoch, std::uint64_t finalized) {
  auto change = [this, key = options_.wallet, epoch, finalized](pg::Transaction& tx) -> Status {
    const std::optional<WalletRow> wallet = FindWallet(tx, key);
    if (!wallet) return {};
    const Time now = DatabaseNow(tx);
    for (std::uint64_t nonce = wallet->next_nonce; nonce < finalized; ++nonce) {
      InsertForeign(tx, key, ids_.Next("ctx"), nonce, epoch, now);
    }
    PauseChain(tx, key.chain, "the operator wallet's key was used by somebody else", now);
    return {};
  };
  return Guarded("sender foreign", epoch, std::move(change));
}

Task<Result<PayoutQueue>> PgSenderStore::Payouts(int limit) {
  auto read = [chain = options_.wallet.chain, limit](pg::Transaction& tx) -> Result<PayoutQueue> {
    PayoutQueue queue;
    for (const pg::Row row : tx.Execute(kInFlight, chain)) {
      queue.in_flight[row.Get<std::string>("unit")] = row.Get<U256>("amount");
      queue.unmined[row.Get<std::string>("unit")] = row.Get<U256>("unmined");
    }
    for (const pg::Row row : tx.Execute(kCandidates, chain, limit)) {
      ASSIGN_OR_RETURN(PayoutCandidate candidate, ToCandidate(row));
      queue.candidates.push_back(std::move(candidate));
    }
    return queue;
  };
  return database_.Transact({.name = "sender queue", .idempotent = true}, std::move(read));
}

Task<Status> PgSenderStore::Park(std::int64_t epoch, std::string payout_id, std::string reason) {
  auto change = [payout_id = std::move(payout_id), reason = std::move(reason),
                 wait = options_.park_for](pg::Transaction& tx) -> Status {
    ASSIGN_OR_RETURN(PayoutRow payout, LockPayout(tx, payout_id));
    if (payout.state != PayoutState::kReserved) return {};
    const Time now = DatabaseNow(tx);
    settlement::Park(tx, payout, reason, now + wait, now);
    return {};
  };
  return Guarded("sender park", epoch, std::move(change));
}

Task<Status> PgSenderStore::DraftPayouts(std::int64_t epoch, std::vector<PayItem> items,
                                         Call call) {
  NewSlot slot{ids_.Next("ctx"), Purpose::kPayout, std::move(call), {}, {}, epoch};
  for (const PayItem& item : items)
    slot.items.push_back({.payout_id = item.payout_id, .payment_id = {}});
  auto change = [key = options_.wallet, slot = std::move(slot),
                 items = std::move(items)](pg::Transaction& tx) -> Status {
    const Time now = DatabaseNow(tx);
    // Locked in one order by everybody, while the slot keeps the order of the call data.
    std::vector<std::string> ids;
    for (const PayItem& item : items) ids.push_back(item.payout_id);
    std::ranges::sort(ids);
    const std::string pause = PauseOf(tx, ids);
    if (!pause.empty()) return Error::Aborted("PAUSED", pause);
    for (const std::string& id : ids) {
      ASSIGN_OR_RETURN(PayoutRow payout, LockPayout(tx, id));
      const auto item = std::ranges::find(items, id, &PayItem::payout_id);
      if (payout.amount != item->amount || payout.address != item->to.ToHex()) return SlotChanged();
      RETURN_IF_ERROR(Submit(tx, payout, now));
    }
    InsertDraft(tx, key, slot, std::nullopt, now);
    return {};
  };
  return Guarded("sender draft payouts", epoch, std::move(change));
}

Task<Result<std::optional<SweepBatch>>> PgSenderStore::NextSweep() {
  auto read =
      [chain = options_.wallet.chain, minimums = options_.min_sweep,
       limit = options_.max_sweep_batch](pg::Transaction& tx) -> Result<std::optional<SweepBatch>> {
    return NextSweepBatch(tx, chain, minimums, static_cast<int>(limit));
  };
  return database_.Transact({.name = "sender sweep", .idempotent = true}, std::move(read));
}

Task<Status> PgSenderStore::DraftSweep(std::int64_t epoch, SweepBatch batch, Call call) {
  NewSlot slot{ids_.Next("ctx"), Purpose::kSweep, std::move(call), batch.unit, {}, epoch};
  for (const std::string& id : batch.payment_ids) {
    slot.items.push_back({.payout_id = {}, .payment_id = id});
  }
  return Guarded("sender draft sweep", epoch,
                 [key = options_.wallet, slot = std::move(slot)](pg::Transaction& tx) -> Status {
                   InsertDraft(tx, key, slot, std::nullopt, DatabaseNow(tx));
                   return {};
                 });
}

Task<Result<std::string>> PgSenderStore::PausedReason(std::vector<std::string> payout_ids) {
  auto read = [ids = std::move(payout_ids)](pg::Transaction& tx) -> Result<std::string> {
    return PauseOf(tx, ids);
  };
  return database_.Transact({.name = "sender pauses", .idempotent = true}, std::move(read));
}

Task<Status> PgSenderStore::WithdrawDraft(std::int64_t epoch, std::string slot_id, Call noop,
                                          std::string reason) {
  auto change = [slot_id = std::move(slot_id), noop = std::move(noop), reason = std::move(reason),
                 epoch](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (!row || row->slot.state != SlotState::kDraft || !row->slot.attempts.empty()) {
      return SlotChanged();
    }
    const Time now = DatabaseNow(tx);
    RETURN_IF_ERROR(ReturnPayouts(tx, *row, reason, now));
    TurnIntoNoop(tx, *row, noop, epoch, reason, now);
    return {};
  };
  return Guarded("sender withdraw", epoch, std::move(change));
}

Task<Status> PgSenderStore::StoreSigned(std::int64_t epoch, std::string slot_id,
                                        std::int64_t revision, Attempt attempt) {
  auto change = [slot_id = std::move(slot_id), revision, attempt = std::move(attempt),
                 epoch](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (!row || row->slot.revision != revision) return SlotChanged();
    const bool first = row->slot.attempts.empty();
    if (first) {
      // The last look before bytes exist that pay: an operator who has paused since the draft is
      // obeyed, by the next turn.
      std::vector<std::string> ids;
      for (const SlotItem& item : row->items) {
        if (item.alive && !item.payout_id.empty()) ids.push_back(item.payout_id);
      }
      const std::string pause = PauseOf(tx, ids);
      if (!pause.empty()) return Error::Aborted("PAUSED", pause);
    }
    const Time now = DatabaseNow(tx);
    Attempt stored = attempt;
    stored.sign_time = now;
    const SlotEvent event = first ? SlotEvent::kSign : SlotEvent::kSignReplacement;
    if (!Move(tx, *row, event, epoch, now)) return SlotChanged();
    InsertAttempt(tx, *row, stored, epoch);
    SetStatusReason(tx, *row, "");
    return {};
  };
  return Guarded("sender store signed", epoch, std::move(change));
}

// A fact, so it needs no lease: the bytes were sent, whoever holds it now.
Task<Status> PgSenderStore::RecordReply(std::string slot_id, evm::Hash32 hash, Reply reply) {
  auto change = [slot_id = std::move(slot_id), hash, reply](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (!row) return SlotChanged();
    const Time now = DatabaseNow(tx);
    settlement::RecordReply(tx, hash.ToHex(), reply, now);
    if (const auto event = EventOfReply(reply)) Move(tx, *row, *event, 0, now);
    if (reply == Reply::kAccepted) SetStatusReason(tx, *row, "");
    return {};
  };
  return database_.Transact({.name = "sender reply"}, std::move(change));
}

Task<Status> PgSenderStore::MarkUsed(std::int64_t epoch, std::string slot_id, bool used) {
  auto change = [slot_id = std::move(slot_id), used](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (!row) return SlotChanged();
    SetUsedSince(tx, *row, used ? std::optional<Time>(DatabaseNow(tx)) : std::nullopt);
    return {};
  };
  return Guarded("sender used", epoch, std::move(change));
}

Task<Status> PgSenderStore::Lose(std::int64_t epoch, std::string slot_id, std::string reason) {
  auto change = [slot_id = std::move(slot_id), reason = std::move(reason),
                 epoch](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (!row) return SlotChanged();
    const Time now = DatabaseNow(tx);
    RETURN_IF_ERROR(ReturnPayouts(tx, *row, reason, now));
    KillItems(tx, *row);
    if (!Move(tx, *row, SlotEvent::kLose, epoch, now)) return SlotChanged();
    SetStatusReason(tx, *row, reason);
    PauseChain(tx, row->wallet.chain, reason, now);
    return {};
  };
  return Guarded("sender lose", epoch, std::move(change));
}

Task<Status> PgSenderStore::Explain(std::string slot_id, std::string reason) {
  auto change = [slot_id = std::move(slot_id),
                 reason = std::move(reason)](pg::Transaction& tx) -> Status {
    std::optional<SlotRow> row = LockSlot(tx, slot_id);
    if (row) SetStatusReason(tx, *row, reason);
    return {};
  };
  return database_.Transact({.name = "sender explain", .idempotent = true}, std::move(change));
}

}  // namespace paymesh::settlement
