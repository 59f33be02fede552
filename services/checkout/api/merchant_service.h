// The contract's MerchantService: parse, call, render. Any thread.
#pragma once

#include "common/pg/idempotency.h"
#include "common/rpc/server/server.h"
#include "paymesh/checkout/v1/merchant_service.grpc.pb.h"
#include "services/checkout/usecases/merchant_directory.h"
#include "services/checkout/usecases/metrics.h"

namespace paymesh::rpc {
class PageTokens;
}
namespace paymesh::runtime {
class IdSource;
class RandomSource;
struct ChainsConfig;
}  // namespace paymesh::runtime

namespace paymesh::checkout {

class MerchantServiceApi final : public v1::MerchantService::CallbackService {
 public:
  struct Parts {
    rpc::CallRunner& calls;
    pg::Database& database;
    MerchantDirectory& merchants;
    runtime::IdSource& ids;
    runtime::RandomSource& random;
    const runtime::ChainsConfig& chains;
    const rpc::PageTokens& page_tokens;
    CheckoutMetrics& metrics;
  };
  explicit MerchantServiceApi(Parts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* CreateMerchant(grpc::CallbackServerContext* context,
                                           const v1::CreateMerchantRequest* request,
                                           v1::CreateMerchantResponse* response) override;
  grpc::ServerUnaryReactor* GetMerchant(grpc::CallbackServerContext* context,
                                        const v1::GetMerchantRequest* request,
                                        v1::GetMerchantResponse* response) override;
  grpc::ServerUnaryReactor* ListMerchants(grpc::CallbackServerContext* context,
                                          const v1::ListMerchantsRequest* request,
                                          v1::ListMerchantsResponse* response) override;
  grpc::ServerUnaryReactor* CreateApiKey(grpc::CallbackServerContext* context,
                                         const v1::CreateApiKeyRequest* request,
                                         v1::CreateApiKeyResponse* response) override;
  grpc::ServerUnaryReactor* ListApiKeys(grpc::CallbackServerContext* context,
                                        const v1::ListApiKeysRequest* request,
                                        v1::ListApiKeysResponse* response) override;
  grpc::ServerUnaryReactor* RevokeApiKey(grpc::CallbackServerContext* context,
                                         const v1::RevokeApiKeyRequest* request,
                                         v1::RevokeApiKeyResponse* response) override;

 private:
  Task<Status> DoCreate(rpc::Call& call, const v1::CreateMerchantRequest& request,
                        v1::CreateMerchantResponse* response);
  Task<Status> DoGet(rpc::Call& call, const v1::GetMerchantRequest& request,
                     v1::GetMerchantResponse* response);
  Task<Status> DoList(rpc::Call& call, const v1::ListMerchantsRequest& request,
                      v1::ListMerchantsResponse* response);
  Task<Status> DoCreateKey(rpc::Call& call, const v1::CreateApiKeyRequest& request,
                           v1::CreateApiKeyResponse* response);
  Task<Status> DoListKeys(rpc::Call& call, const v1::ListApiKeysRequest& request,
                          v1::ListApiKeysResponse* response);
  Task<Status> DoRevokeKey(rpc::Call& call, const v1::RevokeApiKeyRequest& request,
                           v1::RevokeApiKeyResponse* response);

  Parts parts_;
  pg::InFlight in_flight_;
};

}  // namespace paymesh::checkout
