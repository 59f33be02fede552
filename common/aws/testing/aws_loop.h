// For tests: the parts that a call of AWS is made of, on one event loop, beside the server that
// plays AWS. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "common/aws/kms_key.h"
#include "common/aws/testing/fake_aws.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::aws {

struct AwsLoop {
  explicit AwsLoop(const char* curve = "secp256k1")
      : fake(clock, curve),
        credentials(
            ChooseCredentialSource({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", fake.agent_url()}},
                                   FakeAws::kRegion, client)
                .value(),
            clock),
        kms(ServiceOptions(), client, credentials, clock, random) {}

  JsonServiceOptions ServiceOptions() const {
    JsonServiceOptions options;
    options.scope = {FakeAws::kRegion, "kms"};
    options.endpoint = fake.url();
    options.attempt_timeout = std::chrono::milliseconds(500);
    options.backoff = {std::chrono::milliseconds(1), std::chrono::milliseconds(4)};
    return options;
  }
  static KmsKeyOptions KeyOptions(std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    KmsKeyOptions options;
    options.key_id = FakeAws::kKeyId;
    options.timeout = timeout;
    options.requests_per_second = 10'000;
    options.rest_after_failure = std::chrono::milliseconds(0);
    return options;
  }

  template <class T>
  T RunTask(Task<T> task) {
    auto future = runtime::StartOn(context.get_executor(), std::move(task));
    context.restart();
    context.run();
    return future.get();
  }

  runtime::FakeClock clock;
  runtime::SeededRandom random{7};
  FakeAws fake;
  boost::asio::io_context context;
  http::Client client;
  CredentialCache credentials;
  JsonService kms;
};

}  // namespace paymesh::aws
