#include "common/money/decimal.h"

#include <optional>
#include <utility>

namespace paymesh {
namespace {

constexpr std::size_t kMaxDecimalText = U256::kMaxDecimalDigits + 1;  // and the point

Error BadDecimal(std::string why) {
  return Error::InvalidArgument("INVALID_DECIMAL", std::move(why));
}

bool AllDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<Decimal> ParseDecimal(std::string_view text) {
  if (text.size() > kMaxDecimalText) return BadDecimal("is too long");
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
  if (!AllDigits(whole) || (point != std::string_view::npos && !AllDigits(fraction))) {
    return BadDecimal("needs digits, and digits behind the point if there is one");
  }
  if (whole.size() > 1 && whole.front() == '0') return BadDecimal("has a leading zero");
  while (fraction.ends_with('0')) fraction.remove_suffix(1);

  std::string digits = std::string(whole).append(fraction);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const Result<U256> value = U256::FromDecimal(digits);
  if (!value.ok()) return BadDecimal(value.error().message);
  return Decimal{*value, static_cast<unsigned>(fraction.size())};
}

Result<U256> ParseMajor(std::string_view text, unsigned exponent) {
  ASSIGN_OR_RETURN(const Decimal decimal, ParseDecimal(text));
  if (decimal.scale > exponent) {
    return Error::InvalidArgument("TOO_MANY_DECIMALS", "has more than " + std::to_string(exponent) +
                                                           " digits behind the point");
  }
  const std::optional<U256> factor = U256::PowerOfTen(exponent - decimal.scale);
  const std::optional<U256> value = factor ? CheckedMul(decimal.digits, *factor) : std::nullopt;
  if (!value) return Error::InvalidArgument("AMOUNT_OVERFLOW", "is over 2^256 - 1 minor units");
  return *value;
}

std::string FormatMajor(const U256& value, unsigned exponent) {
  std::string digits = value.ToString();
  if (exponent == 0) return digits;
  if (digits.size() <= exponent) digits.insert(0, exponent + 1 - digits.size(), '0');
  digits.insert(digits.size() - exponent, 1, '.');
  return digits;
}

}  // namespace paymesh
