// Amounts as people write them ("12.50"), and back. Exact: what does not fit the exponent is
// refused, never rounded.
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/u256.h"

namespace paymesh {

// Tokens have up to 24 decimals in practice; 77 is the most that 256 bits can scale by.
inline constexpr unsigned kMaxExponent = 77;

// digits / 10^scale, the shortest form.
struct Decimal {
  U256 digits;
  unsigned scale;
};

// ^(0|[1-9][0-9]*)(\.[0-9]+)?$ of at most 79 characters. INVALID_DECIMAL otherwise.
Result<Decimal> ParseDecimal(std::string_view text);

// "12.5" with exponent 2 is 1250. INVALID_DECIMAL, TOO_MANY_DECIMALS, AMOUNT_OVERFLOW.
Result<U256> ParseMajor(std::string_view text, unsigned exponent);

// 1250 with exponent 2 is "12.50": always `exponent` digits after the point.
std::string FormatMajor(const U256& value, unsigned exponent);

}  // namespace paymesh
