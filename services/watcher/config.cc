#include "services/watcher/config.h"

namespace paymesh::watcher {
namespace {

using std::chrono::milliseconds;

milliseconds Positive(const runtime::ConfigNode& node, const char* key, milliseconds otherwise) {
  const milliseconds value = node.Optional<milliseconds>(key, otherwise);
  if (value.count() <= 0) node.AddError(key, "must be above zero");
  return value;
}

std::uint64_t Between(const runtime::ConfigNode& node, const char* key, std::uint64_t otherwise,
                      std::uint64_t low, std::uint64_t high) {
  const std::uint64_t value = node.Optional<std::uint64_t>(key, otherwise);
  if (value < low || value > high) {
    node.AddError(key, "must be from " + std::to_string(low) + " to " + std::to_string(high));
    return otherwise;
  }
  return value;
}

}  // namespace

Config ReadConfig(const runtime::ConfigNode& root) {
  Config config;
  const runtime::ConfigNode node = root.Child("follow");
  config.poll_interval = Positive(node, "poll_interval", config.poll_interval);
  config.node_timeout = Positive(node, "node_timeout", config.node_timeout);
  config.unreachable_after = Positive(node, "unreachable_after", config.unreachable_after);
  config.lease_ttl = Positive(node, "lease_ttl", config.lease_ttl);
  config.invariants_interval = Positive(node, "invariants_interval", config.invariants_interval);
  const std::string match = node.Optional<std::string>("match", "watched");
  if (match == "all") {
    config.match = MatchMode::kAll;
  } else if (match != "watched") {
    node.AddError("match", "must be watched or all");
  }
  config.max_step_blocks = Between(node, "max_step_blocks", config.max_step_blocks, 1, 1'000);
  config.max_batch = Between(node, "max_batch", config.max_batch, 1, 1'000);
  config.missing_tag_factor = static_cast<std::uint32_t>(
      Between(node, "missing_tag_factor", config.missing_tag_factor, 1, 1'000));
  config.retained_blocks =
      Between(node, "retained_blocks", config.retained_blocks, 1'000, 1ULL << 40U);
  config.lookback_blocks = Between(node, "lookback_blocks", config.lookback_blocks, 2, 1'000);
  return config;
}

}  // namespace paymesh::watcher
