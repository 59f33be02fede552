// Checkout's own keys of the configuration. Immutable after start; any thread.
#pragma once

#include <chrono>
#include <cstddef>

#include "common/config/config.h"
#include "services/checkout/domain/machine.h"

namespace paymesh::checkout {

struct Config {
  Rules rules;
  std::chrono::seconds default_time_to_live{900};
  std::size_t max_batch = 256;  // payments created by one commit; at most 500 (Decide)
  int batches_in_flight = 2;    // one may talk to peers while the other commits
  std::chrono::milliseconds peer_timeout{3'000};
  std::chrono::milliseconds expiry_interval{500};
  std::chrono::milliseconds registration_interval{1'000};
  std::chrono::seconds defer_after{30};  // past the deadline and grace: then EXPIRY_DEFERRED shows
  std::chrono::milliseconds api_key_cache{
      2'000};  // how long a revoked key may still work elsewhere
  std::chrono::milliseconds audit_interval{60'000};
  std::chrono::seconds request_retention{30 * 24 * 3600};  // of answers to request ids
};

Config ReadConfig(const runtime::ConfigNode& root);

}  // namespace paymesh::checkout
