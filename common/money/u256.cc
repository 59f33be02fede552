#include "common/money/u256.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/base/hex.h"

namespace paymesh {
namespace {

using Word = std::uint64_t;
__extension__ typedef unsigned __int128 DoubleWord;

constexpr Word Low(DoubleWord value) { return static_cast<Word>(value); }
constexpr Word High(DoubleWord value) { return static_cast<Word>(value >> 64); }

using Limbs = std::array<Word, 4>;
using WideLimbs = std::array<Word, 8>;

WideLimbs WideMul(const Limbs& a, const Limbs& b) {
  WideLimbs product{};
  for (std::size_t i = 0; i < 4; ++i) {
    Word carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const DoubleWord sum = DoubleWord{a[i]} * b[j] + product[i + j] + carry;
      product[i + j] = Low(sum);
      carry = High(sum);
    }
    product[i + 4] = carry;
  }
  return product;
}

struct WideQuotient {
  WideLimbs quotient{};
  Limbs remainder{};
};

WideQuotient DivByWord(const WideLimbs& numerator, Word divisor) {
  WideQuotient result;
  Word remainder = 0;
  for (std::size_t i = 8; i-- > 0;) {
    const DoubleWord part = (DoubleWord{remainder} << 64) | numerator[i];
    result.quotient[i] = Low(part / divisor);
    remainder = Low(part % divisor);
  }
  result.remainder[0] = remainder;
  return result;
}

// The digit q of one step of long division: top three words of the rest over the top two of the
// divisor. At most one too large (Knuth, TAOCP 4.3.1, algorithm D, step D3).
Word EstimateDigit(Word top, Word middle, Word low, Word divisor_top, Word divisor_next) {
  const DoubleWord head = (DoubleWord{top} << 64) | middle;
  DoubleWord digit = head / divisor_top;
  DoubleWord rest = head % divisor_top;
  while (High(digit) != 0 || DoubleWord{Low(digit)} * divisor_next > ((rest << 64) | low)) {
    --digit;
    rest += divisor_top;
    if (High(rest) != 0) break;
  }
  return Low(digit);
}

// rest[at ..] -= digit * divisor; true when that went below zero.
bool SubtractMultiple(std::array<Word, 9>& rest, std::size_t at, const Limbs& divisor,
                      std::size_t size, Word digit) {
  Word carry = 0;
  Word borrow = 0;
  for (std::size_t i = 0; i <= size; ++i) {
    const DoubleWord product = i < size ? DoubleWord{digit} * divisor[i] + carry : carry;
    carry = High(product);
    const DoubleWord difference = DoubleWord{rest[at + i]} - Low(product) - borrow;
    rest[at + i] = Low(difference);
    borrow = High(difference) != 0 ? 1 : 0;
  }
  return borrow != 0;
}

void AddBack(std::array<Word, 9>& rest, std::size_t at, const Limbs& divisor, std::size_t size) {
  Word carry = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const DoubleWord sum = DoubleWord{rest[at + i]} + divisor[i] + carry;
    rest[at + i] = Low(sum);
    carry = High(sum);
  }
  rest[at + size] += carry;
}

// Long division with 64-bit digits (Knuth, TAOCP 4.3.1, algorithm D). `divisor` is not zero.
WideQuotient Divide(const WideLimbs& numerator, const Limbs& divisor) {
  std::size_t size = 4;
  while (divisor[size - 1] == 0) --size;
  if (size == 1) return DivByWord(numerator, divisor[0]);

  // Shift both so that the divisor's top bit is set: the estimates are good only then.
  const int shift = std::countl_zero(divisor[size - 1]);
  const auto shifted = [shift](Word word, Word below) {
    return shift == 0 ? word : (word << shift) | (below >> (64 - shift));
  };
  Limbs normal{};
  for (std::size_t i = 0; i < size; ++i) normal[i] = shifted(divisor[i], i ? divisor[i - 1] : 0);
  std::array<Word, 9> rest{};
  for (std::size_t i = 0; i < 8; ++i) rest[i] = shifted(numerator[i], i ? numerator[i - 1] : 0);
  rest[8] = shifted(0, numerator[7]);

  WideQuotient result;
  for (std::size_t at = 8 - size + 1; at-- > 0;) {
    Word digit = EstimateDigit(rest[at + size], rest[at + size - 1], rest[at + size - 2],
                               normal[size - 1], normal[size - 2]);
    if (SubtractMultiple(rest, at, normal, size, digit)) {
      --digit;
      AddBack(rest, at, normal, size);
    }
    result.quotient[at] = digit;
  }
  for (std::size_t i = 0; i < size; ++i) {
    result.remainder[i] = shift == 0 ? rest[i] : (rest[i] >> shift) | (rest[i + 1] << (64 - shift));
  }
  return result;
}

WideLimbs Widen(const Limbs& limbs) {
  WideLimbs wide{};
  std::copy(limbs.begin(), limbs.end(), wide.begin());
  return wide;
}

std::optional<U256> Narrow(const WideLimbs& wide) {
  if ((wide[4] | wide[5] | wide[6] | wide[7]) != 0) return std::nullopt;
  return U256(Limbs{wide[0], wide[1], wide[2], wide[3]});
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

// 10^19 is the largest power of ten in a limb.
constexpr Word kTenTo19 = 10'000'000'000'000'000'000ULL;

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

std::string U256::ToString() const {
  std::string reversed;
  WideLimbs rest = Widen(limbs_);
  do {
    const WideQuotient step = DivByWord(rest, kTenTo19);
    rest = step.quotient;
    const bool last = rest == WideLimbs{};
    Word part = step.remainder[0];
    for (int i = 0; last ? part != 0 : i < 19; ++i, part /= 10) {
      reversed.push_back(static_cast<char>('0' + part % 10));
    }
  } while (rest != WideLimbs{});
  if (reversed.empty()) reversed = "0";
  return {reversed.rbegin(), reversed.rend()};
}

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

std::optional<U256> CheckedMul(const U256& a, const U256& b) {
  return Narrow(WideMul(a.limbs(), b.limbs()));
}

U256 SaturatingSub(const U256& a, const U256& b) { return CheckedSub(a, b).value_or(U256()); }

std::optional<QuotientRemainder> DivMod(const U256& a, const U256& b) {
  if (b.IsZero()) return std::nullopt;
  const WideQuotient result = Divide(Widen(a.limbs()), b.limbs());
  return QuotientRemainder{*Narrow(result.quotient), U256(result.remainder)};
}

std::optional<U256> MulDiv(const U256& a, const U256& b, const U256& c, Rounding rounding) {
  if (c.IsZero()) return std::nullopt;
  const WideQuotient result = Divide(WideMul(a.limbs(), b.limbs()), c.limbs());
  const std::optional<U256> quotient = Narrow(result.quotient);
  if (!quotient) return std::nullopt;
  const bool odd = (quotient->limbs()[0] & 1) != 0;
  if (!RoundsUp(U256(result.remainder), c, odd, rounding)) return quotient;
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
