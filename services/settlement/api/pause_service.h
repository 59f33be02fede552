// PauseService: operators stop money from going out, and let it go on. Any thread.
#pragma once

#include "common/pg/database.h"
#include "common/pg/idempotency.h"
#include "common/rpc/server/server.h"
#include "paymesh/settlement/v1/pause_service.grpc.pb.h"

namespace paymesh::settlement {

class PauseServiceApi final : public v1::PauseService::CallbackService {
 public:
  // Both outlive the service.
  PauseServiceApi(rpc::CallRunner& calls, pg::Database& database)
      : calls_(calls), database_(database) {}

  grpc::ServerUnaryReactor* PausePayouts(grpc::CallbackServerContext* context,
                                         const v1::PausePayoutsRequest* request,
                                         v1::PausePayoutsResponse* response) override;
  grpc::ServerUnaryReactor* ResumePayouts(grpc::CallbackServerContext* context,
                                          const v1::ResumePayoutsRequest* request,
                                          v1::ResumePayoutsResponse* response) override;
  grpc::ServerUnaryReactor* ListPauses(grpc::CallbackServerContext* context,
                                       const v1::ListPausesRequest* request,
                                       v1::ListPausesResponse* response) override;

 private:
  Task<Status> DoPause(rpc::Call& call, const v1::PausePayoutsRequest& request,
                       v1::PausePayoutsResponse* response);
  Task<Status> DoResume(rpc::Call& call, const v1::ResumePayoutsRequest& request,
                        v1::ResumePayoutsResponse* response);
  Task<Status> DoList(rpc::Call& call, const v1::ListPausesRequest& request,
                      v1::ListPausesResponse* response);

  rpc::CallRunner& calls_;
  pg::Database& database_;
  pg::InFlight in_flight_;
};

}  // namespace paymesh::settlement
