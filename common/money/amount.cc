#include "common/money/amount.h"

#include <optional>
#include <utility>

namespace paymesh {
namespace {

Error Mismatch(const Amount& a, const Amount& b) {
  return Error::InvalidArgument("UNIT_MISMATCH", "amounts of " + a.unit.ToString() + " and " +
                                                     b.unit.ToString() + " do not add up");
}

}  // namespace

Result<Amount> Amount::Parse(std::string_view unit, std::string_view value) {
  ASSIGN_OR_RETURN(Unit parsed_unit, Unit::Parse(unit));
  ASSIGN_OR_RETURN(const U256 parsed_value, U256::FromDecimal(value));
  return Amount{std::move(parsed_unit), parsed_value};
}

std::string Amount::ToString() const { return value.ToString() + " " + unit.ToString(); }

Result<Amount> Add(const Amount& a, const Amount& b) {
  if (a.unit != b.unit) return Mismatch(a, b);
  const std::optional<U256> sum = CheckedAdd(a.value, b.value);
  if (!sum) return Error::InvalidArgument("AMOUNT_OVERFLOW", "the sum is over 2^256 - 1");
  return Amount{a.unit, *sum};
}

Result<Amount> Sub(const Amount& a, const Amount& b) {
  if (a.unit != b.unit) return Mismatch(a, b);
  const std::optional<U256> difference = CheckedSub(a.value, b.value);
  if (!difference) return Error::InvalidArgument("AMOUNT_UNDERFLOW", "the difference is negative");
  return Amount{a.unit, *difference};
}

}  // namespace paymesh
