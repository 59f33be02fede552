#include "services/checkout/api/merchant_service.h"

#include <algorithm>
#include <utility>

#include "common/pg/audit.h"
#include "common/rpc/server/page.h"
#include "common/runtime/ids.h"
#include "services/checkout/api/access.h"
#include "services/checkout/api/fields.h"
#include "services/checkout/api/mutate.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/merchant_store.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {
namespace {

constexpr int kMaxAcceptedUnits = 100;
constexpr std::size_t kMaxDisplayName = 200;
constexpr std::uint32_t kMaxTolerance = 500;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kPrefixLength = 12;  // "pmk_" and 32 bits: enough to tell keys apart
constexpr pg::TransactOptions kReadMerchants{.name = "read_merchants", .idempotent = true};

Result<Finality> PolicyOf(typepb::Finality policy) {
  switch (policy) {
    case typepb::FINALITY_UNSPECIFIED:
      return Finality::kSafe;
    case typepb::FINALITY_INCLUDED:
      return Finality::kIncluded;
    case typepb::FINALITY_SAFE:
      return Finality::kSafe;
    case typepb::FINALITY_FINALIZED:
      return Finality::kFinalized;
    default:
      return Error::InvalidField("confirmation_policy", "must be INCLUDED, SAFE or FINALIZED");
  }
}

Result<Merchant> Validate(const pb::CreateMerchantRequest& request,
                          const runtime::ChainsConfig& chains) {
  RETURN_IF_ERROR(CheckText(request.display_name(), {"display_name", 1, kMaxDisplayName}));
  if (request.accepted_units().empty() || request.accepted_units_size() > kMaxAcceptedUnits) {
    return Error::InvalidField("accepted_units", "must have 1 to 100 entries");
  }
  Merchant merchant;
  merchant.display_name = request.display_name();
  for (int i = 0; i < request.accepted_units_size(); ++i) {
    const std::string field = "accepted_units[" + std::to_string(i) + "]";
    ASSIGN_OR_RETURN(Unit unit, CheckListedToken(request.accepted_units(i), chains, field));
    const auto& units = merchant.accepted_units;
    if (std::find(units.begin(), units.end(), unit) != units.end()) {
      return Error::InvalidField(field, "must not be named twice");
    }
    merchant.accepted_units.push_back(std::move(unit));
  }
  ASSIGN_OR_RETURN(merchant.policy, PolicyOf(request.confirmation_policy()));
  ASSIGN_OR_RETURN(merchant.fee_plan, CheckFeePlan(request.fee_plan(), chains));
  if (request.underpayment_tolerance_basis_points() > kMaxTolerance) {
    return Error::InvalidField("underpayment_tolerance_basis_points", "must be at most 500");
  }
  merchant.tolerance_basis_points = request.underpayment_tolerance_basis_points();
  return merchant;
}

Status RequireMerchant(pg::Transaction& tx, const std::string& merchant_id) {
  if (!LooksLikeId(merchant_id, "mer")) return MerchantNotFound();
  ASSIGN_OR_RETURN(const std::optional<Merchant> merchant, LoadMerchant(tx, merchant_id));
  return merchant ? Status() : Status(MerchantNotFound());
}

}  // namespace

Task<Status> MerchantServiceApi::DoCreate(rpc::Call& call, const pb::CreateMerchantRequest& request,
                                          pb::CreateMerchantResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  ASSIGN_OR_CO_RETURN(Merchant valid, Validate(request, parts_.chains));
  valid.merchant_id = parts_.ids.Next("mer");
  auto act = [valid, actor = call.principal().name,
              method = call.method()](pg::Transaction& tx) -> Result<pb::CreateMerchantResponse> {
    Merchant merchant = valid;
    merchant.create_time = TransactionTime(tx);
    InsertMerchant(tx, merchant);
    pg::Audit(tx, actor, method, merchant.merchant_id);
    pb::CreateMerchantResponse answer;
    *answer.mutable_merchant() = ToProto(merchant);
    return answer;
  };
  Mutation<pb::CreateMerchantResponse> mutation{
      .name = "create_merchant", .key = std::move(key), .act = act};
  auto run = Mutate(parts_.database, in_flight_, parts_.metrics, std::move(mutation));
  Result<Mutated<pb::CreateMerchantResponse>> result = co_await std::move(run);
  if (!result.ok()) co_return result.error();
  *response = std::move(result->response);
  co_return Status();
}

Task<Status> MerchantServiceApi::DoGet(rpc::Call&, const pb::GetMerchantRequest& request,
                                       pb::GetMerchantResponse* response) {
  if (!LooksLikeId(request.merchant_id(), "mer")) co_return MerchantNotFound();
  auto find = parts_.merchants.Get(request.merchant_id());
  const Result<std::shared_ptr<const Merchant>> merchant = co_await std::move(find);
  if (!merchant.ok()) co_return merchant.error();
  *response->mutable_merchant() = ToProto(**merchant);
  co_return Status();
}

Task<Status> MerchantServiceApi::DoList(rpc::Call& call, const pb::ListMerchantsRequest& request,
                                        pb::ListMerchantsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_CO_RETURN(const std::string before,
                      parts_.page_tokens.Decode(call.method(), request.page_token()));
  auto list = [before, size](pg::Transaction& tx) {
    return checkout::ListMerchants(tx, before, size);
  };
  auto run = parts_.database.Transact(kReadMerchants, std::move(list));
  const Result<std::vector<Merchant>> merchants = co_await std::move(run);
  if (!merchants.ok()) co_return merchants.error();
  for (const Merchant& merchant : *merchants) *response->add_merchants() = ToProto(merchant);
  if (merchants->size() == static_cast<std::size_t>(size)) {
    response->set_next_page_token(
        parts_.page_tokens.Encode(call.method(), merchants->back().merchant_id));
  }
  co_return Status();
}

