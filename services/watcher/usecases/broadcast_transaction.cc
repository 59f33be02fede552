#include "services/watcher/usecases/broadcast_transaction.h"

#include "services/watcher/reasons.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/store/transaction_store.h"

namespace paymesh::watcher {

Task<Result<BroadcastAnswer>> BroadcastTransaction(
    pg::Database& database, NodeClient& node, std::string chain,
    std::shared_ptr<const evm::SignedTransaction> transaction, std::string trace) {
  auto store = [chain = std::move(chain), transaction,
                trace = std::move(trace)](pg::Transaction& tx) -> Status {
    const auto stored = LoadChain(tx, chain);
    if (stored && stored->state == ChainState::kHalted) {
      return Error::FailedPrecondition(std::string(reasons::kChainHalted), stored->status_reason);
    }
    InsertTracked(tx, chain, *transaction, trace);
    return {};
  };
  const pg::TransactOptions options{.name = "track_transaction", .idempotent = true};
  CO_RETURN_IF_ERROR(co_await database.Transact(options, store));
  co_return co_await node.Broadcast(transaction->raw, transaction->hash);
}

}  // namespace paymesh::watcher
