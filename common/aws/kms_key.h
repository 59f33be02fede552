// One asymmetric key of AWS KMS: signatures of digests, and its public key. At most one request for
// it is under way, and no more than a set number a second, so that several users of one key do not
// bring about the throttling that then slows all of the account. Any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/aws/json_service.h"
#include "common/aws/rate_limiter.h"
#include "common/runtime/async_mutex.h"

namespace paymesh::aws {

struct KmsKeyOptions {
  std::string key_id;  // an id, an ARN or "alias/..."
  // For a call with all its attempts, waiting for the call before included.
  std::chrono::milliseconds timeout{8'000};
  double requests_per_second = 20;
  double burst = 10;
  // After a call that failed with all its attempts, or for as long as the service asks: the next
  // ones fail at once, so that who has more to sign goes on with other work.
  std::chrono::milliseconds rest_after_failure{2'000};
};

class KmsKey {
 public:
  using Bytes = std::vector<std::uint8_t>;
  // The service has the scope "kms"; it outlives the key.
  KmsKey(KmsKeyOptions options, JsonService& kms);

  // The DER form of ECDSA_SHA_256's (r, s) over a digest that is signed as it is.
  //   the errors of JsonService::Call, and of the call before while the rest after it lasts;
  //   UNAVAILABLE AWS_UNAVAILABLE when the answer is not KMS's
  Task<Result<Bytes>> Sign(std::array<std::uint8_t, 32> digest);
  // DER, SubjectPublicKeyInfo. FAILED_PRECONDITION AWS_WRONG_KEY_TYPE unless it is a signing key on
  // secp256k1.
  Task<Result<Bytes>> PublicKey();

  const std::string& key_id() const { return options_.key_id; }

 private:
  Task<Result<std::string>> Call(std::string target, std::string body);

  const KmsKeyOptions options_;
  JsonService& kms_;
  runtime::AsyncMutex turn_;
  // Under turn_.
  TokenBucket bucket_;
  std::optional<Error> last_failure_;
  std::chrono::steady_clock::time_point rests_until_{};
};

}  // namespace paymesh::aws
