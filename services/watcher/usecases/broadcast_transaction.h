// Broadcasts a signed transaction: it is stored before it is sent, so that its fate is followed
// even when this process ends between the two. Any thread; one strand a call.
#pragma once

#include <memory>
#include <string>

#include "common/error/error.h"
#include "common/evm/transaction.h"
#include "common/pg/database.h"
#include "common/runtime/task.h"
#include "services/watcher/clients/node_client.h"

namespace paymesh::watcher {

// `trace` is the traceparent of the call, or empty. FAILED_PRECONDITION CHAIN_HALTED, and the
// errors of NodeClient::Broadcast.
Task<Result<BroadcastAnswer>> BroadcastTransaction(
    pg::Database& database, NodeClient& node, std::string chain,
    std::shared_ptr<const evm::SignedTransaction> transaction, std::string trace);

}  // namespace paymesh::watcher
