// Calls of an AWS service that speaks JSON 1.1 (KMS, Secrets Manager): signed, with a deadline, and
// tried again where that helps.
// Any thread; a call resumes on its caller's executor.
#pragma once

#include <chrono>
#include <string>

#include "common/aws/credential_cache.h"
#include "common/http/client.h"
#include "common/runtime/backoff.h"
#include "common/runtime/clock.h"
#include "common/runtime/ids.h"

namespace paymesh::aws {

struct JsonServiceOptions {
  Scope scope;
  std::string endpoint;                              // without a path; see IsSafeEndpoint
  std::chrono::milliseconds attempt_timeout{2'500};  // of one attempt
  int max_attempts = 4;
  runtime::Backoff backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(2'000)};
};

class JsonService {
 public:
  // All outlive the service.
  JsonService(JsonServiceOptions options, http::Client& client, CredentialCache& credentials,
              const runtime::Clock& clock, runtime::RandomSource& random)
      : options_(std::move(options)),
        client_(client),
        credentials_(credentials),
        clock_(clock),
        random_(random) {}

  // `target`: "TrentService.Sign". Gives the answer's body. Only for calls that may be repeated.
  // Throttling, 5xx, no answer and expired credentials are tried again with growing, random pauses,
  // or after as long as Retry-After says, while attempts and time are left.
  //   UNAVAILABLE AWS_THROTTLED        retry_after where the service names it
  //   UNAVAILABLE AWS_UNAVAILABLE      no answer, 5xx, or an answer that is too large
  //   PERMISSION_DENIED AWS_REFUSED    any other 4xx; metadata "error" is its name
  //   the errors of CredentialCache::Get
  Task<Result<std::string>> Call(std::string target, std::string body,
                                 std::chrono::steady_clock::time_point deadline);

 private:
  struct Attempt;
  Task<Attempt> Try(const std::string& target, const std::string& body,
                    std::chrono::steady_clock::time_point deadline);

  const JsonServiceOptions options_;
  http::Client& client_;
  CredentialCache& credentials_;
  const runtime::Clock& clock_;
  runtime::RandomSource& random_;
};

}  // namespace paymesh::aws
