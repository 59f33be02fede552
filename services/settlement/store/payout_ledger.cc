#include "services/settlement/store/payout_ledger.h"

#include <algorithm>
#include <span>

#include "services/settlement/domain/ledger.h"
#include "services/settlement/store/ledger_store.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kOpen = R"(
  SELECT m.payment_id, m.net - coalesce(l.used, 0) AS open
  FROM payment_money m
  LEFT JOIN LATERAL (
    SELECT sum(line.amount) AS used FROM payout_line line JOIN payout USING (payout_id)
    WHERE line.payment_id = m.payment_id AND NOT line.released AND payout.unit = m.unit) l ON true
  WHERE m.merchant_id = $1 AND m.unit = $2 AND m.net > coalesce(l.used, 0)
  ORDER BY m.available_time, m.payment_id
  LIMIT $3)";
constexpr std::string_view kSettled = R"(
  SELECT coalesce((SELECT net FROM payment_money WHERE payment_id = $1 AND unit = $2), 0) <=
         coalesce((SELECT sum(line.amount) FROM payout_line line JOIN payout USING (payout_id)
                   WHERE line.payment_id = $1 AND NOT line.released AND payout.unit = $2
                     AND payout.state = 'FINALIZED'), 0) AS settled)";

AccountKey Payable(const PayoutRow& row) {
  return {AccountCode::kPayoutPayable, row.merchant_id, row.unit};
}
AccountKey Available(const PayoutRow& row) {
  return {AccountCode::kMerchantAvailable, row.merchant_id, row.unit};
}
AccountKey InFlight(const PayoutRow& row) {
  return {AccountCode::kInFlightOut, row.chain, row.unit};
}

std::optional<BlockEvidence> Block(const PayoutEvidence& evidence) {
  return BlockEvidence{evidence.chain, evidence.block_number, evidence.block_hash,
                       evidence.block_time.value_or(Time{})};
}

JournalDraft Draft(const PayoutRow& row, std::string_view rule, std::vector<Leg> legs) {
  JournalDraft draft;
  draft.rule = std::string(rule);
  draft.event_id = row.payout_id;
  draft.legs = std::move(legs);
  draft.merchant_id = row.merchant_id;
  draft.payout_id = row.payout_id;
  return draft;
}

Result<std::string> PostOne(pg::Transaction& tx, const JournalDraft& draft) {
  ASSIGN_OR_RETURN(const std::vector<Journal> posted, Post(tx, std::span(&draft, 1)));
  return posted.front().journal_id;
}

// The posted P12b of a payout that is not reversed, and how many there have been.
struct Included {
  int count = 0;
  std::optional<Journal> standing;
};
Included FindIncluded(pg::Transaction& tx, const PayoutRow& row) {
  Included found;
  for (EventJournal& journal : JournalsOf(tx, {row.payout_id})) {
    if (journal.journal.rule != "P12b") continue;
    ++found.count;
    if (!journal.reversed) found.standing = std::move(journal.journal);
  }
  return found;
}

}  // namespace

std::string NativeUnit(std::string_view chain) {
  return "caip19/" + std::string(chain) + "/slip44:60";
}

Result<U256> LockAvailable(pg::Transaction& tx, std::string_view merchant_id,
                           std::string_view unit) {
  ASSIGN_OR_RETURN(const U256 available, AvailableFor(tx, merchant_id, unit));
  const U256 owed = LockedBalance(
      tx, {AccountCode::kMerchantReceivable, std::string(merchant_id), std::string(unit)});
  return SaturatingSub(available, owed);
}

std::vector<OpenPayment> OpenPayments(pg::Transaction& tx, std::string_view merchant_id,
                                      std::string_view unit, int limit) {
  std::vector<OpenPayment> payments;
  for (const pg::Row row : tx.Execute(kOpen, merchant_id, unit, limit)) {
    payments.push_back({row.Get<std::string>("payment_id"), row.Get<U256>("open")});
  }
  return payments;
}

bool IsSettled(pg::Transaction& tx, std::string_view payment_id, std::string_view unit) {
  return tx.Execute(kSettled, payment_id, unit).front().Get<bool>("settled");
}

