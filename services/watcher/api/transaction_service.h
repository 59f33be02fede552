// paymesh.watcher.v1.TransactionService: stores before it sends, and tells the fate from the rows
// that the chain's follower writes. Any thread; one strand a call.
#pragma once

#include "common/outbox/hub/hub.h"
#include "common/pg/database.h"
#include "common/rpc/server/server.h"
#include "paymesh/watcher/v1/transaction_service.grpc.pb.h"
#include "services/watcher/clients/chains.h"
#include "services/watcher/convert.h"

namespace paymesh::watcher {

class TransactionServiceImpl final : public pb::TransactionService::CallbackService {
 public:
  TransactionServiceImpl(rpc::CallRunner& calls, pg::Database& database, outbox::Hub& hub,
                         const Chains& chains)
      : calls_(calls), database_(database), hub_(hub), chains_(chains) {}

  grpc::ServerUnaryReactor* BroadcastTransaction(
      grpc::CallbackServerContext* context, const pb::BroadcastTransactionRequest* request,
      pb::BroadcastTransactionResponse* response) override;
  grpc::ServerUnaryReactor* GetTransaction(grpc::CallbackServerContext* context,
                                           const pb::GetTransactionRequest* request,
                                           pb::GetTransactionResponse* response) override;
  grpc::ServerUnaryReactor* GetAccountNonce(grpc::CallbackServerContext* context,
                                            const pb::GetAccountNonceRequest* request,
                                            pb::GetAccountNonceResponse* response) override;
  grpc::ServerWriteReactor<pb::StreamTransactionsResponse>* StreamTransactions(
      grpc::CallbackServerContext* context, const pb::StreamTransactionsRequest* request) override;

 private:
  Task<Status> DoBroadcast(rpc::Call& call, const pb::BroadcastTransactionRequest& request,
                           pb::BroadcastTransactionResponse* response);
  Task<Status> DoGet(const pb::GetTransactionRequest& request,
                     pb::GetTransactionResponse* response);
  Task<Status> DoNonce(const pb::GetAccountNonceRequest& request,
                       pb::GetAccountNonceResponse* response);

  rpc::CallRunner& calls_;
  pg::Database& database_;
  outbox::Hub& hub_;
  const Chains& chains_;
};

}  // namespace paymesh::watcher
