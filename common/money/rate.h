// Exchange rates as ratios of integers, and the few operations that turn one amount into another.
// Nothing here is floating point; whatever rounds takes its Rounding by name.
// Immutable values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/amount.h"
#include "common/money/rounding.h"
#include "common/money/u256.h"

namespace paymesh {

// Minor units of the quote for one minor unit of the base: numerator / denominator, in lowest
// terms, neither zero.
class Rate {
 public:
  // INVALID_RATE when either is zero.
  static Result<Rate> Create(const U256& numerator, const U256& denominator);
  // A price in major units ("1.0834" USD for one EUR) and the exponents of both units (2 and 6 for
  // EUR cents and a 6-decimal token). Exact. INVALID_RATE for zero or a malformed price.
  static Result<Rate> FromPrice(std::string_view price, unsigned base_exponent,
                                unsigned quote_exponent);
  // The same of an integer price with `scale` decimals, as on-chain feeds give it.
  static Result<Rate> FromScaledPrice(const U256& price, unsigned scale, unsigned base_exponent,
                                      unsigned quote_exponent);

  const U256& numerator() const { return numerator_; }
  const U256& denominator() const { return denominator_; }
  Rate Inverse() const { return Rate(denominator_, numerator_); }
  std::string ToString() const;  // "5417/50", for logs
  friend bool operator==(const Rate&, const Rate&) = default;

 private:
  Rate(const U256& numerator, const U256& denominator)
      : numerator_(numerator), denominator_(denominator) {}
  U256 numerator_;
  U256 denominator_;
};

// a to b, then b to c, gives a to c, exactly. RATE_OVERFLOW when the ratio outgrows 256 bits.
Result<Rate> Compose(const Rate& first, const Rate& second);

// AMOUNT_OVERFLOW when the result outgrows 256 bits.
Result<U256> Convert(const U256& value, const Rate& rate, Rounding rounding);
Result<Amount> Convert(const Amount& amount, const Rate& rate, const Unit& quote,
                       Rounding rounding);

// One basis point is a hundredth of a percent; 10,000 are the whole.
inline constexpr std::uint32_t kBasisPointsOfOne = 10'000;
// value * basis_points / 10,000. More than 10,000 is allowed (a gross-up). AMOUNT_OVERFLOW.
Result<U256> BasisPointsOf(const U256& value, std::uint32_t basis_points, Rounding rounding);
Result<Amount> BasisPointsOf(const Amount& amount, std::uint32_t basis_points, Rounding rounding);

}  // namespace paymesh
