// The last options of each merchant in each currency, for when routing is away: only tokens pegged
// to the currency of the price, at exactly one to one, so that nothing need be estimated. Any
// thread.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/chains.h"
#include "services/checkout/ports.h"

namespace paymesh::checkout {

class OptionCache {
 public:
  explicit OptionCache(const runtime::ChainsConfig& chains) : chains_(chains) {}

  void Remember(const DecisionFacts& facts, const Decision& decision);
  // Options for the price, while what they were taken from still holds; else nothing.
  std::optional<Decision> Recall(const DecisionFacts& facts, Time now) const;

 private:
  static constexpr std::size_t kMaxEntries = 10'000;  // merchants times currencies
  struct Entry {
    std::vector<Option> options;
    Time valid_until{};
  };
  using Key = std::pair<std::string, std::string>;  // merchant, unit of the price

  const runtime::ChainsConfig& chains_;
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
};

// What `price`, in a currency, is in a token that is pegged to it one to one; nothing where the
// token has too few decimals to say it exactly, or another currency.
std::optional<U256> PeggedDue(const Amount& price, const runtime::TokenConfig& token);

}  // namespace paymesh::checkout
