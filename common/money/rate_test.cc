#include "common/money/rate.h"

#include <gtest/gtest.h>

#include <random>

namespace paymesh {
namespace {

Rate MakeRate(std::uint64_t numerator, std::uint64_t denominator) {
  return *Rate::Create(U256(numerator), U256(denominator));
}

TEST(Rate, IsBuiltExactlyFromAPrice) {
  // One euro is 1.0834 dollars: one cent is 10,834 millionths of a dollar.
  EXPECT_EQ(Rate::FromPrice("1.0834", 2, 6)->ToString(), "10834/1");
  EXPECT_EQ(Rate::FromPrice("0.0067", 0, 6)->ToString(), "6700/1");  // yen to dollar
  EXPECT_EQ(Rate::FromPrice("1", 2, 0)->ToString(), "1/100");
  EXPECT_EQ(Rate::FromPrice("3.25", 3, 2)->ToString(), "13/40");  // dinar to dollar
  EXPECT_EQ(Rate::FromPrice("1", 18, 6)->ToString(), "1/1000000000000");
  EXPECT_EQ(*Rate::FromScaledPrice(U256(108'340'000), 8, 2, 6), *Rate::FromPrice("1.0834", 2, 6));
}

TEST(Rate, IsKeptInLowestTerms) {
  EXPECT_EQ(MakeRate(10, 4), MakeRate(5, 2));
  EXPECT_EQ(MakeRate(10, 4).ToString(), "5/2");
  EXPECT_EQ(MakeRate(5, 2).Inverse(), MakeRate(2, 5));
}

TEST(Rate, IsNeverZero) {
  EXPECT_EQ(Rate::Create(U256(), U256(1)).error().reason, "INVALID_RATE");
  EXPECT_EQ(Rate::Create(U256(1), U256()).error().reason, "INVALID_RATE");
  for (const char* price : {"0", "0.00", "", "-1", "1e3", "NaN", "1,5"}) {
    ASSERT_FALSE(Rate::FromPrice(price, 2, 6).ok()) << price;
    EXPECT_EQ(Rate::FromPrice(price, 2, 6).error().reason, "INVALID_RATE");
  }
  EXPECT_FALSE(Rate::FromPrice("1", 78, 0).ok());
  EXPECT_FALSE(Rate::FromPrice("0.1", 77, 0).ok());
  EXPECT_FALSE(Rate::FromPrice("99999", 0, 77).ok());
}

TEST(Rate, ComposesExactly) {
  EXPECT_EQ(Compose(MakeRate(3, 4), MakeRate(2, 9)).value(), MakeRate(1, 6));
  const Rate huge = *Rate::Create(U256::Max(), U256(1));
  EXPECT_EQ(Compose(huge, huge).error().reason, "RATE_OVERFLOW");
  EXPECT_EQ(Compose(huge, huge.Inverse()).value(), MakeRate(1, 1));
}

TEST(Rate, ConvertsAPriceSoThatThePayerNeverPaysLess) {
  const Amount price = *Amount::Parse("iso4217/EUR", "1250");
  const Unit token =
      *Unit::Parse("caip19/eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3");
  const Rate rate = *Rate::FromPrice("1.0834567", 2, 6);
  EXPECT_EQ(Convert(price, rate, token, Rounding::kUp)->value.ToString(), "13543209");
  EXPECT_EQ(Convert(price, rate, token, Rounding::kDown)->value.ToString(), "13543208");
  EXPECT_EQ(Convert(price, rate, token, Rounding::kUp)->unit, token);
  EXPECT_EQ(Convert(U256::Max(), MakeRate(2, 1), Rounding::kDown).error().reason,
            "AMOUNT_OVERFLOW");
}

TEST(Rate, RoundingNeverLosesAMinorUnit) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const auto some = [&] { return (random() >> (random() % 60)) + 1; };
    const Rate rate = MakeRate(some(), some());
    const U256 value(some());
    const U256 up = Convert(value, rate, Rounding::kUp).value();
    const U256 down = Convert(value, rate, Rounding::kDown).value();
    const U256 even = Convert(value, rate, Rounding::kHalfEven).value();
    EXPECT_LE(SaturatingSub(up, down), U256(1));
    EXPECT_TRUE(even == up || even == down);
    // There up and back down: at least what we began with, so the price is always covered.
    EXPECT_GE(Convert(up, rate.Inverse(), Rounding::kDown).value(), value);
    EXPECT_LE(Convert(down, rate.Inverse(), Rounding::kUp).value(), value);
  }
}

TEST(BasisPoints, AreTakenFromAnAmount) {
  EXPECT_EQ(BasisPointsOf(U256(13'543'209), 50, Rounding::kDown)->ToString(), "67716");
  EXPECT_EQ(BasisPointsOf(U256(13'543'209), 50, Rounding::kUp)->ToString(), "67717");
  EXPECT_EQ(BasisPointsOf(U256(1), 9'999, Rounding::kDown)->ToString(), "0");
  EXPECT_EQ(BasisPointsOf(U256::Max(), 10'000, Rounding::kDown).value(), U256::Max());
  EXPECT_EQ(BasisPointsOf(U256::Max(), 10'001, Rounding::kDown).error().reason, "AMOUNT_OVERFLOW");
  const Amount amount = *Amount::Parse("iso4217/EUR", "1250");
  EXPECT_EQ(BasisPointsOf(amount, 100, Rounding::kDown)->ToString(), "12 iso4217/EUR");
}

TEST(BasisPoints, SplitAnAmountWithoutLoss) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 5'000; ++i) {
    const U256 value({random(), random(), 0, 0});
    const auto basis_points = static_cast<std::uint32_t>(random() % 10'001);
    const U256 fee = BasisPointsOf(value, basis_points, Rounding::kDown).value();
    const U256 net = BasisPointsOf(value, 10'000 - basis_points, Rounding::kUp).value();
    EXPECT_EQ(CheckedAdd(fee, net), value);
  }
}

}  // namespace
}  // namespace paymesh