Task<Status> MerchantServiceApi::DoCreateKey(rpc::Call& call,
                                             const pb::CreateApiKeyRequest& request,
                                             pb::CreateApiKeyResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  CO_RETURN_IF_ERROR(CheckText(request.display_name(), {"display_name", 0, kMaxDisplayName}));
  const std::string secret = "pmk_" + parts_.random.Hex(kSecretBytes);
  const ApiKey made{.api_key_id = parts_.ids.Next("key"),
                    .merchant_id = request.merchant_id(),
                    .display_name = request.display_name(),
                    .secret_prefix = secret.substr(0, kPrefixLength)};
  auto act = [made, hash = pg::Bytea(HashSecret(secret)), actor = call.principal().name,
              method = call.method()](pg::Transaction& tx) -> Result<pb::CreateApiKeyResponse> {
    RETURN_IF_ERROR(RequireMerchant(tx, made.merchant_id));
    ApiKey api_key = made;
    api_key.create_time = TransactionTime(tx);
    RETURN_IF_ERROR(InsertApiKey(tx, api_key, hash));
    pg::Audit(tx, actor, method, api_key.api_key_id);
    pb::CreateApiKeyResponse answer;
    *answer.mutable_api_key() = ToProto(api_key);
    return answer;
  };
  Mutation<pb::CreateApiKeyResponse> mutation{
      .name = "create_api_key", .key = std::move(key), .act = act};
  auto run = Mutate(parts_.database, in_flight_, parts_.metrics, std::move(mutation));
  Result<Mutated<pb::CreateApiKeyResponse>> result = co_await std::move(run);
  if (!result.ok()) co_return result.error();
  *response = std::move(result->response);
  // Only the caller who made it sees it; after an unknown commit that was ours it is still ours.
  if (response->api_key().api_key_id() == made.api_key_id) response->set_secret(secret);
  co_return Status();
}

Task<Status> MerchantServiceApi::DoListKeys(rpc::Call&, const pb::ListApiKeysRequest& request,
                                            pb::ListApiKeysResponse* response) {
  auto list = [merchant_id =
                   request.merchant_id()](pg::Transaction& tx) -> Result<std::vector<ApiKey>> {
    RETURN_IF_ERROR(RequireMerchant(tx, merchant_id));
    return checkout::ListApiKeys(tx, merchant_id);
  };
  auto run = parts_.database.Transact(kReadMerchants, std::move(list));
  const Result<std::vector<ApiKey>> keys = co_await std::move(run);
  if (!keys.ok()) co_return keys.error();
  for (const ApiKey& key : *keys) *response->add_api_keys() = ToProto(key);
  co_return Status();
}

Task<Status> MerchantServiceApi::DoRevokeKey(rpc::Call& call,
                                             const pb::RevokeApiKeyRequest& request,
                                             pb::RevokeApiKeyResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  auto act = [api_key_id = request.api_key_id(), actor = call.principal().name,
              method = call.method()](pg::Transaction& tx) -> Result<pb::RevokeApiKeyResponse> {
    const Error unknown =
        Error::NotFound(std::string(reasons::kApiKeyNotFound), "there is no such API key");
    if (!LooksLikeId(api_key_id, "key")) return unknown;
    const std::optional<ApiKey> revoked =
        checkout::RevokeApiKey(tx, api_key_id, TransactionTime(tx));
    if (!revoked) return unknown;
    pg::Audit(tx, actor, method, api_key_id);
    pb::RevokeApiKeyResponse answer;
    *answer.mutable_api_key() = ToProto(*revoked);
    return answer;
  };
  Mutation<pb::RevokeApiKeyResponse> mutation{
      .name = "revoke_api_key", .key = std::move(key), .act = act};
  auto run = Mutate(parts_.database, in_flight_, parts_.metrics, std::move(mutation));
  Result<Mutated<pb::RevokeApiKeyResponse>> result = co_await std::move(run);
  if (!result.ok()) co_return result.error();
  parts_.merchants.ForgetKey(request.api_key_id());
  *response = std::move(result->response);
  co_return Status();
}

grpc::ServerUnaryReactor* MerchantServiceApi::CreateMerchant(
    grpc::CallbackServerContext* context, const pb::CreateMerchantRequest* request,
    pb::CreateMerchantResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoCreate(args...); });
}
grpc::ServerUnaryReactor* MerchantServiceApi::GetMerchant(grpc::CallbackServerContext* context,
                                                          const pb::GetMerchantRequest* request,
                                                          pb::GetMerchantResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoGet(args...); });
}
grpc::ServerUnaryReactor* MerchantServiceApi::ListMerchants(grpc::CallbackServerContext* context,
                                                            const pb::ListMerchantsRequest* request,
                                                            pb::ListMerchantsResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoList(args...); });
}
grpc::ServerUnaryReactor* MerchantServiceApi::CreateApiKey(grpc::CallbackServerContext* context,
                                                           const pb::CreateApiKeyRequest* request,
                                                           pb::CreateApiKeyResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoCreateKey(args...); });
}
grpc::ServerUnaryReactor* MerchantServiceApi::ListApiKeys(grpc::CallbackServerContext* context,
                                                          const pb::ListApiKeysRequest* request,
                                                          pb::ListApiKeysResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoListKeys(args...); });
}
grpc::ServerUnaryReactor* MerchantServiceApi::RevokeApiKey(grpc::CallbackServerContext* context,
                                                           const pb::RevokeApiKeyRequest* request,
                                                           pb::RevokeApiKeyResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoRevokeKey(args...); });
}

}  // namespace paymesh::checkout
