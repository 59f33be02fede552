#include "services/checkout/config.h"

#include <string>

namespace paymesh::checkout {
namespace {
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kMaxBatch = 500;  // what one Decide takes

int InRange(const runtime::ConfigNode& node, const char* key, int otherwise, int most) {
  const int value = node.Optional<int>(key, otherwise);
  if (value >= 1 && value <= most) return value;
  node.AddError(key, "must be from 1 to " + std::to_string(most));
  return otherwise;
}

seconds WholeSeconds(const runtime::ConfigNode& node, const char* key, seconds otherwise) {
  const milliseconds value = node.Optional<milliseconds>(key, otherwise);
  if (value.count() % 1000 != 0) node.AddError(key, "must be whole seconds");
  return duration_cast<seconds>(value);
}

milliseconds Positive(const runtime::ConfigNode& node, const char* key, milliseconds otherwise) {
  const milliseconds value = node.Optional<milliseconds>(key, otherwise);
  if (value.count() <= 0) node.AddError(key, "must be above zero");
  return value;
}
}  // namespace

Config ReadConfig(const runtime::ConfigNode& root) {
  const runtime::ConfigNode node = root.Child("payments");
  Config config;
  config.rules.grace = WholeSeconds(node, "grace", config.rules.grace);
  config.rules.extension = WholeSeconds(node, "extension", config.rules.extension);
  config.rules.reversal_margin_blocks =
      static_cast<std::uint64_t>(InRange(node, "reversal_margin_blocks", 32, 1'000'000));
  config.default_time_to_live =
      WholeSeconds(node, "default_time_to_live", config.default_time_to_live);
  config.max_batch = static_cast<std::size_t>(InRange(node, "max_batch", 256, kMaxBatch));
  config.batches_in_flight = InRange(node, "batches_in_flight", config.batches_in_flight, 16);
  config.peer_timeout = Positive(node, "peer_timeout", config.peer_timeout);
  config.expiry_interval = Positive(node, "expiry_interval", config.expiry_interval);
  config.registration_interval =
      Positive(node, "registration_interval", config.registration_interval);
  config.defer_after = WholeSeconds(node, "defer_after", config.defer_after);
  config.api_key_cache = node.Optional<milliseconds>("api_key_cache", config.api_key_cache);
  config.request_retention = WholeSeconds(node, "request_retention", config.request_retention);
  config.audit_interval = Positive(node, "audit_interval", config.audit_interval);
  return config;
}

}  // namespace paymesh::checkout
