// Merchants and API keys in PostgreSQL. One thread (the transaction's).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/merchant.h"

namespace paymesh::checkout {

// With its journal entry.
void InsertMerchant(pg::Transaction& tx, const Merchant& merchant);
Result<std::optional<Merchant>> LoadMerchant(pg::Transaction& tx, std::string_view merchant_id);
// Newest first, below `before_id` where it is given.
Result<std::vector<Merchant>> ListMerchants(pg::Transaction& tx, std::string_view before_id,
                                            int limit);

// FAILED_PRECONDITION TOO_MANY_API_KEYS when the merchant has two active ones. Locks the merchant.
Status InsertApiKey(pg::Transaction& tx, const ApiKey& key, const pg::Bytea& secret_hash);
std::vector<ApiKey> ListApiKeys(pg::Transaction& tx, std::string_view merchant_id);
// The key as it is now; nullopt: there is none. A revoked one stays as it was.
std::optional<ApiKey> RevokeApiKey(pg::Transaction& tx, std::string_view api_key_id, Time now);

// The active key with this hash.
struct KeyOwner {
  std::string api_key_id;
  std::string merchant_id;
};
std::optional<KeyOwner> FindApiKey(pg::Transaction& tx, const pg::Bytea& secret_hash);

}  // namespace paymesh::checkout