Result<std::string> PostReserved(pg::Transaction& tx, const PayoutRow& row) {
  ASSIGN_OR_RETURN(const U256 available, LockAvailable(tx, row.merchant_id, row.unit));
  if (available < row.amount) {
    Error error = Error::FailedPrecondition("INSUFFICIENT_AVAILABLE",
                                            "the merchant has " + available.ToString() +
                                                " available, less than " + row.amount.ToString());
    error.metadata["available"] = available.ToString();
    return error;
  }
  return PostOne(tx, Draft(row, "P12a", Move(Available(row), Payable(row), row.amount)));
}

Result<std::string> PostCanceled(pg::Transaction& tx, const PayoutRow& row) {
  return PostOne(tx, Draft(row, "P12e", Move(Payable(row), Available(row), row.amount)));
}

Result<std::string> PostIncluded(pg::Transaction& tx, const PayoutRow& row,
                                 const PayoutEvidence& evidence) {
  LockLedger(tx);
  const AccountKey vault{AccountCode::kVault, evidence.vault, row.unit};
  JournalDraft draft = Draft(row, "P12b", Move(InFlight(row), vault, row.amount));
  draft.incarnation = FindIncluded(tx, row).count + 1;
  draft.block = Block(evidence);
  draft.transaction_hash = evidence.transaction_hash;
  return PostOne(tx, draft);
}

Result<std::string> PostOrphaned(pg::Transaction& tx, const PayoutRow& row) {
  LockLedger(tx);
  const Included included = FindIncluded(tx, row);
  if (!included.standing) return Error::Internal("an included payout without P12b");
  JournalDraft draft = Reverse(*included.standing, "the payout's block left the chain");
  return PostOne(tx, draft);
}

Result<std::string> PostFinalized(pg::Transaction& tx, const PayoutRow& row,
                                  const PayoutEvidence& evidence) {
  JournalDraft draft = Draft(row, "P12c", Move(Payable(row), InFlight(row), row.amount));
  draft.block = Block(evidence);
  draft.transaction_hash = evidence.transaction_hash;
  return PostOne(tx, draft);
}

Result<std::string> PostFailed(pg::Transaction& tx, const PayoutRow& row,
                               const PayoutEvidence& evidence) {
  JournalDraft draft = Draft(row, "P12d", Move(Payable(row), Available(row), row.amount));
  draft.block = Block(evidence);
  draft.transaction_hash = evidence.transaction_hash;
  draft.description = row.status_reason.substr(0, 200);
  return PostOne(tx, draft);
}

Status PostGas(pg::Transaction& tx, std::string_view chain_transaction_id, std::string_view wallet,
               const U256& wei, const PayoutEvidence& evidence) {
  if (wei.IsZero()) return {};  // a development chain without fees
  const std::string unit = NativeUnit(evidence.chain);
  JournalDraft draft;
  draft.rule = "P11";
  draft.event_id = std::string(chain_transaction_id);
  draft.legs = Move(AccountKey{AccountCode::kNetworkGas, "", unit},
                    AccountKey{AccountCode::kGas, std::string(wallet), unit}, wei);
  draft.block = Block(evidence);
  draft.transaction_hash = evidence.transaction_hash;
  ASSIGN_OR_RETURN(const std::string journal_id, PostOne(tx, draft));
  return {};
}

Status PostGasFunding(pg::Transaction& tx, std::string_view wallet, const U256& wei,
                      const PayoutEvidence& evidence) {
  const std::string unit = NativeUnit(evidence.chain);
  JournalDraft draft;
  draft.rule = "P0";
  draft.event_id =
      evidence.chain + ":" + std::string(wallet) + ":" + std::to_string(evidence.block_number);
  draft.legs = Move(AccountKey{AccountCode::kGas, std::string(wallet), unit},
                    AccountKey{AccountCode::kCapital, "", unit}, wei);
  draft.block = Block(evidence);
  draft.description = "gas of the operator wallet";
  ASSIGN_OR_RETURN(const std::string journal_id, PostOne(tx, draft));
  return {};
}

}  // namespace paymesh::settlement
