#include "common/money/rate.h"

#include <optional>
#include <utility>

#include "common/money/decimal.h"

namespace paymesh {
namespace {

Error Overflow() {
  return Error::InvalidArgument("AMOUNT_OVERFLOW", "the result is over 2^256 - 1");
}

U256 Quotient(const U256& a, const U256& b) { return DivMod(a, b)->quotient; }

}  // namespace

Result<Rate> Rate::Create(const U256& numerator, const U256& denominator) {
  if (numerator.IsZero() || denominator.IsZero()) {
    return Error::InvalidArgument("INVALID_RATE", "a rate is a ratio of two positive numbers");
  }
  const U256 common = Gcd(numerator, denominator);
  return Rate(Quotient(numerator, common), Quotient(denominator, common));
}

Result<Rate> Rate::FromPrice(std::string_view price, unsigned base_exponent,
                             unsigned quote_exponent) {
  const Result<Decimal> decimal = ParseDecimal(price);
  if (!decimal.ok()) return Error::InvalidArgument("INVALID_RATE", decimal.error().message);
  return FromScaledPrice(decimal->digits, decimal->scale, base_exponent, quote_exponent);
}

Result<Rate> Rate::FromScaledPrice(const U256& price, unsigned scale, unsigned base_exponent,
                                   unsigned quote_exponent) {
  // price / 10^scale * 10^quote / 10^base, with the powers of ten cancelled first.
  if (scale > kMaxExponent || base_exponent > kMaxExponent || quote_exponent > kMaxExponent) {
    return Error::InvalidArgument("INVALID_RATE", "an exponent is above 77");
  }
  const unsigned below = scale + base_exponent;
  const bool grows = quote_exponent >= below;
  const std::optional<U256> power =
      U256::PowerOfTen(grows ? quote_exponent - below : below - quote_exponent);
  if (!power) return Error::InvalidArgument("INVALID_RATE", "the ratio is over 256 bits");
  if (!grows) return Create(price, *power);
  const std::optional<U256> numerator = CheckedMul(price, *power);
  if (!numerator) return Error::InvalidArgument("INVALID_RATE", "the ratio is over 256 bits");
  return Create(*numerator, U256(1));
}

std::string Rate::ToString() const { return numerator_.ToString() + "/" + denominator_.ToString(); }

Result<Rate> Compose(const Rate& first, const Rate& second) {
  // Cancel crosswise before multiplying: both factors are in lowest terms, so the product is too.
  const U256 left = Gcd(first.numerator(), second.denominator());
  const U256 right = Gcd(second.numerator(), first.denominator());
  const std::optional<U256> numerator =
      CheckedMul(Quotient(first.numerator(), left), Quotient(second.numerator(), right));
  const std::optional<U256> denominator =
      CheckedMul(Quotient(first.denominator(), right), Quotient(second.denominator(), left));
  if (!numerator || !denominator) {
    return Error::InvalidArgument("RATE_OVERFLOW", "the composed ratio is over 256 bits");
  }
  return Rate::Create(*numerator, *denominator);
}

Result<U256> Convert(const U256& value, const Rate& rate, Rounding rounding) {
  const std::optional<U256> result = MulDiv(value, rate.numerator(), rate.denominator(), rounding);
  if (!result) return Overflow();
  return *result;
}

Result<Amount> Convert(const Amount& amount, const Rate& rate, const Unit& quote,
                       Rounding rounding) {
  ASSIGN_OR_RETURN(const U256 value, Convert(amount.value, rate, rounding));
  return Amount{quote, value};
}

Result<U256> BasisPointsOf(const U256& value, std::uint32_t basis_points, Rounding rounding) {
  const std::optional<U256> result =
      MulDiv(value, U256(basis_points), U256(kBasisPointsOfOne), rounding);
  if (!result) return Overflow();
  return *result;
}

Result<Amount> BasisPointsOf(const Amount& amount, std::uint32_t basis_points, Rounding rounding) {
  ASSIGN_OR_RETURN(const U256 value, BasisPointsOf(amount.value, basis_points, rounding));
  return Amount{amount.unit, value};
}

}  // namespace paymesh
