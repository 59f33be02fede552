// What a node's words to eth_sendRawTransaction mean. Nodes have no codes for this, only sentences:
// those of geth, erigon, nethermind, besu, reth and anvil are known here. Pure; any thread.
#pragma once

#include <string_view>

namespace paymesh::watcher {

// In the order of the contract's enumeration.
enum class BroadcastOutcome {
  kAccepted = 1,
  kAlreadyKnown,
  kNonceTooLow,
  kNonceTooHigh,
  kUnderpriced,
  kFeeTooLow,
  kInsufficientFunds,
  kRejected,
  kUnknown,
};

BroadcastOutcome OutcomeOf(std::string_view node_message);

// Of two nodes' answers, the one that says more for the transaction: taken, known, then that its
// nonce is gone, then unclear, then the refusals.
bool MoreFavourable(BroadcastOutcome a, BroadcastOutcome b);

}  // namespace paymesh::watcher
