#include "services/payctl/parse.h"

#include <gtest/gtest.h>

#include "paymesh/checkout/v1/payment_service.pb.h"
#include "services/payctl/message_text.h"
#include "services/payctl/qr.h"

namespace paymesh::payctl {
namespace {

TEST(ParsePrice, ReadsDecimalsExactlyInTheCurrencysMinorUnits) {
  EXPECT_EQ(ParsePrice("12.50", "EUR")->ToString(), "1250 iso4217/EUR");
  EXPECT_EQ(ParsePrice("12.5", "EUR")->ToString(), "1250 iso4217/EUR");
  EXPECT_EQ(ParsePrice("12", "EUR")->ToString(), "1200 iso4217/EUR");
  EXPECT_EQ(ParsePrice("1250", "JPY")->ToString(), "1250 iso4217/JPY");
  EXPECT_EQ(ParsePrice("0.001", "KWD")->ToString(), "1 iso4217/KWD");
  EXPECT_EQ(ParsePrice("90071992547409.93", "USD")->ToString(), "9007199254740993 iso4217/USD");
}

TEST(ParsePrice, RefusesMoreDecimalsThanTheCurrencyHas) {
  const auto price = ParsePrice("12.505", "EUR");
  ASSERT_FALSE(price.ok());
  EXPECT_EQ(price.error().code, ErrorCode::kInvalidArgument);
  ASSERT_EQ(price.error().violations.size(), 1u);
  EXPECT_EQ(price.error().violations[0].field, "--price");
  EXPECT_NE(price.error().violations[0].description.find("EUR has 2 decimals"), std::string::npos);
  EXPECT_FALSE(ParsePrice("12.0", "JPY").ok());
  EXPECT_FALSE(ParsePrice("1.250", "EUR").ok());
}

TEST(ParsePrice, RefusesWhatIsNoAmountAndNoCurrency) {
  for (const char* text : {"", "-1", "+1", "1,50", "1e3", ".5", "5.", "0x10", "NaN", " 1", "１"}) {
    EXPECT_FALSE(ParsePrice(text, "EUR").ok()) << text;
  }
  for (const char* currency : {"", "eur", "EURO", "XXQ", "iso4217/EUR"}) {
    const auto price = ParsePrice("1", currency);
    ASSERT_FALSE(price.ok()) << currency;
    EXPECT_EQ(price.error().violations[0].field, "--currency");
  }
}

TEST(ParseRawAmount, NamesTheOptionThatIsWrong) {
  EXPECT_EQ(ParseRawAmount("iso4217/EUR", "1250")->ToString(), "1250 iso4217/EUR");
  EXPECT_EQ(ParseRawAmount("EUR", "1250").error().violations[0].field, "--unit");
  EXPECT_EQ(ParseRawAmount("iso4217/EUR", "12.5").error().violations[0].field, "--value");
}

TEST(ParseDuration, TakesAWholeNumberAndAUnit) {
  EXPECT_EQ(*ParseDuration("--ttl", "90s"), std::chrono::seconds(90));
  EXPECT_EQ(*ParseDuration("--ttl", "15m"), std::chrono::minutes(15));
  EXPECT_EQ(*ParseDuration("--ttl", "7d"), std::chrono::hours(168));
  for (const char* text : {"", "m", "15", "0s", "-1s", "1.5h", "15 m", "99999999999999999999d"}) {
    EXPECT_FALSE(ParseDuration("--ttl", text).ok()) << text;
  }
}

TEST(ParsePairs, SplitsAtTheFirstEqualsAndRefusesARepeatedKey) {
  EXPECT_EQ(ParsePairs("--metadata", {"a=b=c", "d="})->at("a"), "b=c");
  EXPECT_FALSE(ParsePairs("--metadata", {"=x"}).ok());
  EXPECT_FALSE(ParsePairs("--metadata", {"x"}).ok());
  EXPECT_FALSE(ParsePairs("--metadata", {"a=1", "a=2"}).ok());
}

TEST(ParseEnum, ReadsShortNamesInAnyCaseAndListsTheChoices) {
  EXPECT_EQ(*ParseEnum<checkout::v1::PaymentState>("--state", "requires-review"),
            checkout::v1::PAYMENT_STATE_REQUIRES_REVIEW);
  EXPECT_EQ(EnumText(checkout::v1::PAYMENT_STATE_SUCCEEDED), "SUCCEEDED");
  const auto bad = ParseEnum<checkout::v1::ResolveAction>("--action", "return");
  EXPECT_NE(bad.error().message.find("ACCEPT, HOLD"), std::string::npos) << bad.error().message;
  EXPECT_FALSE(ParseEnum<checkout::v1::ResolveAction>("--action", "unspecified").ok());
}

TEST(AmountText, WritesFiatAndKnownTokensInWholeUnitsAndOthersRaw) {
  type::v1::Amount amount;
  amount.set_unit("iso4217/EUR");
  amount.set_value("1250");
  EXPECT_EQ(AmountText(amount, {}), "12.50 EUR");
  amount.set_unit("caip19/eip155:1/erc20:0x00000000000000000000000000000000000000aa");
  EXPECT_EQ(AmountText(amount, {}), "1250 " + amount.unit());
  EXPECT_EQ(AmountText(amount, {{amount.unit(), {"tUSD", 6}}}), "0.001250 tUSD");
  EXPECT_EQ(AmountText(type::v1::Amount(), {}), "");
}

TEST(Qr, DrawsLightQuietZonesAroundTheCode) {
  const auto picture = RenderQr("ethereum:0x00@1/transfer", QrColour::kPlain);
  ASSERT_TRUE(picture.ok());
  const std::string first = picture->substr(0, picture->find('\n'));
  EXPECT_EQ(first.find("▀"), std::string::npos);  // four light rows: only full blocks
  EXPECT_EQ(first.find(' '), std::string::npos);
  EXPECT_NE(picture->find("▄"), std::string::npos);
  EXPECT_EQ(picture->find('\x1b'), std::string::npos);
  EXPECT_FALSE(RenderQr(std::string(5000, 'x'), QrColour::kPlain).ok());
}

}  // namespace
}  // namespace paymesh::payctl
