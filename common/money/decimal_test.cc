#include "common/money/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace paymesh {
namespace {

TEST(Decimal, BecomesMinorUnitsExactly) {
  EXPECT_EQ(ParseMajor("12.50", 2)->ToString(), "1250");
  EXPECT_EQ(ParseMajor("12.5", 2)->ToString(), "1250");
  EXPECT_EQ(ParseMajor("12", 2)->ToString(), "1200");
  EXPECT_EQ(ParseMajor("0", 0)->ToString(), "0");
  EXPECT_EQ(ParseMajor("0.000001", 6)->ToString(), "1");
  EXPECT_EQ(ParseMajor("1.500000", 2)->ToString(), "150") << "zeros behind the point are no digits";
  EXPECT_EQ(ParseMajor("1", 24)->ToString(), "1" + std::string(24, '0'));
}

TEST(Decimal, IsNeverRounded) {
  EXPECT_EQ(ParseMajor("0.0000001", 6).error().reason, "TOO_MANY_DECIMALS");
  EXPECT_EQ(ParseMajor("1.5", 0).error().reason, "TOO_MANY_DECIMALS");
  EXPECT_EQ(ParseMajor("1" + std::string(70, '0'), 18).error().reason, "AMOUNT_OVERFLOW");
  EXPECT_EQ(ParseMajor("1", 78).error().reason, "AMOUNT_OVERFLOW");
}

TEST(Decimal, IsRefusedWhenMalformed) {
  for (const std::string& text :
       {std::string(), std::string(" "), std::string("."), std::string("1."), std::string(".5"),
        std::string("01.5"), std::string("00"), std::string("-1"), std::string("+1"),
        std::string("1e6"), std::string("1,5"), std::string("1.5.5"), std::string("1.-5"),
        std::string("1\n"), std::string("0x1"), std::string("NaN"), std::string(80, '9'),
        std::string("1\0", 2)}) {
    ASSERT_FALSE(ParseDecimal(text).ok()) << text;
    EXPECT_EQ(ParseDecimal(text).error().reason, "INVALID_DECIMAL");
  }
}

TEST(Decimal, IsWrittenWithAllDigitsOfItsUnit) {
  EXPECT_EQ(FormatMajor(U256(1250), 2), "12.50");
  EXPECT_EQ(FormatMajor(U256(5), 2), "0.05");
  EXPECT_EQ(FormatMajor(U256(5), 0), "5");
  EXPECT_EQ(FormatMajor(U256(), 6), "0.000000");
}

TEST(Decimal, SurvivesWritingAndReading) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2'000; ++i) {
    const U256 value({random(), random() % 2 ? random() : 0, 0, 0});
    const unsigned exponent = static_cast<unsigned>(random() % 25);
    EXPECT_EQ(ParseMajor(FormatMajor(value, exponent), exponent).value(), value);
  }
}

}  // namespace
}  // namespace paymesh
