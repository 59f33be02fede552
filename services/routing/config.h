// Routing's own configuration: where rates come from and how fresh facts must be.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/money/caip.h"
#include "services/routing/domain/decision.h"

namespace paymesh::routing {

struct StaticRate {
  std::string base;
  std::string quote;
  std::string price;  // decimal, major units of quote for one of base
};

// A contract of Chainlink's AggregatorV3 shape.
struct FeedConfig {
  std::string base;
  std::string quote;
  AccountId account;
  std::chrono::milliseconds max_age{0};  // from its own updatedAt
};

struct Config {
  std::vector<StaticRate> static_rates;
  std::vector<FeedConfig> feeds;
  Limits limits;
  std::chrono::milliseconds poll_interval{1'000};
  std::chrono::milliseconds feed_interval{5'000};
};

// Problems stay in the node.
Config ReadConfig(const runtime::ConfigNode& root);

}  // namespace paymesh::routing
