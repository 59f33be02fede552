#include "common/money/amount.h"

#include <gtest/gtest.h>

#include <string>
#include <unordered_set>

namespace paymesh {
namespace {

const char kUsdc[] = "caip19/eip155:8453/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

TEST(Unit, NamesAChainsNativeCoin) {
  const auto unit = Unit::Parse("caip19/eip155:8453/slip44:60");
  ASSERT_TRUE(unit.ok());
  EXPECT_EQ(*unit, Unit::Native(*ChainId::FromNumber(8453)));
  EXPECT_FALSE(unit->IsFiat());
  EXPECT_FALSE(unit->asset().has_value());
  EXPECT_EQ(unit->native_chain()->number(), 8453u);
}

TEST(Unit, KnowsTheDigitsOfCurrencies) {
  EXPECT_EQ(Unit::Parse("iso4217/EUR")->exponent(), 2u);
  EXPECT_EQ(Unit::Parse("iso4217/JPY")->exponent(), 0u);
  EXPECT_EQ(Unit::Parse("iso4217/KWD")->exponent(), 3u);
  EXPECT_EQ(Unit::Parse("iso4217/CLF")->exponent(), 4u);
  EXPECT_EQ(Unit::Parse("iso4217/ZWG")->exponent(), 2u);
  EXPECT_EQ(Unit::Parse("iso4217/USD")->currency(), "USD");
}

TEST(Unit, OfATokenIsWrittenInLowerCase) {
  const Unit unit =
      *Unit::Parse("caip19/eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913");
  EXPECT_EQ(unit.ToString(), kUsdc);
  EXPECT_FALSE(unit.IsFiat());
  EXPECT_EQ(unit.currency(), "");
  EXPECT_FALSE(unit.exponent());
  EXPECT_EQ(unit.asset()->chain().number(), 8453u);
  EXPECT_EQ(unit, *Unit::Parse(kUsdc));
}

TEST(Unit, IsRefusedWhenUnknownOrSpelledOtherwise) {
  for (const char* text : {"",
                           "USD",
                           "iso4217/",
                           "iso4217/usd",
                           "iso4217/Usd",
                           "iso4217/XXX",
                           "iso4217/US",
                           "iso4217/USDC",
                           "iso4217/USD ",
                           "iso4217/SD ",
                           "iso4217/D U",
                           "ISO4217/USD",
                           "iso4217/U\xd0\x85"
                           "D",
                           "iso4217/XAU",
                           "caip19/",
                           "caip19/eip155:1/slip44:61",
                           "caip19/eip155:0/slip44:60",
                           "caip19//slip44:60",
                           "caip19/slip44:60",
                           "/slip44:60",
                           "caip19/60",
                           "caip19/eip155:0/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
                           "caip19/eip155:1/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bDA02913"}) {
    ASSERT_FALSE(Unit::Parse(text).ok()) << text;
    EXPECT_EQ(Unit::Parse(text).error().reason, "INVALID_UNIT");
  }
}

TEST(Amount, AddsAndSubtractsWithinOneUnit) {
  const Amount a = *Amount::Parse("iso4217/EUR", "1250");
  const Amount b = *Amount::Parse("iso4217/EUR", "50");
  EXPECT_EQ(Add(a, b)->ToString(), "1300 iso4217/EUR");
  EXPECT_EQ(Sub(a, b)->ToString(), "1200 iso4217/EUR");
  EXPECT_TRUE(Sub(a, a)->IsZero());
}

TEST(Amount, RefusesToMixUnits) {
  const Amount euro = *Amount::Parse("iso4217/EUR", "1");
  const Amount token = *Amount::Parse(kUsdc, "1");
  EXPECT_EQ(Add(euro, token).error().reason, "UNIT_MISMATCH");
  EXPECT_EQ(Sub(euro, token).error().reason, "UNIT_MISMATCH");
  EXPECT_NE(euro, token);
}

TEST(Amount, RefusesToLeaveTheRange) {
  const Amount most{*Unit::Parse(kUsdc), U256::Max()};
  const Amount one{*Unit::Parse(kUsdc), U256(1)};
  EXPECT_EQ(Add(most, one).error().reason, "AMOUNT_OVERFLOW");
  EXPECT_EQ(Sub(one, most).error().reason, "AMOUNT_UNDERFLOW");
}

TEST(Amount, IsParsedOnlyWhenBothPartsAreGood) {
  EXPECT_EQ(Amount::Parse("iso4217/eur", "1").error().reason, "INVALID_UNIT");
  EXPECT_EQ(Amount::Parse("iso4217/EUR", "1.0").error().reason, "INVALID_AMOUNT");
}

}  // namespace
}  // namespace paymesh
