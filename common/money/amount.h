// A sum of money: a unit and a count of its minor units. Amounts of different units never mix.
// Immutable values; any thread.
#pragma once

#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/u256.h"
#include "common/money/unit.h"

namespace paymesh {

struct Amount {
  Unit unit;
  U256 value;

  // Both in the form on the wire. INVALID_UNIT, INVALID_AMOUNT.
  static Result<Amount> Parse(std::string_view unit, std::string_view value);
  static Amount Zero(Unit unit) { return Amount{std::move(unit), U256()}; }

  bool IsZero() const { return value.IsZero(); }
  std::string ToString() const;  // "1250 iso4217/EUR", for logs
  friend bool operator==(const Amount&, const Amount&) = default;
};

// UNIT_MISMATCH, AMOUNT_OVERFLOW (sum over 2^256 - 1), AMOUNT_UNDERFLOW (difference below zero).
Result<Amount> Add(const Amount& a, const Amount& b);
Result<Amount> Sub(const Amount& a, const Amount& b);

}  // namespace paymesh
