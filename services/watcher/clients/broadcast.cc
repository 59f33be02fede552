#include "services/watcher/clients/broadcast.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace paymesh::watcher {
namespace {

struct Phrase {
  std::string_view words;
  BroadcastOutcome outcome;
};

// First match wins: "replacement transaction underpriced" stands before "underpriced" in meaning,
// and "already imported" is erigon's and anvil's way to say known.
constexpr std::array<Phrase, 32> kPhrases{{
    {"already known", BroadcastOutcome::kAlreadyKnown},
    {"alreadyknown", BroadcastOutcome::kAlreadyKnown},
    {"known transaction", BroadcastOutcome::kAlreadyKnown},
    {"already imported", BroadcastOutcome::kAlreadyKnown},
    {"already exists", BroadcastOutcome::kAlreadyKnown},
    {"already in the", BroadcastOutcome::kAlreadyKnown},
    {"existing tx with same hash", BroadcastOutcome::kAlreadyKnown},
    {"replacement transaction underpriced", BroadcastOutcome::kUnderpriced},
    {"could not replace existing", BroadcastOutcome::kUnderpriced},
    {"replacementnotallowed", BroadcastOutcome::kUnderpriced},
    {"replacement not allowed", BroadcastOutcome::kUnderpriced},
    {"feetoolowtocompete", BroadcastOutcome::kUnderpriced},
    {"transaction underpriced", BroadcastOutcome::kFeeTooLow},
    {"underpriced", BroadcastOutcome::kFeeTooLow},
    {"less than block base fee", BroadcastOutcome::kFeeTooLow},
    {"max fee per gas less than", BroadcastOutcome::kFeeTooLow},
    {"fee too low", BroadcastOutcome::kFeeTooLow},
    {"feetoolow", BroadcastOutcome::kFeeTooLow},
    {"gas price too low", BroadcastOutcome::kFeeTooLow},
    {"below current minimum", BroadcastOutcome::kFeeTooLow},
    {"nonce too low", BroadcastOutcome::kNonceTooLow},
    {"oldnonce", BroadcastOutcome::kNonceTooLow},
    {"old nonce", BroadcastOutcome::kNonceTooLow},
    {"nonce is too low", BroadcastOutcome::kNonceTooLow},
    {"nonce too high", BroadcastOutcome::kNonceTooHigh},
    {"nonce gap", BroadcastOutcome::kNonceTooHigh},
    {"noncegap", BroadcastOutcome::kNonceTooHigh},
    {"too distant", BroadcastOutcome::kNonceTooHigh},
    {"insufficient funds", BroadcastOutcome::kInsufficientFunds},
    {"insufficientfunds", BroadcastOutcome::kInsufficientFunds},
    {"insufficient balance", BroadcastOutcome::kInsufficientFunds},
    {"upfront cost exceeds", BroadcastOutcome::kInsufficientFunds},
}};

int Rank(BroadcastOutcome outcome) {
  switch (outcome) {
    case BroadcastOutcome::kAccepted:
      return 0;
    case BroadcastOutcome::kAlreadyKnown:
      return 1;
    case BroadcastOutcome::kNonceTooLow:
      return 2;
    case BroadcastOutcome::kUnknown:
      return 3;
    default:
      return 4;
  }
}

}  // namespace

BroadcastOutcome OutcomeOf(std::string_view node_message) {
  std::string lower(node_message);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Phrase& phrase : kPhrases) {
    if (lower.find(phrase.words) != std::string::npos) return phrase.outcome;
  }
  return BroadcastOutcome::kRejected;
}

bool MoreFavourable(BroadcastOutcome a, BroadcastOutcome b) { return Rank(a) < Rank(b); }

}  // namespace paymesh::watcher
