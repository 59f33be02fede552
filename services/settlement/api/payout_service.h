// The contract's PayoutService: destinations, plans and payouts by people.
// Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/config/chains.h"
#include "common/pg/idempotency.h"
#include "common/rpc/server/call_runner.h"
#include "common/rpc/server/page.h"
#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "paymesh/settlement/v1/payout_service.grpc.pb.h"
#include "services/settlement/domain/destination.h"
#include "services/settlement/workers/vault_record.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::settlement {

struct PayoutServiceOptions {
  std::chrono::milliseconds cooling_off{std::chrono::hours(24)};
  // Payouts that people ask for wait for another person.
  bool manual_payout_approval = true;
  ForbiddenAddresses forbidden;
};

class PayoutService final : public v1::PayoutService::CallbackService {
 public:
  // Everything given by reference outlives the service.
  PayoutService(rpc::CallRunner& runner, pg::Database& database,
                const runtime::ChainsConfig& chains, const runtime::Clock& clock,
                runtime::IdSource& ids, const rpc::PageTokens& pages, VaultRecord& vaults,
                PayoutServiceOptions options);
  ~PayoutService() override;

  grpc::ServerUnaryReactor* CreatePayoutDestination(
      grpc::CallbackServerContext* context, const v1::CreatePayoutDestinationRequest* request,
      v1::CreatePayoutDestinationResponse* response) override;
  grpc::ServerUnaryReactor* ApprovePayoutDestination(
      grpc::CallbackServerContext* context, const v1::ApprovePayoutDestinationRequest* request,
      v1::ApprovePayoutDestinationResponse* response) override;
  grpc::ServerUnaryReactor* ListPayoutDestinations(
      grpc::CallbackServerContext* context, const v1::ListPayoutDestinationsRequest* request,
      v1::ListPayoutDestinationsResponse* response) override;
  grpc::ServerUnaryReactor* SetPayoutPlan(grpc::CallbackServerContext* context,
                                          const v1::SetPayoutPlanRequest* request,
                                          v1::SetPayoutPlanResponse* response) override;
  grpc::ServerUnaryReactor* ListPayoutPlans(grpc::CallbackServerContext* context,
                                            const v1::ListPayoutPlansRequest* request,
                                            v1::ListPayoutPlansResponse* response) override;
  grpc::ServerUnaryReactor* CreatePayout(grpc::CallbackServerContext* context,
                                         const v1::CreatePayoutRequest* request,
                                         v1::CreatePayoutResponse* response) override;
  grpc::ServerUnaryReactor* ApprovePayout(grpc::CallbackServerContext* context,
                                          const v1::ApprovePayoutRequest* request,
                                          v1::ApprovePayoutResponse* response) override;
  grpc::ServerUnaryReactor* RejectPayout(grpc::CallbackServerContext* context,
                                         const v1::RejectPayoutRequest* request,
                                         v1::RejectPayoutResponse* response) override;
  grpc::ServerUnaryReactor* CancelPayout(grpc::CallbackServerContext* context,
                                         const v1::CancelPayoutRequest* request,
                                         v1::CancelPayoutResponse* response) override;
  grpc::ServerUnaryReactor* ResolvePayout(grpc::CallbackServerContext* context,
                                          const v1::ResolvePayoutRequest* request,
                                          v1::ResolvePayoutResponse* response) override;
  grpc::ServerUnaryReactor* GetPayout(grpc::CallbackServerContext* context,
                                      const v1::GetPayoutRequest* request,
                                      v1::GetPayoutResponse* response) override;
  grpc::ServerUnaryReactor* ListPayouts(grpc::CallbackServerContext* context,
                                        const v1::ListPayoutsRequest* request,
                                        v1::ListPayoutsResponse* response) override;

  // What the calls do; Handle is their common shape, so that each reads as one function.
  class Handlers;

 private:
  rpc::CallRunner& runner_;
  const std::unique_ptr<Handlers> handlers_;
};

}  // namespace paymesh::settlement
