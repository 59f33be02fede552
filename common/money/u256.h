// Unsigned 256-bit integer: an ERC-20 amount, an EVM word. Arithmetic is checked: an overflow is an
// empty optional, never a wrapped number.
// Immutable values; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/money/rounding.h"

namespace paymesh {

class U256 {
 public:
  static constexpr std::size_t kBytes = 32;
  static constexpr std::size_t kMaxDecimalDigits = 78;  // of 2^256 - 1

  constexpr U256() = default;
  constexpr explicit U256(std::uint64_t value) : limbs_{value, 0, 0, 0} {}
  // Least significant limb first.
  constexpr explicit U256(const std::array<std::uint64_t, 4>& limbs) : limbs_(limbs) {}

  static constexpr U256 Max() { return U256({~0ULL, ~0ULL, ~0ULL, ~0ULL}); }
  // 10^exponent; empty from 10^78 on.
  static std::optional<U256> PowerOfTen(unsigned exponent);

  // Exactly ^(0|[1-9][0-9]{0,77})$ and at most 2^256 - 1. INVALID_AMOUNT otherwise.
  static Result<U256> FromDecimal(std::string_view text);
  // "0x" and 1 to 64 hex digits, leading zeros allowed. INVALID_HEX otherwise.
  static Result<U256> FromHex(std::string_view text);
  // A JSON-RPC quantity: as FromHex, but "0x0" for zero and no leading zeros.
  static Result<U256> FromQuantity(std::string_view text);
  // Big-endian, at most 32 bytes, leading zeros allowed; no bytes are zero.
  static Result<U256> FromBytes(std::span<const std::uint8_t> big_endian);
  static U256 FromBigEndian(std::span<const std::uint8_t, kBytes> big_endian);

  std::string ToString() const;    // decimal, no leading zeros
  std::string ToQuantity() const;  // 0x-hex, no leading zeros
  std::array<std::uint8_t, kBytes> ToBigEndian() const;
  std::optional<std::uint64_t> ToUint64() const;

  const std::array<std::uint64_t, 4>& limbs() const { return limbs_; }
  constexpr bool IsZero() const { return (limbs_[0] | limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
  unsigned BitLength() const;  // 0 for zero

  friend constexpr bool operator==(const U256&, const U256&) = default;
  friend constexpr std::strong_ordering operator<=>(const U256& a, const U256& b) {
    for (std::size_t i = 4; i-- > 0;) {
      if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
    }
    return std::strong_ordering::equal;
  }

 private:
  std::array<std::uint64_t, 4> limbs_{};
};

std::optional<U256> CheckedAdd(const U256& a, const U256& b);
std::optional<U256> CheckedSub(const U256& a, const U256& b);  // empty when b > a
std::optional<U256> CheckedMul(const U256& a, const U256& b);
// a - b, or zero when b > a.
U256 SaturatingSub(const U256& a, const U256& b);

struct QuotientRemainder {
  U256 quotient;
  U256 remainder;
};
std::optional<QuotientRemainder> DivMod(const U256& a, const U256& b);  // empty when b is zero
// a * b / c with a product of 512 bits; empty when c is zero or the quotient has over 256 bits.
std::optional<U256> MulDiv(const U256& a, const U256& b, const U256& c, Rounding rounding);
// Greatest common divisor; Gcd(a, 0) = a.
U256 Gcd(U256 a, U256 b);

}  // namespace paymesh

template <>
struct std::hash<paymesh::U256> {
  std::size_t operator()(const paymesh::U256& value) const noexcept;
};
