// The watcher's own configuration, below the keys that all services have. Plain values.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/config/config.h"
#include "services/watcher/domain/match_mode.h"

namespace paymesh::watcher {

struct Config {
  std::chrono::milliseconds poll_interval{150};
  std::chrono::milliseconds node_timeout{5'000};
  std::chrono::milliseconds unreachable_after{5'000};
  std::chrono::milliseconds lease_ttl{6'000};
  std::chrono::milliseconds invariants_interval{60'000};
  MatchMode match = MatchMode::kWatched;
  std::size_t max_step_blocks = 64;
  std::size_t max_batch = 100;
  std::uint32_t missing_tag_factor = 4;
  std::uint64_t retained_blocks = 100'000;
  std::uint64_t lookback_blocks = 16;
};

// The map `follow`; everything in it is optional. Problems stay in the node.
Config ReadConfig(const runtime::ConfigNode& root);

}  // namespace paymesh::watcher
