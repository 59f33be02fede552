#include "services/routing/config.h"

#include "common/money/unit.h"

namespace paymesh::routing {
namespace {

using std::chrono::milliseconds;

std::string Currency(const runtime::ConfigNode& node, std::string_view key) {
  auto currency = node.Required<std::string>(key);
  if (!currency.empty() && !CurrencyExponent(currency)) {
    node.AddError(key, "must be a currency of ISO 4217");
  }
  return currency;
}

}  // namespace

Config ReadConfig(const runtime::ConfigNode& root) {
  Config config;
  const auto rates = root.Child("rates");
  for (const auto& node : rates.List("static")) {
    StaticRate rate{Currency(node, "base"), Currency(node, "quote"),
                    node.Required<std::string>("price")};
    if (!rate.price.empty() && !Rate::FromPrice(rate.price, 0, 0).ok()) {
      node.AddError("price", "must be a decimal above zero");
    }
    config.static_rates.push_back(std::move(rate));
  }
  for (const auto& node : rates.List("feeds")) {
    const auto base = Currency(node, "base");
    const auto quote = Currency(node, "quote");
    const auto chain = node.Required<std::string>("chain");
    const auto address = node.Required<std::string>("address");
    const auto max_age = node.Required<milliseconds>("max_age");
    auto account = AccountId::Parse(chain + ":" + address);
    if (!account.ok()) {
      if (!chain.empty() && !address.empty()) node.AddError("address", account.error().message);
      continue;
    }
    config.feeds.push_back({base, quote, *account, max_age});
  }
  const auto limits = root.Child("limits");
  config.limits.max_observation_age =
      limits.Optional<milliseconds>("max_observation_age", config.limits.max_observation_age);
  config.limits.max_lag_blocks =
      limits.Optional<std::uint64_t>("max_lag_blocks", config.limits.max_lag_blocks);
  config.limits.quote_validity =
      limits.Optional<milliseconds>("quote_validity", config.limits.quote_validity);
  config.poll_interval = root.Optional<milliseconds>("poll_interval", config.poll_interval);
  config.feed_interval = root.Optional<milliseconds>("feed_interval", config.feed_interval);
  return config;
}

}  // namespace paymesh::routing
