#include "services/checkout/usecases/option_cache.h"

#include <algorithm>

namespace paymesh::checkout {

std::optional<U256> PeggedDue(const Amount& price, const runtime::TokenConfig& token) {
  const std::optional<unsigned> exponent = price.unit.exponent();
  if (!price.unit.IsFiat() || !exponent || price.unit.currency() != token.currency) {
    return std::nullopt;
  }
  if (token.decimals < *exponent) return std::nullopt;
  const std::optional<U256> scale = U256::PowerOfTen(token.decimals - *exponent);
  return scale ? CheckedMul(price.value, *scale) : std::nullopt;
}

void OptionCache::Remember(const DecisionFacts& facts, const Decision& decision) {
  Entry entry{.options = {}, .valid_until = decision.quote_expire_time};
  for (const Option& option : decision.options) {
    const auto& asset = option.due.unit.asset();
    const runtime::TokenConfig* token = asset ? chains_.FindToken(*asset) : nullptr;
    if (token == nullptr || PeggedDue(facts.price, *token) != option.due.value) continue;
    entry.options.push_back(option);
  }
  std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaxEntries) entries_.clear();
  entries_.insert_or_assign(Key{facts.merchant_id, facts.price.unit.ToString()}, std::move(entry));
}

std::optional<Decision> OptionCache::Recall(const DecisionFacts& facts, Time now) const {
  Decision decision;
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(Key{facts.merchant_id, facts.price.unit.ToString()});
    if (found == entries_.end() || now >= found->second.valid_until) return std::nullopt;
    decision.options = found->second.options;
    decision.quote_expire_time = found->second.valid_until;
  }
  std::erase_if(decision.options, [&](Option& option) {
    const auto& asset = option.due.unit.asset();
    const runtime::TokenConfig* token = asset ? chains_.FindToken(*asset) : nullptr;
    const std::optional<U256> due =
        token == nullptr ? std::nullopt : PeggedDue(facts.price, *token);
    if (!due) return true;
    option.due.value = *due;
    option.reasons.push_back("LAST_KNOWN_OPTIONS");
    return false;
  });
  if (decision.options.empty()) return std::nullopt;
  return decision;
}

}  // namespace paymesh::checkout
