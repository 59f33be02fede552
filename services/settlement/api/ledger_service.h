// LedgerService: the books, read only. Any thread.
#pragma once

#include "common/pg/database.h"
#include "common/rpc/server/page.h"
#include "common/rpc/server/server.h"
#include "paymesh/settlement/v1/ledger_service.grpc.pb.h"
#include "services/settlement/workers/balance_prover.h"

namespace paymesh::settlement {

class LedgerServiceApi final : public v1::LedgerService::CallbackService {
 public:
  // All outlive the service.
  LedgerServiceApi(rpc::CallRunner& calls, pg::Database& database, BalanceProver& prover,
                   const rpc::PageTokens& tokens)
      : calls_(calls), database_(database), prover_(prover), tokens_(tokens) {}

  grpc::ServerUnaryReactor* GetJournal(grpc::CallbackServerContext* context,
                                       const v1::GetJournalRequest* request,
                                       v1::GetJournalResponse* response) override;
  grpc::ServerUnaryReactor* ListJournals(grpc::CallbackServerContext* context,
                                         const v1::ListJournalsRequest* request,
                                         v1::ListJournalsResponse* response) override;
  grpc::ServerUnaryReactor* GetAccount(grpc::CallbackServerContext* context,
                                       const v1::GetAccountRequest* request,
                                       v1::GetAccountResponse* response) override;
  grpc::ServerUnaryReactor* ListAccounts(grpc::CallbackServerContext* context,
                                         const v1::ListAccountsRequest* request,
                                         v1::ListAccountsResponse* response) override;
  grpc::ServerUnaryReactor* ProveBalances(grpc::CallbackServerContext* context,
                                          const v1::ProveBalancesRequest* request,
                                          v1::ProveBalancesResponse* response) override;

 private:
  Task<Status> DoGetJournal(rpc::Call& call, const v1::GetJournalRequest& request,
                            v1::GetJournalResponse* response);
  Task<Status> DoListJournals(rpc::Call& call, const v1::ListJournalsRequest& request,
                              v1::ListJournalsResponse* response);
  Task<Status> DoGetAccount(rpc::Call& call, const v1::GetAccountRequest& request,
                            v1::GetAccountResponse* response);
  Task<Status> DoListAccounts(rpc::Call& call, const v1::ListAccountsRequest& request,
                              v1::ListAccountsResponse* response);
  Task<Status> DoProve(rpc::Call& call, const v1::ProveBalancesRequest& request,
                       v1::ProveBalancesResponse* response);

  rpc::CallRunner& calls_;
  pg::Database& database_;
  BalanceProver& prover_;
  const rpc::PageTokens& tokens_;
};

}  // namespace paymesh::settlement
