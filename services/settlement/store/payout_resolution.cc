#include "services/settlement/store/payout_resolution.h"

#include <string>

#include "services/settlement/store/chain_transaction_store.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kOpenOutcome = R"(
  SELECT i.outcome, t.block_number, t.included_hash
  FROM chain_transaction_item i JOIN chain_transaction t USING (chain_transaction_id)
  WHERE i.payout_id = $1 AND i.alive AND t.state = 'FINALIZED'
    AND i.outcome IN ('ALREADY_PAID', 'MISSING'))";

}  // namespace

Status Resolve(pg::Transaction& tx, PayoutRow& row, const VaultWord& word, std::string_view reason,
               Time now) {
  const pg::Rows open = tx.Execute(kOpenOutcome, row.payout_id);
  if (row.state != PayoutState::kSubmitted || open.empty()) {
    Error error = Error::FailedPrecondition(
        "PAYOUT_NOT_OPEN", "no final transaction has left open what became of the payout");
    error.metadata["state"] = std::string(PayoutStateName(row.state));
    return error;
  }
  if (word.block_number < open.front().Get<std::uint64_t>("block_number")) {
    return Error::Unavailable("CHAIN_NOT_READ", "the vault's word is older than the transaction");
  }
  const std::string at = " at block " + std::to_string(word.block_number) + ": ";
  PayoutEvidence evidence{row.chain,       word.vault,      word.block_number,
                          word.block_hash, word.block_time, ""};
  if (word.paid) {
    // By which transaction is not known: not by the one that is final.
    RETURN_IF_ERROR(Include(tx, row, evidence, now));
    RETURN_IF_ERROR(Finalize(tx, row, evidence, now));
    Remark(tx, row, "the vault says that it has paid it" + at + std::string(reason), now);
    return {};
  }
  if (open.front().Get<std::string>("outcome") == OutcomeName(ItemOutcome::kAlreadyPaid)) {
    return Error::FailedPrecondition(
        "PAYOUT_UNCLEAR", "the vault refused it as paid before, and says that it has not paid it");
  }
  evidence.transaction_hash = open.front().Get<std::string>("included_hash");
  return Fail(tx, row, "the vault says that it has not paid it" + at + std::string(reason),
              evidence, now);
}

}  // namespace paymesh::settlement
