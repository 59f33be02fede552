#include "services/payctl/parse.h"

#include <charconv>

#include "common/money/decimal.h"

namespace paymesh::payctl {

Result<Amount> ParsePrice(std::string_view price, std::string_view currency) {
  const Result<Unit> unit = Unit::Fiat(currency);
  if (!unit.ok()) {
    return Error::InvalidField(
        "--currency", "\"" + std::string(currency) + "\" is no ISO 4217 code in capital letters");
  }
  const unsigned exponent = unit->exponent().value_or(0);
  const Result<U256> value = ParseMajor(price, exponent);
  // Zeros too: "1.250" euros may well be meant as 1250.
  const std::size_t point = price.find('.');
  const std::size_t decimals = point == std::string_view::npos ? 0 : price.size() - point - 1;
  const bool exact = value.ok() || value.error().reason == "TOO_MANY_DECIMALS";
  if (exact && decimals > exponent) {
    return Error::InvalidField("--price", std::string(currency) + " has " +
                                              std::to_string(exponent) + " decimals, \"" +
                                              std::string(price) + "\" has more");
  }
  if (value.ok()) return Amount{*unit, *value};
  return Error::InvalidField(
      "--price",
      "\"" + std::string(price) + "\" is no amount such as 12.50: " + value.error().message);
}

Result<Amount> ParseRawAmount(std::string_view unit, std::string_view value) {
  Result<Unit> parsed = Unit::Parse(unit);
  if (!parsed.ok()) return Error::InvalidField("--unit", parsed.error().message);
  Result<U256> count = U256::FromDecimal(value);
  if (!count.ok()) return Error::InvalidField("--value", count.error().message);
  return Amount{*std::move(parsed), *count};
}

Result<std::chrono::seconds> ParseDuration(std::string_view option, std::string_view text) {
  const Error bad = Error::InvalidField(std::string(option), "\"" + std::string(text) +
                                                                 "\" is no time such as 90s, 15m, "
                                                                 "24h or 7d");
  if (text.size() < 2) return bad;
  std::int64_t scale = 0;
  switch (text.back()) {
    case 's':
      scale = 1;
      break;
    case 'm':
      scale = 60;
      break;
    case 'h':
      scale = 3'600;
      break;
    case 'd':
      scale = 86'400;
      break;
    default:
      return bad;
  }
  std::int64_t count = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, code] = std::from_chars(text.data(), end, count);
  constexpr std::int64_t kMost = 1'000'000'000;  // far beyond any use, far below an overflow
  if (code != std::errc() || stop != end || count <= 0 || count > kMost) return bad;
  return std::chrono::seconds(count * scale);
}

Result<std::pair<std::string, std::string>> ParsePair(std::string_view option,
                                                      std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error::InvalidField(std::string(option),
                               "\"" + std::string(text) + "\" is not of the form key=value");
  }
  return std::pair{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<std::map<std::string, std::string>> ParsePairs(std::string_view option,
                                                      const std::vector<std::string>& texts) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(auto pair, ParsePair(option, text));
    if (!pairs.insert(pair).second) {
      return Error::InvalidField(std::string(option), "\"" + pair.first + "\" is given twice");
    }
  }
  return pairs;
}

}  // namespace paymesh::payctl
