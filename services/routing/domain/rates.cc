#include "services/routing/domain/rates.h"

#include <algorithm>

#include "services/routing/reasons.h"

namespace paymesh::routing {
namespace {

// A peg has no age of its own: it is as fresh as the question.
UsableRate Peg(Time now) { return {*Rate::FromPrice("1", 0, 0), "peg", now}; }

}  // namespace

std::optional<UsableRate> RateTable::FindMajor(std::string_view base, std::string_view quote,
                                               Time now) const {
  for (const RateEntry& entry : entries_) {
    if (entry.valid_until && now > *entry.valid_until) continue;
    if (entry.base == base && entry.quote == quote) {
      return UsableRate{entry.rate, entry.source, entry.observe_time};
    }
    if (entry.base == quote && entry.quote == base) {
      return UsableRate{entry.rate.Inverse(), entry.source, entry.observe_time};
    }
  }
  return std::nullopt;
}

Result<UsableRate> RateTable::Find(std::string_view base, unsigned base_exponent,
                                   std::string_view quote, unsigned quote_exponent,
                                   Time now) const {
  std::optional<UsableRate> found;
  if (base == quote) found = Peg(now);
  if (!found) found = FindMajor(base, quote, now);
  for (auto entry = entries_.begin(); !found && entry != entries_.end(); ++entry) {
    const std::string* middle = nullptr;
    if (entry->base == base) middle = &entry->quote;
    if (entry->quote == base) middle = &entry->base;
    if (middle == nullptr) continue;
    auto first = FindMajor(base, *middle, now);
    auto second = FindMajor(*middle, quote, now);
    if (!first || !second) continue;
    auto crossed = Compose(first->rate, second->rate);
    if (!crossed.ok()) continue;
    found = UsableRate{*crossed, first->source + "+" + second->source,
                       std::min(first->observe_time, second->observe_time)};
  }
  if (!found) {
    Error error{ErrorCode::kFailedPrecondition, std::string(reasons::kRateUnavailable),
                "no fresh rate from " + std::string(base) + " to " + std::string(quote)};
    error.metadata = {{"base", std::string(base)}, {"quote", std::string(quote)}};
    return error;
  }
  // From major to minor units on both sides: one base minor unit is 10^-base_exponent major ones.
  ASSIGN_OR_RETURN(Rate scale, Rate::FromPrice("1", base_exponent, quote_exponent));
  ASSIGN_OR_RETURN(found->rate, Compose(found->rate, scale));
  return *found;
}

}  // namespace paymesh::routing
