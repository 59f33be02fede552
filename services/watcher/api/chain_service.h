// paymesh.watcher.v1.ChainService: rows of the database, and reads of the nodes at those rows'
// blocks. Any thread; one strand a call.
#pragma once

#include "common/pg/database.h"
#include "common/rpc/server/server.h"
#include "common/runtime/clock.h"
#include "paymesh/watcher/v1/chain_service.grpc.pb.h"
#include "services/watcher/clients/chains.h"
#include "services/watcher/convert.h"
#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {

class ChainServiceImpl final : public pb::ChainService::CallbackService {
 public:
  ChainServiceImpl(rpc::CallRunner& calls, pg::Database& database, const Chains& chains,
                   const runtime::Clock& clock)
      : calls_(calls), database_(database), chains_(chains), clock_(clock) {}

  grpc::ServerUnaryReactor* ListChains(grpc::CallbackServerContext* context,
                                       const pb::ListChainsRequest* request,
                                       pb::ListChainsResponse* response) override;
  grpc::ServerUnaryReactor* GetChain(grpc::CallbackServerContext* context,
                                     const pb::GetChainRequest* request,
                                     pb::GetChainResponse* response) override;
  grpc::ServerUnaryReactor* EstimateFees(grpc::CallbackServerContext* context,
                                         const pb::EstimateFeesRequest* request,
                                         pb::EstimateFeesResponse* response) override;
  grpc::ServerUnaryReactor* GetBalances(grpc::CallbackServerContext* context,
                                        const pb::GetBalancesRequest* request,
                                        pb::GetBalancesResponse* response) override;
  grpc::ServerUnaryReactor* CallContract(grpc::CallbackServerContext* context,
                                         const pb::CallContractRequest* request,
                                         pb::CallContractResponse* response) override;

 private:
  Task<Status> DoList(pb::ListChainsResponse* response);
  Task<Status> DoGet(const pb::GetChainRequest& request, pb::GetChainResponse* response);
  Task<Status> DoFees(const pb::EstimateFeesRequest& request, pb::EstimateFeesResponse* response);
  Task<Status> DoBalances(const pb::GetBalancesRequest& request, pb::GetBalancesResponse* response);
  Task<Status> DoCall(const pb::CallContractRequest& request, pb::CallContractResponse* response);

  Task<Result<std::optional<StoredChain>>> Load(std::string chain);
  // The block that a tag means now. UNAVAILABLE NODE_UNAVAILABLE before the chain has begun.
  Task<Result<Header>> BlockAt(std::string chain, pb::BlockTag tag);
  Task<Result<Header>> BlockNumbered(const ChainHandle& chain, std::uint64_t number);
  pb::Chain Render(const ChainHandle& handle, const std::optional<StoredChain>& stored) const;

  rpc::CallRunner& calls_;
  pg::Database& database_;
  const Chains& chains_;
  const runtime::Clock& clock_;
};

}  // namespace paymesh::watcher
