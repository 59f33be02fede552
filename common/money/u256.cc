#include "common/money/u256.h"

#include <algorithm>
#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <utility>

#include "common/base/hex.h"

namespace paymesh {
namespace {

using Word = std::uint64_t;
__extension__ typedef unsigned __int128 DoubleWord;

constexpr Word Low(DoubleWord value) { return static_cast<Word>(value); }
constexpr Word High(DoubleWord value) { return static_cast<Word>(value >> 64); }

using Limbs = std::array<Word, 4>;
// Products and what is divided: 256 times 256 bits always fit, so nothing wraps.
using Wide = boost::multiprecision::uint512_t;

Wide Widen(const U256& value) {
  Wide wide;
  boost::multiprecision::import_bits(wide, value.limbs().begin(), value.limbs().end(), 64, false);
  return wide;
}

// Empty when the value has over 256 bits.
std::optional<U256> Narrow(const Wide& wide) {
  if ((wide >> 256) != 0) return std::nullopt;
  Limbs limbs{};
  boost::multiprecision::export_bits(wide, limbs.begin(), 64, false);
  return U256(limbs);
}

// Whether a quotient that left `remainder` goes to its upper neighbour.
bool RoundsUp(const U256& remainder, const U256& divisor, bool quotient_is_odd, Rounding rounding) {
  if (remainder.IsZero() || rounding == Rounding::kDown) return false;
  if (rounding == Rounding::kUp) return true;
  // Twice the remainder against the divisor, without overflow.
  const auto to_half = remainder <=> *CheckedSub(divisor, remainder);
  if (to_half != 0) return to_half > 0;
  return rounding == Rounding::kHalfUp || quotient_is_odd;
}

Error BadAmount(std::string why) {
  return Error::InvalidArgument("INVALID_AMOUNT", std::move(why));
}

// value = value * factor + addend; false on overflow.
bool MulAddWord(Limbs& value, Word factor, Word addend) {
  Word carry = addend;
  for (Word& limb : value) {
    const DoubleWord sum = DoubleWord{limb} * factor + carry;
    limb = Low(sum);
    carry = High(sum);
  }
  return carry == 0;
}

}  // namespace

std::optional<U256> U256::PowerOfTen(unsigned exponent) {
  Limbs power{1, 0, 0, 0};
  if (exponent >= kMaxDecimalDigits) return std::nullopt;
  for (unsigned i = 0; i < exponent; ++i) MulAddWord(power, 10, 0);
  return U256(power);
}

Result<U256> U256::FromDecimal(std::string_view text) {
  if (text.empty()) return BadAmount("is empty; a number in minor units is needed");
  if (text.size() > kMaxDecimalDigits) return BadAmount("has more than 78 digits");
  Limbs value{};
  for (const char c : text) {
    if (c < '0' || c > '9') return BadAmount("may hold the digits 0 to 9 only");
    if (!MulAddWord(value, 10, static_cast<Word>(c - '0'))) return BadAmount("is over 2^256 - 1");
  }
  if (text.size() > 1 && text.front() == '0') return BadAmount("has a leading zero");
  return U256(value);
}

Result<U256> U256::FromHex(std::string_view text) {
  if (!text.starts_with("0x") || text.size() < 3 || text.size() > 2 + 2 * kBytes) {
    return Error::InvalidArgument("INVALID_HEX", "needs 0x and 1 to 64 hex digits");
  }
  Limbs value{};
  for (const char c : text.substr(2)) {
    const int digit = HexValue(c);
    if (digit < 0) return Error::InvalidArgument("INVALID_HEX", "has a character that is not hex");
    MulAddWord(value, 16, static_cast<Word>(digit));
  }
  return U256(value);
}

Result<U256> U256::FromQuantity(std::string_view text) {
  if (text.size() > 3 && text.starts_with("0x0")) {
    return Error::InvalidArgument("INVALID_HEX", "a quantity has no leading zeros");
  }
  return FromHex(text);
}

Result<U256> U256::FromBytes(std::span<const std::uint8_t> big_endian) {
  if (big_endian.size() > kBytes) {
    return Error::InvalidArgument("INVALID_LENGTH", "a number has at most 32 bytes");
  }
  std::array<std::uint8_t, kBytes> padded{};
  std::copy(big_endian.begin(), big_endian.end(),
            padded.end() - static_cast<std::ptrdiff_t>(big_endian.size()));
  return FromBigEndian(padded);
}

U256 U256::FromBigEndian(std::span<const std::uint8_t, kBytes> big_endian) {
  Limbs limbs{};
  for (std::size_t i = 0; i < kBytes; ++i) {
    Word& limb = limbs[3 - i / 8];
    limb = (limb << 8) | big_endian[i];
  }
  return U256(limbs);
}

std::string U256::ToString() const { return Widen(*this).str(); }

std::string U256::ToQuantity() const {
  std::string text = "0x";
  for (std::size_t nibble = 64; nibble-- > 0;) {
    const Word digit = (limbs_[nibble / 16] >> (4 * (nibble % 16))) & 0xf;
    if (digit != 0 || text.size() > 2 || nibble == 0) text.push_back(kHexDigits[digit]);
  }
  return text;
}

std::array<std::uint8_t, U256::kBytes> U256::ToBigEndian() const {
  std::array<std::uint8_t, kBytes> bytes{};
  for (std::size_t i = 0; i < kBytes; ++i) {
    bytes[i] = static_cast<std::uint8_t>(limbs_[3 - i / 8] >> (8 * (7 - i % 8)));
  }
  return bytes;
}

std::optional<std::uint64_t> U256::ToUint64() const {
  if ((limbs_[1] | limbs_[2] | limbs_[3]) != 0) return std::nullopt;
  return limbs_[0];
}

unsigned U256::BitLength() const {
  for (unsigned i = 4; i-- > 0;) {
    if (limbs_[i] != 0) return 64 * i + static_cast<unsigned>(std::bit_width(limbs_[i]));
  }
  return 0;
}

std::optional<U256> CheckedAdd(const U256& a, const U256& b) {
  Limbs sum{};
  Word carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const DoubleWord part = DoubleWord{a.limbs()[i]} + b.limbs()[i] + carry;
    sum[i] = Low(part);
    carry = High(part);
  }
  if (carry != 0) return std::nullopt;
  return U256(sum);
}

