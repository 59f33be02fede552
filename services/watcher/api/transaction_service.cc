#include "services/watcher/api/transaction_service.h"

#include "common/evm/transaction.h"
#include "common/outbox/follower/stream.h"
#include "services/watcher/reasons.h"
#include "services/watcher/store/chain_store.h"
#include "services/watcher/store/transaction_store.h"
#include "services/watcher/usecases/broadcast_transaction.h"

namespace paymesh::watcher {
namespace {

static_assert(static_cast<int>(BroadcastOutcome::kAccepted) == pb::BROADCAST_OUTCOME_ACCEPTED);
static_assert(static_cast<int>(BroadcastOutcome::kNonceTooLow) ==
              pb::BROADCAST_OUTCOME_NONCE_TOO_LOW);
static_assert(static_cast<int>(BroadcastOutcome::kRejected) == pb::BROADCAST_OUTCOME_REJECTED);
static_assert(static_cast<int>(BroadcastOutcome::kUnknown) == pb::BROADCAST_OUTCOME_UNKNOWN);

}  // namespace

grpc::ServerUnaryReactor* TransactionServiceImpl::BroadcastTransaction(
    grpc::CallbackServerContext* context, const pb::BroadcastTransactionRequest* request,
    pb::BroadcastTransactionResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](rpc::Call& call, const pb::BroadcastTransactionRequest& asked,
                           pb::BroadcastTransactionResponse* answer) {
                      return DoBroadcast(call, asked, answer);
                    });
}

grpc::ServerUnaryReactor* TransactionServiceImpl::GetTransaction(
    grpc::CallbackServerContext* context, const pb::GetTransactionRequest* request,
    pb::GetTransactionResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](rpc::Call&, const pb::GetTransactionRequest& asked,
                           pb::GetTransactionResponse* answer) { return DoGet(asked, answer); });
}

grpc::ServerUnaryReactor* TransactionServiceImpl::GetAccountNonce(
    grpc::CallbackServerContext* context, const pb::GetAccountNonceRequest* request,
    pb::GetAccountNonceResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](rpc::Call&, const pb::GetAccountNonceRequest& asked,
                           pb::GetAccountNonceResponse* answer) { return DoNonce(asked, answer); });
}

grpc::ServerWriteReactor<pb::StreamTransactionsResponse>*
TransactionServiceImpl::StreamTransactions(grpc::CallbackServerContext* context,
                                           const pb::StreamTransactionsRequest* request) {
  return rpc::Stream<pb::StreamTransactionsResponse>(
      calls_, context, request,
      [this](rpc::Call&, const pb::StreamTransactionsRequest& asked,
             rpc::Writer<pb::StreamTransactionsResponse>& writer) {
        outbox::ServeOptions options{.outbox = "transactions", .after = asked.after_position()};
        return outbox::ServeEvents<pb::StreamTransactionsResponse>(hub_, std::move(options),
                                                                   writer);
      });
}

Task<Status> TransactionServiceImpl::DoBroadcast(rpc::Call& call,
                                                 const pb::BroadcastTransactionRequest& request,
                                                 pb::BroadcastTransactionResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  const auto decoded = evm::DecodeSigned(evm::AsBytes(request.raw_transaction()));
  if (!decoded.ok()) co_return Error::InvalidField("raw_transaction", decoded.error().message);
  if (decoded->transaction.chain_id != handle->config.chain.number()) {
    co_return Error::InvalidField("raw_transaction", "signed for another chain");
  }
  if (decoded->transaction.nonce > 0x7fff'ffff'ffff'ffffULL) {
    co_return Error::InvalidField("raw_transaction", "a nonce beyond any account's");
  }
  auto signed_transaction = std::make_shared<const evm::SignedTransaction>(*decoded);
  Result<BroadcastAnswer> answer = co_await watcher::BroadcastTransaction(
      database_, *handle->node, request.chain(), signed_transaction, call.traceparent());
  if (!answer.ok()) co_return answer.error();
  response->set_outcome(static_cast<pb::BroadcastOutcome>(answer->outcome));
  response->set_transaction_hash(signed_transaction->hash.ToHex());
  response->set_node_message(answer->node_message);
  co_return Status();
}

Task<Status> TransactionServiceImpl::DoGet(const pb::GetTransactionRequest& request,
                                           pb::GetTransactionResponse* response) {
  const auto hash = evm::Hash32::Parse(request.transaction_hash());
  if (!hash.ok()) co_return Error::InvalidField("transaction_hash", hash.error().message);
  auto read = [chain = request.chain(),
               hash = *hash](pg::Transaction& tx) -> Result<std::optional<TrackedTransaction>> {
    return LoadTracked(tx, chain, hash);
  };
  const pg::TransactOptions options{.name = "get_transaction", .access = pg::Access::kReadOnly};
  Result<std::optional<TrackedTransaction>> found = co_await database_.Transact(options, read);
  if (!found.ok()) co_return found.error();
  if (!*found) {
    co_return Error::NotFound(std::string(reasons::kTransactionNotFound),
                              "no such transaction was broadcast here");
  }
  *response->mutable_transaction() = ToProto(**found);
  co_return Status();
}

Task<Status> TransactionServiceImpl::DoNonce(const pb::GetAccountNonceRequest& request,
                                             pb::GetAccountNonceResponse* response) {
  ASSIGN_OR_CO_RETURN(const ChainHandle* handle, chains_.Find(request.chain()));
  const auto address = evm::Address::Parse(request.address());
  if (!address.ok()) co_return Error::InvalidField("address", address.error().message);
  auto read = [chain = request.chain()](pg::Transaction& tx) -> Result<std::optional<StoredChain>> {
    return LoadChain(tx, chain);
  };
  const pg::TransactOptions options{.name = "get_chain", .access = pg::Access::kReadOnly};
  Result<std::optional<StoredChain>> stored = co_await database_.Transact(options, read);
  if (!stored.ok()) co_return stored.error();
  if (!*stored || !(*stored)->finalized_header) {
    co_return Error::Unavailable(std::string(reasons::kNodeUnavailable),
                                 "the chain has not begun to be followed");
  }
  const BlockId finalized = (*stored)->finalized_header->id();
  Result<NodeClient::Nonces> nonces = co_await handle->node->AccountNonces(*address, finalized);
  if (!nonces.ok()) co_return nonces.error();
  response->set_latest_nonce(nonces->latest);
  response->set_pending_nonce(nonces->pending);
  response->set_finalized_nonce(nonces->finalized);
  co_return Status();
}

}  // namespace paymesh::watcher
