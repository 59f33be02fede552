// Every error reason that checkout raises itself. The strings are part of the contract: callers
// decide by them, and the README's table lists them. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::checkout::reasons {

// The payment is not there, or is another merchant's. The caller corrects the id.
inline constexpr std::string_view kPaymentNotFound = "PAYMENT_NOT_FOUND";
// The merchant is not there, or is not the one of the caller's key. The caller corrects the id.
inline constexpr std::string_view kMerchantNotFound = "MERCHANT_NOT_FOUND";
// No key has this id. The caller corrects the id.
inline constexpr std::string_view kApiKeyNotFound = "API_KEY_NOT_FOUND";
// No active key has this secret. The merchant takes another key.
inline constexpr std::string_view kApiKeyInvalid = "API_KEY_INVALID";
// The merchant has two active keys. The operator revokes one first.
inline constexpr std::string_view kTooManyApiKeys = "TOO_MANY_API_KEYS";

// Nothing that the merchant accepts can be offered; metadata says why for each unit. Another price
// or another set of units may do.
inline constexpr std::string_view kNoOption = "NO_OPTION";
// Nothing can be offered while chains are degraded; metadata says why for each unit. Try later.
inline constexpr std::string_view kChainsUnavailable = "CHAINS_UNAVAILABLE";
// Routing did not decide, and no earlier options hold. Try again later.
inline constexpr std::string_view kRoutingUnavailable = "ROUTING_UNAVAILABLE";

// To cancel: the payment has ended. There is nothing to do.
inline constexpr std::string_view kPaymentClosed = "PAYMENT_CLOSED";
// To cancel: money is on its way or there. The caller waits for the payment's end.
inline constexpr std::string_view kPaymentInFlight = "PAYMENT_IN_FLIGHT";
// To resolve: the payment is not in review. There is nothing to do.
inline constexpr std::string_view kPaymentNotInReview = "PAYMENT_NOT_IN_REVIEW";
// To accept: nothing has arrived in the bound token. The operator may only hold.
inline constexpr std::string_view kNothingToAccept = "NOTHING_TO_ACCEPT";
// To resolve: the payment has changed since it was looked at. Look again, then decide.
inline constexpr std::string_view kRevisionMismatch = "REVISION_MISMATCH";

// Somebody else changed the same payment at once. Try again.
inline constexpr std::string_view kTransactionConflict = "TRANSACTION_CONFLICT";
// A stored payment contradicts its transfers. Trying again is of no use: an operator must look.
inline constexpr std::string_view kAmountDrift = "AMOUNT_DRIFT";
// waive-chain and unwaive-chain: an argument is missing, unknown or no chain of ours.
inline constexpr std::string_view kUsage = "USAGE";

}  // namespace paymesh::checkout::reasons

namespace paymesh::checkout {

inline Error PaymentNotFound() {
  return Error::NotFound(std::string(reasons::kPaymentNotFound), "there is no such payment");
}
inline Error MerchantNotFound() {
  return Error::NotFound(std::string(reasons::kMerchantNotFound), "there is no such merchant");
}

}  // namespace paymesh::checkout
