// What happened to a payment's money, in the words of settlement's event journal.
// Plain values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/money/u256.h"

namespace paymesh::settlement {

enum class MoneyStage {
  kPosted,          // accepted for the merchant
  kAvailable,       // final: free to be paid out
  kSwept,           // arrived in the vault
  kPayoutReserved,  // part of a payout
  kPayoutIncluded,  // paid out in a block
  kPaidOut,         // paid out finally
  kReversed,        // taken back after a reorganisation
  kPayoutReleased,  // the payout failed or was cancelled: available again
};

// "payment.posted"
constexpr std::string_view MoneyStageType(MoneyStage stage) {
  switch (stage) {
    case MoneyStage::kPosted:
      return "payment.posted";
    case MoneyStage::kAvailable:
      return "payment.available";
    case MoneyStage::kSwept:
      return "payment.swept";
    case MoneyStage::kPayoutReserved:
      return "payment.payout_reserved";
    case MoneyStage::kPayoutIncluded:
      return "payment.payout_included";
    case MoneyStage::kPaidOut:
      return "payment.paid_out";
    case MoneyStage::kReversed:
      return "payment.reversed";
    case MoneyStage::kPayoutReleased:
      return "payment.payout_released";
  }
  return "";
}

struct MoneyEvent {
  std::string payment_id;
  std::string merchant_id;
  MoneyStage stage = MoneyStage::kPosted;
  std::string unit;
  U256 amount;
  std::string journal_id = {};
  std::string payout_id = {};
  std::string transaction_hash = {};
  std::string chain = {};
  bool settled = false;  // all of the payment's net has been paid out finally
};

}  // namespace paymesh::settlement
