// What all served calls of a process share: executor, authorisation, limits, metrics, logs. Made
// once at start; server.h runs each call through it. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/rpc/identity.h"
#include "common/rpc/server/authorization.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"
#include "common/trace/tracer.h"

namespace grpc {
class ServerContextBase;
}

namespace paymesh::rpc {

// The edge's API keys. Implemented by the service that owns them.
class ApiKeyAuthenticator {
 public:
  virtual ~ApiKeyAuthenticator() = default;
  // The id of the merchant whose key this is, or UNAUTHENTICATED API_KEY_INVALID.
  virtual Task<Result<std::string>> Authenticate(std::string key) = 0;
};

struct CallLimits {
  std::size_t max_unary_in_flight = 2'048;  // beyond: UNAVAILABLE OVERLOADED with RetryInfo
  std::size_t max_streams = 1'000;
  std::chrono::milliseconds default_deadline{10'000};  // of a unary call that has none
  std::chrono::milliseconds max_deadline{30'000};      // of any unary call; streams are exempt
  std::chrono::milliseconds overload_retry_after{200};
};

struct CallRunnerOptions {
  runtime::Executor executor;
  std::string domain;  // of errors: "checkout.paymesh.dev"
  std::shared_ptr<const Identities> identities;
  std::shared_ptr<const Authorizer> authorizer;
  std::function<ApiKeyAuthenticator*()> authenticator = {};  // asked at each call of the edge
  runtime::Logger* log = nullptr;
  runtime::Metrics* metrics = nullptr;
  trace::Tracer* tracer = nullptr;  // null: nothing is recorded
  CallLimits limits = {};
  // For tests without TLS: says who calls instead of the certificate.
  std::function<Result<Principal>(const grpc::ServerContextBase&)> identify = {};
};

class CallRunner {
 public:
  explicit CallRunner(CallRunnerOptions options);
  ~CallRunner();
  CallRunner(const CallRunner&) = delete;
  CallRunner& operator=(const CallRunner&) = delete;

  // Set by the host between reading the configuration and serving.
  void SetAuthorizer(std::shared_ptr<const Authorizer> authorizer);

  // For drain: refuses new streams and cancels those that run, which end UNAVAILABLE SHUTTING_DOWN,
  // so that their readers go to another replica. Unary calls are left to finish.
  void CancelStreams();

  std::size_t unary_in_flight() const;
  std::size_t streams() const;

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace paymesh::rpc
