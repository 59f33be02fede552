#include "common/money/u256.h"

#include <cryptopp/integer.h>
#include <cryptopp/misc.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_set>
#include <vector>

namespace paymesh {
namespace {

using Big = CryptoPP::Integer;  // the independent implementation to compare with

const char kMaxText[] =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";
const char kOneTooMany[] =
    "115792089237316195423570985008687907853269984665640564039457584007913129639936";

Big ToBig(const U256& value) { return Big(value.ToString().c_str()); }
std::string Text(const Big& value) { return CryptoPP::IntToString(value); }

// Numbers of every length, with runs of ones and zeros, which is where carries and estimates fail.
U256 RandomNumber(std::mt19937_64& random) {
  std::array<std::uint64_t, 4> limbs{};
  const auto used = random() % 5;
  for (std::size_t i = 0; i < used; ++i) {
    switch (random() % 4) {
      case 0:
        limbs[i] = ~0ULL;
        break;
      case 1:
        limbs[i] = 1ULL << (random() % 64);
        break;
      case 2:
        limbs[i] = 0;
        break;
      default:
        limbs[i] = random();
    }
  }
  return U256(limbs);
}

TEST(U256, WritesAndReadsDecimalsAcrossTheWholeRange) {
  for (const char* text : {"0", "1", "9", "10", "18446744073709551615", "18446744073709551616",
                           "9223372036854775807", "9223372036854775808", "10000000000000000000",
                           "340282366920938463463374607431768211456", kMaxText}) {
    const Result<U256> value = U256::FromDecimal(text);
    ASSERT_TRUE(value.ok()) << text;
    EXPECT_EQ(value->ToString(), text);
  }
  EXPECT_EQ(*U256::FromDecimal(kMaxText), U256::Max());
}

TEST(U256, RefusesEveryTextThatIsNotACanonicalAmount) {
  const std::vector<std::string> corpus = {"",
                                           " ",
                                           "-0",
                                           "+1",
                                           "-1",
                                           "00",
                                           "01",
                                           "1.",
                                           ".5",
                                           "0.0000001",
                                           "1e6",
                                           "1E+6",
                                           "0x10",
                                           "1_000",
                                           "1,000",
                                           "1 000",
                                           "NaN",
                                           "Infinity",
                                           "-Infinity",
                                           "1.0",
                                           "1\n",
                                           " 1",
                                           "1 ",
                                           std::string("1\0", 2),
                                           std::string("\0", 1),
                                           "\xd9\xa1\xd9\xa2\xd9\xa3",
                                           "\xef\xbc\x91\xef\xbc\x92",
                                           "1\xe2\x80\x8b",
                                           "\xe2\x88\x92"
                                           "1",
                                           kOneTooMany,
                                           "1" + std::string(78, '0'),
                                           "1" + std::string(1000, '0'),
                                           std::string(1 << 20, '9'),
                                           std::string(78, '9')};
  for (const std::string& text : corpus) {
    const Result<U256> value = U256::FromDecimal(text);
    ASSERT_FALSE(value.ok()) << text.substr(0, 90);
    EXPECT_EQ(value.error().reason, "INVALID_AMOUNT");
    EXPECT_FALSE(value.error().message.empty());
    EXPECT_LT(value.error().message.size(), 100u) << "an error must not repeat the input";
  }
}

TEST(U256, AgreesWithAnIndependentImplementation) {
  std::mt19937_64 random(7);
  const Big limit = Big::One() << 256;
  for (int i = 0; i < 20'000; ++i) {
    const U256 a = RandomNumber(random);
    const U256 b = RandomNumber(random);
    const U256 c = RandomNumber(random);
    const Big big_a = ToBig(a), big_b = ToBig(b), big_c = ToBig(c);
    const auto check = [&](const std::optional<U256>& got, const Big& want) {
      const bool fits = !want.IsNegative() && want < limit;
      ASSERT_EQ(got.has_value(), fits) << a.ToString() << " " << b.ToString();
      if (fits) {
        ASSERT_EQ(got->ToString(), Text(want));
      }
    };
    check(CheckedAdd(a, b), big_a + big_b);
    check(CheckedSub(a, b), big_a - big_b);
    check(CheckedMul(a, b), big_a * big_b);
    EXPECT_EQ(a < b, big_a < big_b);
    EXPECT_EQ(Gcd(a, b).ToString(), Text(Big::Gcd(big_a, big_b)));
    if (!b.IsZero()) {
      EXPECT_EQ(DivMod(a, b)->quotient.ToString(), Text(big_a / big_b));
      EXPECT_EQ(DivMod(a, b)->remainder.ToString(), Text(big_a % big_b));
    }
    if (c.IsZero()) {
      EXPECT_FALSE(MulDiv(a, b, c, Rounding::kDown));
      continue;
    }
    const Big floor = big_a * big_b / big_c;
    const Big twice_rest = big_a * big_b % big_c * Big::Two();
    check(MulDiv(a, b, c, Rounding::kDown), floor);
    check(MulDiv(a, b, c, Rounding::kUp), !twice_rest.IsZero() ? floor + Big::One() : floor);
    check(MulDiv(a, b, c, Rounding::kHalfUp), twice_rest >= big_c ? floor + Big::One() : floor);
    const bool up = twice_rest > big_c || (twice_rest == big_c && floor.IsOdd());
    check(MulDiv(a, b, c, Rounding::kHalfEven), up ? floor + Big::One() : floor);
  }
}

TEST(U256, RoundsTiesAsTheNameSays) {
  const auto half_of = [](std::uint64_t value, Rounding rounding) {
    return MulDiv(U256(value), U256(1), U256(2), rounding)->ToString();
  };
  EXPECT_EQ(half_of(5, Rounding::kDown), "2");
  EXPECT_EQ(half_of(5, Rounding::kUp), "3");
  EXPECT_EQ(half_of(5, Rounding::kHalfUp), "3");
  EXPECT_EQ(half_of(5, Rounding::kHalfEven), "2");
  EXPECT_EQ(half_of(7, Rounding::kHalfEven), "4");
}

TEST(U256, ReportsARoundingThatLeavesTheRange) {
  // (2^256 - 1)^2 / (2^256 - 1) fits; with a fraction on top it must not wrap to zero.
  EXPECT_EQ(MulDiv(U256::Max(), U256::Max(), U256::Max(), Rounding::kUp), U256::Max());
  const U256 near_max = *CheckedSub(U256::Max(), U256(1));
  EXPECT_FALSE(MulDiv(U256::Max(), U256::Max(), near_max, Rounding::kDown));
}

TEST(U256, ReadsHexAndQuantities) {
  EXPECT_EQ(U256::FromHex("0x00ff")->ToString(), "255");
  EXPECT_EQ(U256::FromHex("0xFf")->ToString(), "255");
  EXPECT_EQ(U256::FromQuantity("0x0")->ToString(), "0");
  EXPECT_EQ(U256::FromQuantity("0x1f")->ToQuantity(), "0x1f");
  EXPECT_EQ(U256().ToQuantity(), "0x0");
  EXPECT_EQ(U256::FromHex("0x" + std::string(64, 'f')).value(), U256::Max());
  for (const char* text : {"", "0x", "1f", "0X1f", "0xg", "0x 1", "0x-1"}) {
    EXPECT_FALSE(U256::FromHex(text).ok()) << text;
  }
  EXPECT_FALSE(U256::FromHex("0x1" + std::string(64, '0')).ok());
  for (const char* text : {"0x", "0x00", "0x0a", "10"}) {
    EXPECT_FALSE(U256::FromQuantity(text).ok()) << text;
  }
}

TEST(U256, TravelsThroughBigEndianBytes) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 1'000; ++i) {
    const U256 value = RandomNumber(random);
    EXPECT_EQ(U256::FromBigEndian(value.ToBigEndian()), value);
    EXPECT_EQ(U256::FromHex(value.ToQuantity()).value(), value);
    EXPECT_EQ(value.BitLength(), value.IsZero() ? 0 : ToBig(value).BitCount());
  }
  EXPECT_EQ(U256(0x0102).ToBigEndian()[31], 2);
  EXPECT_EQ(U256::FromBytes(std::vector<std::uint8_t>{1, 0})->ToString(), "256");
  EXPECT_FALSE(U256::FromBytes(std::vector<std::uint8_t>(33)).ok());
}

TEST(U256, KnowsThePowersOfTen) {
  EXPECT_EQ(U256::PowerOfTen(0), U256(1));
  EXPECT_EQ(U256::PowerOfTen(77)->ToString(), "1" + std::string(77, '0'));
  EXPECT_FALSE(U256::PowerOfTen(78));
}

TEST(U256, HashesEqualValuesEqually) {
  std::unordered_set<U256> seen{U256(1), U256({0, 1, 0, 0}), U256({0, 0, 1, 0})};
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_TRUE(seen.contains(U256(1)));
}

}  // namespace
}  // namespace paymesh
