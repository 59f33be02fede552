#include "services/checkout/usecases/merchant_directory.h"

#include <openssl/sha.h>

#include <optional>
#include <utility>

#include "common/pg/database.h"
#include "services/checkout/reasons.h"
#include "services/checkout/store/merchant_store.h"

namespace paymesh::checkout {
namespace {
constexpr std::size_t kMaxKeyLength = 128;
Error InvalidKey() {
  return Error::Unauthenticated(std::string(reasons::kApiKeyInvalid), "the API key is not valid");
}
}  // namespace

std::string HashSecret(std::string_view secret) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

Task<Result<std::shared_ptr<const Merchant>>> MerchantDirectory::Get(std::string merchant_id) {
  {
    std::lock_guard lock(mutex_);
    const auto found = merchants_.find(merchant_id);
    if (found != merchants_.end()) co_return found->second;
  }
  auto load = [merchant_id](pg::Transaction& tx) { return LoadMerchant(tx, merchant_id); };
  const pg::TransactOptions options{.name = "load_merchant", .idempotent = true};
  auto run = database_.Transact(options, std::move(load));
  Result<std::optional<Merchant>> merchant = co_await std::move(run);
  if (!merchant.ok()) co_return merchant.error();
  if (!merchant->has_value()) co_return MerchantNotFound();
  auto kept = std::make_shared<const Merchant>(**std::move(merchant));
  std::lock_guard lock(mutex_);
  if (merchants_.size() >= kMaxCached) merchants_.clear();
  merchants_[merchant_id] = kept;
  co_return kept;
}

Task<Result<std::string>> MerchantDirectory::Authenticate(std::string key) {
  if (!key.starts_with("pmk_") || key.size() > kMaxKeyLength) co_return InvalidKey();
  const std::string hash = HashSecret(key);
  const runtime::SteadyTime now = clock_.Steady();
  std::uint64_t revocations = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found = keys_.find(hash);
    if (found != keys_.end() && now - found->second.read_at < key_cache_) {
      co_return found->second.merchant_id;
    }
    revocations = revocations_;
  }
  auto find = [hash](pg::Transaction& tx) -> Result<std::optional<KeyOwner>> {
    return FindApiKey(tx, pg::Bytea(hash));
  };
  const pg::TransactOptions options{.name = "find_api_key", .idempotent = true};
  auto run = database_.Transact(options, std::move(find));
  Result<std::optional<KeyOwner>> owner = co_await std::move(run);
  if (!owner.ok()) co_return owner.error();
  std::lock_guard lock(mutex_);
  if (!owner->has_value()) {
    keys_.erase(hash);
    co_return InvalidKey();
  }
  if (keys_.size() >= kMaxCached) keys_.clear();
  if (revocations == revocations_) {
    keys_.insert_or_assign(hash, CachedKey{(*owner)->api_key_id, (*owner)->merchant_id, now});
  }
  co_return (*owner)->merchant_id;
}

void MerchantDirectory::ForgetKey(const std::string& api_key_id) {
  std::lock_guard lock(mutex_);
  ++revocations_;
  std::erase_if(keys_, [&](const auto& entry) { return entry.second.api_key_id == api_key_id; });
}

}  // namespace paymesh::checkout
