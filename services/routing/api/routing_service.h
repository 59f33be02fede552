// paymesh.routing.v1.RoutingService: parse, call the decider, render. Any thread.
#pragma once

#include "common/rpc/server/server.h"
#include "paymesh/routing/v1/routing_service.grpc.pb.h"
#include "services/routing/usecases/decide.h"

namespace paymesh::routing {

class RoutingService final : public pb::RoutingService::CallbackService {
 public:
  RoutingService(rpc::CallRunner& runner, Decider& decider) : runner_(runner), decider_(decider) {}

  grpc::ServerUnaryReactor* Decide(grpc::CallbackServerContext* context,
                                   const pb::DecideRequest* request,
                                   pb::DecideResponse* response) override;
  grpc::ServerUnaryReactor* GetDecision(grpc::CallbackServerContext* context,
                                        const pb::GetDecisionRequest* request,
                                        pb::GetDecisionResponse* response) override;
  grpc::ServerUnaryReactor* GetRate(grpc::CallbackServerContext* context,
                                    const pb::GetRateRequest* request,
                                    pb::GetRateResponse* response) override;

 private:
  Task<Status> DoDecide(rpc::Call& call, const pb::DecideRequest& request,
                        pb::DecideResponse* response);
  Task<Status> DoGetDecision(rpc::Call& call, const pb::GetDecisionRequest& request,
                             pb::GetDecisionResponse* response);
  Task<Status> DoGetRate(rpc::Call& call, const pb::GetRateRequest& request,
                         pb::GetRateResponse* response);

  rpc::CallRunner& runner_;
  Decider& decider_;
};

}  // namespace paymesh::routing
