// Every error reason that routing raises itself, and every code of a rejection. The strings are
// part of the contract: callers decide by them, and the README lists them. Immutable; any thread.
#pragma once

#include <string_view>

namespace paymesh::routing::reasons {

// The payment was decided on other facts. The caller asks with the facts of the first time.
inline constexpr std::string_view kDecisionExists = "DECISION_EXISTS";
// There is no such decision. The caller corrects the id.
inline constexpr std::string_view kDecisionNotFound = "DECISION_NOT_FOUND";
// No chain has been heard of since the start. Try again soon.
inline constexpr std::string_view kMarketUnknown = "MARKET_UNKNOWN";
// No source for the pair, or none that is fresh. An error of GetRate and a unit's rejection: other
// units may still be offered.
inline constexpr std::string_view kRateUnavailable = "RATE_UNAVAILABLE";

// The rejections: why an accepted unit is not offered.
// No chain lists the token. The merchant accepts another.
inline constexpr std::string_view kTokenUnknown = "TOKEN_UNKNOWN";
// The token is recognised where it arrives but not offered. The merchant accepts another.
inline constexpr std::string_view kTokenNotAccepted = "TOKEN_NOT_ACCEPTED";
// The watcher has stopped at a contradiction on the chain. It must wait for an operator.
inline constexpr std::string_view kChainHalted = "CHAIN_HALTED";
// The chain was not heard of lately, or is read too far from its head. Try again later.
inline constexpr std::string_view kChainDegraded = "CHAIN_DEGRADED";
// Nothing would be due in the token. The merchant asks for more.
inline constexpr std::string_view kAmountTooSmall = "AMOUNT_TOO_SMALL";
// The payment would expire before it is as certain as the merchant asks. Allow it more time.
inline constexpr std::string_view kFinalityTooSlow = "FINALITY_TOO_SLOW";

}  // namespace paymesh::routing::reasons
