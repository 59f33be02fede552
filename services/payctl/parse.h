// What people write on the command line, read exactly or refused. Pure; any thread.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/money/amount.h"

namespace paymesh::payctl {

// `--price 12.50 --currency EUR`: exact in the currency's minor units. INVALID_FIELD names the
// option: unknown currency, not a decimal, or more decimals than the currency has.
Result<Amount> ParsePrice(std::string_view price, std::string_view currency);

// `--unit U --value V`: both as on the wire.
Result<Amount> ParseRawAmount(std::string_view unit, std::string_view value);

// "15m", "90s", "24h", "7d": a whole number above zero and a unit.
Result<std::chrono::seconds> ParseDuration(std::string_view option, std::string_view text);

// "key=value": both sides as they are; the key not empty.
Result<std::pair<std::string, std::string>> ParsePair(std::string_view option,
                                                      std::string_view text);
Result<std::map<std::string, std::string>> ParsePairs(std::string_view option,
                                                      const std::vector<std::string>& texts);

}  // namespace paymesh::payctl