std::optional<U256> CheckedSub(const U256& a, const U256& b) {
  if (b > a) return std::nullopt;
  Limbs difference{};
  Word borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const DoubleWord part = DoubleWord{a.limbs()[i]} - b.limbs()[i] - borrow;
    difference[i] = Low(part);
    borrow = High(part) != 0 ? 1 : 0;
  }
  return U256(difference);
}

std::optional<U256> CheckedMul(const U256& a, const U256& b) { return Narrow(Widen(a) * Widen(b)); }

U256 SaturatingSub(const U256& a, const U256& b) { return CheckedSub(a, b).value_or(U256()); }

std::optional<QuotientRemainder> DivMod(const U256& a, const U256& b) {
  if (b.IsZero()) return std::nullopt;
  Wide quotient;
  Wide remainder;
  boost::multiprecision::divide_qr(Widen(a), Widen(b), quotient, remainder);
  return QuotientRemainder{*Narrow(quotient), *Narrow(remainder)};
}

std::optional<U256> MulDiv(const U256& a, const U256& b, const U256& c, Rounding rounding) {
  if (c.IsZero()) return std::nullopt;
  const Wide product = Widen(a) * Widen(b);
  Wide wide_quotient;
  Wide remainder;
  boost::multiprecision::divide_qr(product, Widen(c), wide_quotient, remainder);
  const std::optional<U256> quotient = Narrow(wide_quotient);
  if (!quotient) return std::nullopt;
  const bool odd = (quotient->limbs()[0] & 1) != 0;
  if (!RoundsUp(*Narrow(remainder), c, odd, rounding)) return quotient;
  return CheckedAdd(*quotient, U256(1));
}

U256 Gcd(U256 a, U256 b) {
  while (!b.IsZero()) {
    a = DivMod(a, b)->remainder;
    std::swap(a, b);
  }
  return a;
}

}  // namespace paymesh

std::size_t std::hash<paymesh::U256>::operator()(const paymesh::U256& value) const noexcept {
  std::size_t result = 0;
  for (const std::uint64_t limb : value.limbs()) {
    result = (result ^ limb) * 0x9e3779b97f4a7c15ULL;  // Fibonacci hashing
    result ^= result >> 32;
  }
  return result;
}
