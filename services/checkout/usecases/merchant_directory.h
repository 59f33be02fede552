// Merchants by id and by API key, kept in memory: merchants never change, and a key that is revoked
// stops at once in this process and after the cache's time in others. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/rpc/server/call_runner.h"
#include "common/runtime/clock.h"
#include "common/runtime/task.h"
#include "services/checkout/domain/merchant.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::checkout {

// The 32 bytes that are kept of a secret.
std::string HashSecret(std::string_view secret);

class MerchantDirectory final : public rpc::ApiKeyAuthenticator {
 public:
  MerchantDirectory(pg::Database& database, const runtime::Clock& clock,
                    std::chrono::milliseconds key_cache)
      : database_(database), clock_(clock), key_cache_(key_cache) {}

  // NOT_FOUND MERCHANT_NOT_FOUND.
  Task<Result<std::shared_ptr<const Merchant>>> Get(std::string merchant_id);

  // The merchant of an active key; UNAUTHENTICATED API_KEY_INVALID.
  Task<Result<std::string>> Authenticate(std::string key) override;
  // Call after a key was revoked.
  void ForgetKey(const std::string& api_key_id);

 private:
  static constexpr std::size_t kMaxCached = 20'000;  // merchants, and keys
  struct CachedKey {
    std::string api_key_id;
    std::string merchant_id;
    runtime::SteadyTime read_at;
  };

  pg::Database& database_;
  const runtime::Clock& clock_;
  const std::chrono::milliseconds key_cache_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Merchant>> merchants_;
  std::map<std::string, CachedKey> keys_;  // by hash
  std::uint64_t revocations_ = 0;          // so that a read begun before one is not kept
};

}  // namespace paymesh::checkout
