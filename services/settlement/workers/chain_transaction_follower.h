// Follows watcher.transactions: what the chains did to our transactions.
// Convert: pure. Apply: on a database thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/outbox/follower/follower.h"
#include "services/settlement/store/chain_transaction_flow.h"

namespace grpc {
class Channel;
}
namespace paymesh::watcher::v1 {
class Transaction;
}

namespace paymesh::settlement {

inline constexpr char kTransactionsCursor[] = "settlement<-watcher.transactions";

// INTERNAL when the watcher's message breaks the contract.
Result<Fate> ToFate(const watcher::v1::Transaction& transaction);

outbox::OpenSource TransactionsSource(std::shared_ptr<grpc::Channel> watcher);
// Chains that are not in `contexts` are skipped: they are not ours.
outbox::ApplyEntries ApplyTransactions(std::vector<FateContext> contexts);

}  // namespace paymesh::settlement
