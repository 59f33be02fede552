// Credentials kept until they run out, and renewed ahead of that by one caller at a time; the
// others go on with what there is. A renewal that fails costs nothing while the old ones are valid.
// Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/aws/credential_source.h"
#include "common/runtime/async_mutex.h"
#include "common/runtime/clock.h"

namespace paymesh::aws {

struct CredentialCacheOptions {
  // Renewed when they have less than this left; role keys live an hour or more.
  std::chrono::milliseconds renew_before{300'000};
  // After a renewal that failed, and no sooner.
  std::chrono::milliseconds retry_after{10'000};
  // Treated as expired when less than this is left: a request must arrive with them.
  std::chrono::milliseconds margin{5'000};
};

class CredentialCache {
 public:
  // The clock outlives the cache.
  CredentialCache(std::unique_ptr<CredentialSource> source, const runtime::Clock& clock,
                  CredentialCacheOptions options = {});

  // Valid credentials; the source's error when there are none, UNAVAILABLE
  // AWS_CREDENTIALS_UNAVAILABLE when another caller's renewal does not end before `deadline`.
  Task<Result<Credentials>> Get(std::chrono::steady_clock::time_point deadline);
  // These were refused as expired or unknown: the next Get fetches new ones. Nothing when they have
  // been replaced already.
  void Discard(const std::string& access_key_id);

 private:
  enum class State { kFresh, kRenewable, kExpired };
  State Look(std::optional<Credentials>& found) const;
  Task<Result<Credentials>> Fetch();

  const std::unique_ptr<CredentialSource> source_;
  const runtime::Clock& clock_;
  const CredentialCacheOptions options_;
  runtime::AsyncMutex renewal_;
  mutable std::mutex mutex_;
  std::optional<Credentials> current_;
  runtime::SteadyTime next_renewal_{};
};

}  // namespace paymesh::aws
