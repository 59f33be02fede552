#include "services/watcher/clients/broadcast.h"

#include <gtest/gtest.h>

namespace paymesh::watcher {
namespace {

TEST(Broadcast, UnderstandsTheNodesWords) {
  const std::pair<const char*, BroadcastOutcome> kSaid[] = {
      {"already known", BroadcastOutcome::kAlreadyKnown},
      {"ALREADY_EXISTS: already known", BroadcastOutcome::kAlreadyKnown},
      {"transaction already imported", BroadcastOutcome::kAlreadyKnown},
      {"AlreadyKnown", BroadcastOutcome::kAlreadyKnown},
      {"nonce too low", BroadcastOutcome::kNonceTooLow},
      {"nonce too low: next nonce 5, tx nonce 3", BroadcastOutcome::kNonceTooLow},
      {"OldNonce, Current nonce: 5, nonce of rejected tx: 3", BroadcastOutcome::kNonceTooLow},
      {"nonce too high", BroadcastOutcome::kNonceTooHigh},
      {"replacement transaction underpriced", BroadcastOutcome::kUnderpriced},
      {"could not replace existing tx", BroadcastOutcome::kUnderpriced},
      {"transaction underpriced", BroadcastOutcome::kFeeTooLow},
      {"max fee per gas less than block base fee", BroadcastOutcome::kFeeTooLow},
      {"FeeTooLow", BroadcastOutcome::kFeeTooLow},
      {"insufficient funds for gas * price + value", BroadcastOutcome::kInsufficientFunds},
      {"Insufficient funds for gas * price + value", BroadcastOutcome::kInsufficientFunds},
      {"exceeds block gas limit", BroadcastOutcome::kRejected},
      {"", BroadcastOutcome::kRejected},
  };
  for (const auto& [message, outcome] : kSaid) EXPECT_EQ(OutcomeOf(message), outcome) << message;
}

TEST(Broadcast, PrefersTheAnswerThatSaysMore) {
  EXPECT_TRUE(MoreFavourable(BroadcastOutcome::kAccepted, BroadcastOutcome::kAlreadyKnown));
  EXPECT_TRUE(MoreFavourable(BroadcastOutcome::kNonceTooLow, BroadcastOutcome::kRejected));
  EXPECT_TRUE(MoreFavourable(BroadcastOutcome::kUnknown, BroadcastOutcome::kFeeTooLow));
  EXPECT_FALSE(MoreFavourable(BroadcastOutcome::kRejected, BroadcastOutcome::kFeeTooLow));
}

}  // namespace
}  // namespace paymesh::watcher
