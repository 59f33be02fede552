#include "services/settlement/domain/ledger.h"

#include <map>
#include <utility>

namespace paymesh::settlement {

std::string_view AccountName(AccountCode code) {
  switch (code) {
    case AccountCode::kDeposits:
      return "deposits";
    case AccountCode::kVault:
      return "vault";
    case AccountCode::kInFlightOut:
      return "in_flight_out";
    case AccountCode::kGas:
      return "gas";
    case AccountCode::kMerchantReceivable:
      return "merchant_receivable";
    case AccountCode::kMerchantUnconfirmed:
      return "merchant_unconfirmed";
    case AccountCode::kMerchantPending:
      return "merchant_pending";
    case AccountCode::kMerchantAvailable:
      return "merchant_available";
    case AccountCode::kMerchantReserved:
      return "merchant_reserved";
    case AccountCode::kPayoutPayable:
      return "payout_payable";
    case AccountCode::kPayerRefundable:
      return "payer_refundable";
    case AccountCode::kSuspense:
      return "suspense";
    case AccountCode::kCapital:
      return "capital";
    case AccountCode::kProcessingFee:
      return "processing_fee";
    case AccountCode::kNetworkGas:
      return "network_gas";
    case AccountCode::kWriteOffLoss:
      return "write_off_loss";
  }
  return "";
}

std::string AccountKey::ToString() const {
  std::string text = std::to_string(static_cast<std::uint32_t>(code));
  text += ':';
  text += AccountName(code);
  if (!owner.empty()) {
    text += ':';
    text += owner;
  }
  return text + ':' + unit;
}

std::vector<Leg> Move(AccountKey debit, AccountKey credit, const U256& amount) {
  return {Leg{std::move(debit), Side::kDebit, amount},
          Leg{std::move(credit), Side::kCredit, amount}};
}

JournalDraft Reverse(const Journal& journal, std::string_view description) {
  JournalDraft draft = journal;
  draft.rule = "P13." + journal.rule;
  draft.reverses_journal_id = journal.journal_id;
  draft.description = std::string(description);
  for (Leg& leg : draft.legs) leg.side = Opposite(leg.side);
  return draft;
}

Status CheckBalanced(const JournalDraft& draft) {
  if (draft.legs.size() < 2) return Error::Internal("journal " + draft.rule + " has too few legs");
  struct Sums {
    U256 debits, credits;
  };
  std::map<std::string, Sums> units;
  for (const Leg& leg : draft.legs) {
    if (leg.amount.IsZero()) return Error::Internal("journal " + draft.rule + " has an empty leg");
    Sums& sums = units[leg.account.unit];
    U256& sum = leg.side == Side::kDebit ? sums.debits : sums.credits;
    const std::optional<U256> next = CheckedAdd(sum, leg.amount);
    if (!next) return Error::Internal("journal " + draft.rule + " overflows");
    sum = *next;
  }
  for (const auto& [unit, sums] : units) {
    if (sums.debits != sums.credits) {
      return Error::Internal("journal " + draft.rule + " does not balance in " + unit);
    }
  }
  return {};
}

}  // namespace paymesh::settlement
