#include "services/settlement/workers/sender.h"

#include <algorithm>
#include <utility>

namespace paymesh::settlement {

// What may still leave the vault in a token.
struct Sender::Room {
  U256 held;     // at a final block, after what is in flight
  U256 allowed;  // today, after what no block has yet
  void Take(const U256& amount) {
    held = SaturatingSub(held, amount);
    allowed = SaturatingSub(allowed, amount);
  }
};

Sender::Sender(SenderOptions options, SenderStore& store, SenderChain& chain, Signer& signer,
               SenderObserver observer)
    : options_(std::move(options)),
      store_(store),
      chain_(chain),
      signer_(signer),
      observer_(std::move(observer)) {}

Task<Result<bool>> Sender::Turn(std::int64_t epoch) {
  Result<std::optional<WalletView>> view = co_await store_.Load();
  if (!view.ok()) co_return view.error();
  if (!view->has_value()) {
    // The chain's count starts our own, once. Pending ones count: somebody may have used the key
    // before us, and a nonce that turns out unused is filled as a hole.
    ASSIGN_OR_CO_RETURN(const AccountNonces nonces, co_await chain_.Nonces());
    CO_RETURN_IF_ERROR(
        co_await store_.InitializeWallet(epoch, std::max(nonces.pending, nonces.latest)));
    co_return true;
  }
  co_return co_await TurnOn(epoch, std::move(**view));
}

Task<Result<bool>> Sender::TurnOn(std::int64_t epoch, WalletView view) {
  ASSIGN_OR_CO_RETURN(const AccountNonces nonces, co_await chain_.Nonces());
  ASSIGN_OR_CO_RETURN(bool worked, co_await RepairNonces(epoch, view, nonces));
  if (worked) co_return true;
  std::optional<Error> first_error;
  for (const OpenSlot& open : view.open) {
    Result<bool> done = co_await Work(epoch, open, view, nonces);
    if (done.ok()) {
      worked = worked || *done;
    } else if (done.error().reason == "LEASE_LOST") {
      co_return done.error();
    } else if (!first_error) {
      // One slot's trouble (its payout was paused, a call failed) does not hold up the others.
      first_error = done.error();
    }
  }
  if (first_error) co_return *first_error;
  if (worked || view.chain_paused || view.unmined >= options_.max_open_slots) co_return worked;
  // A draft above is signed in the next turn, which starts at once.
  ASSIGN_OR_CO_RETURN(const bool paying, co_await DraftPayouts(epoch));
  if (paying) co_return true;
  if (options_.sweeps) co_return co_await DraftSweep(epoch);
  co_return false;
}

Task<Result<bool>> Sender::RepairNonces(std::int64_t epoch, const WalletView& view,
                                        const AccountNonces& nonces) {
  if (nonces.finalized > view.next_nonce) {
    CO_RETURN_IF_ERROR(co_await store_.RecordForeign(epoch, nonces.finalized));
    if (observer_.lost) observer_.lost("", "final transactions that this service did not make");
    co_return true;
  }
  if (observer_.gap) {
    observer_.gap(view.first_open_nonce > nonces.latest && nonces.latest < view.next_nonce
                      ? view.first_open_nonce - nonces.latest
                      : 0);
  }
  if (nonces.latest >= view.next_nonce) co_return false;
  ASSIGN_OR_CO_RETURN(const std::vector<std::uint64_t> missing,
                      co_await store_.MissingNonces(nonces.latest));
  for (const std::uint64_t nonce : missing) {
    Call noop = NoopCall(signer_.address(), options_.gas);
    CO_RETURN_IF_ERROR(co_await store_.DraftNoop(epoch, nonce, std::move(noop)));
  }
  co_return !missing.empty();
}

Task<std::optional<Market>> Sender::AskMarket() {
  Result<Market> market = co_await chain_.Fees();
  if (market.ok()) co_return *market;
  if (observer_.failed) observer_.failed("fees", market.error());
  co_return std::nullopt;
}

Task<Result<bool>> Sender::Work(std::int64_t epoch, const OpenSlot& open, const WalletView& view,
                                const AccountNonces& nonces) {
  Situation situation;
  situation.now = view.now;
  situation.paused = view.chain_paused;
  situation.latest_nonce = nonces.latest;
  // Fees are asked for only where they matter: a slot whose nonce is used needs none.
  if (nonces.latest <= open.slot.nonce) situation.market = co_await AskMarket();
  const NextAction next = Decide(open.slot, situation, options_.policy);
  if (next.alarm) CO_RETURN_IF_ERROR(co_await Explain(open, *next.alarm));
  if (const auto* sign = std::get_if<SignAction>(&next.what)) {
    co_return co_await Sign(epoch, open, sign->fees, view.now);
  }
  if (const auto* send = std::get_if<BroadcastAction>(&next.what)) {
    co_return co_await Send(open, send->index);
  }
  if (std::holds_alternative<LookUpAction>(next.what)) {
    co_return co_await LookUp(epoch, open, view.now, nonces);
  }
  if (open.used_since) CO_RETURN_IF_ERROR(co_await store_.MarkUsed(epoch, open.slot.id, false));
  co_return false;
}

Task<Result<bool>> Sender::Sign(std::int64_t epoch, const OpenSlot& open, Fees fees, Time now) {
  const bool first = open.slot.attempts.empty();
  if (first && !open.payout_ids.empty()) {
    ASSIGN_OR_CO_RETURN(const std::string reason, co_await store_.PausedReason(open.payout_ids));
    if (!reason.empty()) {
      Call noop = NoopCall(signer_.address(), options_.gas);
      CO_RETURN_IF_ERROR(
          co_await store_.WithdrawDraft(epoch, open.slot.id, std::move(noop), reason));
      co_return true;
    }
  }
  const evm::Transaction transaction =
      MakeTransaction(options_.chain_id, open.slot.nonce, open.call, fees);
  Result<evm::Bytes> raw = co_await signer_.Sign(transaction);
  if (observer_.signed_by_signer) {
    observer_.signed_by_signer(raw.ok() ? std::string_view() : raw.error().reason);
  }
  if (!raw.ok()) co_return raw.error();
  // What the signer made is believed only field by field.
  ASSIGN_OR_CO_RETURN(const evm::SignedTransaction made,
                      VerifySigned(*raw, transaction, signer_.address()));
  Attempt attempt;
  attempt.hash = made.hash;
  attempt.raw = made.raw;
  attempt.fees = fees;
  attempt.sign_time = now;
  CO_RETURN_IF_ERROR(co_await store_.StoreSigned(epoch, open.slot.id, open.slot.revision, attempt));
  OpenSlot stored = open;
  stored.slot.attempts.push_back(std::move(attempt));
  co_return co_await Send(stored, stored.slot.attempts.size() - 1);
}

Task<Result<bool>> Sender::Send(const OpenSlot& open, std::size_t index) {
  const Attempt& attempt = open.slot.attempts[index];
  Result<Reply> reply = co_await chain_.Broadcast(attempt.raw);
  // No answer is an answer: the bytes may be out.
  const Reply said = reply.ok() ? *reply : Reply::kUnknown;
  if (!reply.ok() && observer_.failed) observer_.failed("broadcast", reply.error());
  if (observer_.replied) observer_.replied(said);
  CO_RETURN_IF_ERROR(co_await store_.RecordReply(open.slot.id, attempt.hash, said));
  // Only a clear success makes another turn worth while at once; the rest has its pauses.
  co_return said == Reply::kAccepted;
}

Task<Result<bool>> Sender::LookUp(std::int64_t epoch, const OpenSlot& open, Time now,
                                  const AccountNonces& nonces) {
  for (std::size_t i = 0; i < open.slot.attempts.size(); ++i) {
    const Attempt& attempt = open.slot.attempts[i];
    ASSIGN_OR_CO_RETURN(const Whereabouts where, co_await chain_.Find(attempt.hash));
    if (where == Whereabouts::kInBlock) co_return false;  // the follower will say so
    // Handing it over again makes the watcher look for it; the chain will not take it twice.
    if (where == Whereabouts::kUnknown) CO_RETURN_IF_ERROR(co_await Send(open, i));
  }
  if (!open.used_since) {
    CO_RETURN_IF_ERROR(co_await store_.MarkUsed(epoch, open.slot.id, true));
    co_return false;
  }
  if (now - *open.used_since < options_.foreign_grace) co_return false;
  CO_RETURN_IF_ERROR(co_await Explain(open, Alarm::kNonceUsed));
  if (nonces.finalized <= open.slot.nonce) co_return false;
  co_return co_await GiveUp(epoch, open);
}

// The last look before a payout may ever have a second nonce: the vault itself, at a final block.
Task<Result<bool>> Sender::GiveUp(std::int64_t epoch, const OpenSlot& open) {
  for (const std::string& payout_id : open.payout_ids) {
    ASSIGN_OR_CO_RETURN(const bool paid, co_await chain_.IsPaid(payout_id));
    if (paid) co_return false;
  }
  const std::string reason = "nonce " + std::to_string(open.slot.nonce) +
                             " was used by a final transaction that this service did not make";
  CO_RETURN_IF_ERROR(co_await store_.Lose(epoch, open.slot.id, reason));
  if (observer_.lost) observer_.lost(open.slot.id, reason);
  co_return true;
}

Task<Result<bool>> Sender::DraftPayouts(std::int64_t epoch) {
  ASSIGN_OR_CO_RETURN(PayoutQueue queue,
                      co_await store_.Payouts(static_cast<int>(options_.max_pay_batch)));
  if (queue.candidates.empty()) co_return false;
  std::vector<std::string> units;
  for (const PayoutCandidate& candidate : queue.candidates) units.push_back(candidate.unit);
  std::ranges::sort(units);
  units.erase(std::unique(units.begin(), units.end()), units.end());
  ASSIGN_OR_CO_RETURN(auto balances, co_await chain_.VaultBalances(units));
  ASSIGN_OR_CO_RETURN(auto allowances, co_await chain_.DailyAllowances(units));
  std::map<std::string, Room> room;
  for (const std::string& unit : units) {
    room[unit] = {SaturatingSub(balances[unit], queue.in_flight[unit]),
                  SaturatingSub(allowances[unit], queue.unmined[unit])};
  }
  std::vector<PayItem> items;
  for (const PayoutCandidate& candidate : queue.candidates) {
    const PayItem& item = candidate.item;
    ASSIGN_OR_CO_RETURN(const std::string problem,
                        co_await ProblemWith(item, room[candidate.unit]));
    if (!problem.empty()) {
      CO_RETURN_IF_ERROR(co_await store_.Park(epoch, item.payout_id, problem));
      continue;
    }
    room[candidate.unit].Take(item.amount);
    items.push_back(item);
  }
  if (items.empty()) co_return false;
  ASSIGN_OR_CO_RETURN(Call call, PayBatchCall(options_.vault, items, options_.gas));
  CO_RETURN_IF_ERROR(co_await store_.DraftPayouts(epoch, std::move(items), std::move(call)));
  co_return true;
}

// Why a payout cannot go out now, in words, or "". A dry run sees one payout at a time, so what the
// batch takes together is held against the room that is left.
Task<Result<std::string>> Sender::ProblemWith(const PayItem& item, const Room& room) {
  if (item.amount > room.held) {
    co_return std::string("the vault does not hold enough at a final block yet");
  }
  if (item.amount > room.allowed) {
    co_return std::string("the vault's limit of the day leaves too little");
  }
  ASSIGN_OR_CO_RETURN(std::string problem, co_await chain_.DryRun(item));
  if (!problem.empty()) problem = "the vault would refuse it: " + problem;
  co_return problem;
}

Task<Result<bool>> Sender::DraftSweep(std::int64_t epoch) {
  ASSIGN_OR_CO_RETURN(std::optional<SweepBatch> batch, co_await store_.NextSweep());
  if (!batch) co_return false;
  std::vector<evm::Hash32> salts;
  for (const std::string& payment_id : batch->payment_ids) salts.push_back(DepositSalt(payment_id));
  ASSIGN_OR_CO_RETURN(Call call, SweepCall(options_.factory, salts, batch->token, options_.gas));
  CO_RETURN_IF_ERROR(co_await store_.DraftSweep(epoch, std::move(*batch), std::move(call)));
  co_return true;
}

Task<Status> Sender::Explain(const OpenSlot& open, Alarm alarm) {
  if (observer_.alarm) observer_.alarm(alarm, open.slot.id);
  co_return co_await store_.Explain(open.slot.id, std::string(AlarmName(alarm)));
}

}  // namespace paymesh::settlement
