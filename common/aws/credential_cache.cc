#include "common/aws/credential_cache.h"

#include <utility>

namespace paymesh::aws {

CredentialCache::CredentialCache(std::unique_ptr<CredentialSource> source,
                                 const runtime::Clock& clock, CredentialCacheOptions options)
    : source_(std::move(source)), clock_(clock), options_(options) {}

CredentialCache::State CredentialCache::Look(std::optional<Credentials>& found) const {
  std::lock_guard guard(mutex_);
  found = current_;
  if (!found) return State::kExpired;
  if (!found->expire_time) return State::kFresh;
  const auto left = *found->expire_time - clock_.Now();
  if (left <= options_.margin) return State::kExpired;
  if (left > options_.renew_before || clock_.Steady() < next_renewal_) return State::kFresh;
  return State::kRenewable;
}

Task<Result<Credentials>> CredentialCache::Fetch() {
  Result<Credentials> fetched = co_await source_->Fetch();
  std::lock_guard guard(mutex_);
  if (fetched.ok()) current_ = *fetched;
  next_renewal_ =
      clock_.Steady() + (fetched.ok() ? std::chrono::milliseconds(0) : options_.retry_after);
  co_return fetched;
}

Task<Result<Credentials>> CredentialCache::Get(std::chrono::steady_clock::time_point deadline) {
  std::optional<Credentials> found;
  State state = Look(found);
  if (state == State::kFresh) co_return *found;
  if (state == State::kRenewable) {
    const auto lock = renewal_.TryAcquire();
    if (!lock) co_return *found;
    const Result<Credentials> renewed = co_await Fetch();
    co_return renewed.ok() ? *renewed : *found;
  }
  const auto lock = co_await renewal_.Acquire(deadline);
  state = Look(found);
  if (state != State::kExpired) co_return *found;
  if (!lock) {
    co_return Error::Unavailable("AWS_CREDENTIALS_UNAVAILABLE", "no AWS credentials in time");
  }
  co_return co_await Fetch();
}

void CredentialCache::Discard(const std::string& access_key_id) {
  std::lock_guard guard(mutex_);
  if (current_ && current_->access_key_id == access_key_id) current_.reset();
}

}  // namespace paymesh::aws
