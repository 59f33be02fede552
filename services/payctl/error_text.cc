#include "services/payctl/error_text.h"

#include <array>
#include <string_view>
#include <utility>

namespace paymesh::payctl {
namespace {

constexpr auto kHintsByReason = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"IDEMPOTENCY_KEY_REUSED",
     "this --request-id was used with other arguments; leave it out to get a new one"},
    {"REQUEST_IN_PROGRESS",
     "the same request is still running; repeat it with the same --request-id"},
    {"SELF_APPROVAL", "a second person must approve: use --as with another certificate"},
    {"REVISION_MISMATCH", "it changed since you looked: get it again and repeat with its revision"},
    {"DESTINATION_COOLING_OFF",
     "see `payctl destinations list` for the time from which it is usable"},
    {"DESTINATION_NOT_APPROVED", "approve it first: payctl destinations approve ID"},
    {"INSUFFICIENT_AVAILABLE",
     "see `payctl ledger accounts --owner MERCHANT` for what is available"},
    {"TOO_MANY_PAYMENTS", "ask for no more than it says, and for the rest afterwards"},
    {"PAYOUT_UNCLEAR", "pause the chain and call the engineers of settlement"},
    {"PAUSED", "see `payctl pause list`"},
    {"NO_OPTION", "see `payctl chains`, and the merchant's accepted units"},
    {"PAYMENT_NOT_IN_REVIEW", "only a payment in REQUIRES_REVIEW can be resolved"},
    {"TOO_MANY_API_KEYS", "revoke one first: payctl keys revoke ID"},
    {"INVALID_PAGE_TOKEN", "start again from the first page"},
});

std::string_view HintForCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kPermissionDenied:
      return "your certificate may not do this: choose another with --as, or with --cert and --key";
    case ErrorCode::kUnauthenticated:
      return "the edge needs an API key: give --api-key or PAYMESH_API_KEY";
    case ErrorCode::kUnavailable:
      return "see `payctl health`; a command that changes something is safe to repeat with the "
             "same "
             "--request-id";
    case ErrorCode::kDeadlineExceeded:
      return "whether it happened is not known: repeat with the same --request-id, or a longer "
             "--timeout";
    case ErrorCode::kResourceExhausted:
      return "wait a little and repeat";
    default:
      return "";
  }
}

}  // namespace

std::string HintFor(const Error& error) {
  for (const auto& [reason, hint] : kHintsByReason) {
    if (error.reason == reason) return std::string(hint);
  }
  return std::string(HintForCode(error.code));
}

std::string ErrorText(const Error& error) {
  std::string text = "error: " + error.reason + ": " + error.message + "\n";
  for (const FieldViolation& violation : error.violations) {
    text += "  " + violation.field + ": " + violation.description + "\n";
  }
  for (const auto& [key, value] : error.metadata) {
    // A field is already named by its violation.
    if (key == "field" && !error.violations.empty()) continue;
    text += "  " + key + " = " + value + "\n";
  }
  if (error.retry_after) {
    text += "  retry after " + std::to_string(error.retry_after->count()) + " ms\n";
  }
  const std::string hint = HintFor(error);
  if (!hint.empty()) text += "hint: " + hint + "\n";
  return text;
}

}  // namespace paymesh::payctl
