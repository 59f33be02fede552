// Exchange rates between currencies: what is configured, what feeds say, inverses, and one
// crossing. A snapshot, immutable once built; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/money/rate.h"
#include "common/runtime/clock.h"

namespace paymesh::routing {

using runtime::Time;

// One source's price: major units of `quote` for one major unit of `base`.
struct RateEntry {
  std::string base;    // ISO 4217
  std::string quote;   // ISO 4217
  Rate rate;           // between major units
  std::string source;  // "static", "peg", or "feed:" and a CAIP-10 account
  Time observe_time;
  // After this the entry is not used; none: for ever.
  std::optional<Time> valid_until = std::nullopt;
};

// A rate between minor units of two concrete units, ready for use.
struct UsableRate {
  Rate rate;
  std::string source;
  Time observe_time;
};

class RateTable {
 public:
  // Of two entries for one pair the earlier in the list wins while it is valid, so feeds are listed
  // before static prices.
  explicit RateTable(std::vector<RateEntry> entries = {}) : entries_(std::move(entries)) {}

  // From `base_exponent` digits of one currency to `quote_exponent` digits of another: the pair,
  // its inverse, or one crossing through a third currency, in this order; the first listed crossing
  // wins, so that the same table always answers alike. FAILED_PRECONDITION RATE_UNAVAILABLE.
  Result<UsableRate> Find(std::string_view base, unsigned base_exponent, std::string_view quote,
                          unsigned quote_exponent, Time now) const;

  const std::vector<RateEntry>& entries() const { return entries_; }

 private:
  std::optional<UsableRate> FindMajor(std::string_view base, std::string_view quote,
                                      Time now) const;
  std::vector<RateEntry> entries_;
};

}  // namespace paymesh::routing
