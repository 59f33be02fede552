#include "services/checkout/usecases/option_cache.h"

#include <gtest/gtest.h>

#include "services/checkout/testing/chains.h"

namespace paymesh::checkout {
namespace {

using testing::Chain;
using testing::Parse;
using testing::Token;

class Cache : public ::testing::Test {
 protected:
  static Amount Price(const std::string& currency, std::uint64_t value) {
    return {Unit::Fiat(currency).value(), U256(value)};
  }
  static DecisionFacts Facts(const Amount& price) {
    return {.payment_id = "pay_1", .merchant_id = "mer_1", .price = price, .accepted_units = {}};
  }
  Option OptionOf(char digit, std::uint64_t due) const {
    const std::string unit = "caip19/eip155:1/erc20:0x" + std::string(40, digit);
    return {.option_id = "",
            .chain = "eip155:1",
            .due = Amount{Unit::Parse(unit).value(), U256(due)},
            .rate = std::nullopt,
            .reasons = {},
            .symbol = {}};
  }
  const runtime::ChainsConfig chains_ =
      Parse(Chain(1, 'b', '1',
                  "[" + Token(1, '1', 6, "USD") + ", " + Token(1, '2', 6, "EUR") + ", " +
                      Token(1, '3', 1, "USD") + "]"));
  const Time start_{std::chrono::seconds(1'000)};
};

TEST_F(Cache, OffersPeggedTokensAgainAtTheNewPrice) {
  OptionCache cache(chains_);
  const DecisionFacts facts = Facts(Price("USD", 1250));
  cache.Remember(facts, {.decision_id = "dec_1",
                         .options = {OptionOf('1', 12'500'000), OptionOf('2', 11'500'000)},
                         .quote_expire_time = start_ + std::chrono::seconds(60)});
  const auto recalled = cache.Recall(Facts(Price("USD", 3)), start_);
  ASSERT_TRUE(recalled.has_value());
  ASSERT_EQ(recalled->options.size(), 1u) << "the euro has another rate by now";
  EXPECT_EQ(recalled->options[0].due.value, U256(30'000));
  EXPECT_FALSE(cache.Recall(Facts(Price("USD", 3)), start_ + std::chrono::seconds(60)));
  EXPECT_FALSE(cache.Recall(Facts(Price("EUR", 3)), start_));
}

TEST_F(Cache, ForgetsATokenThatWasNotOneToOne) {
  OptionCache cache(chains_);
  cache.Remember(Facts(Price("USD", 1250)),
                 {.decision_id = "dec_1",
                  .options = {OptionOf('1', 12'500'001)},
                  .quote_expire_time = start_ + std::chrono::seconds(60)});
  EXPECT_FALSE(cache.Recall(Facts(Price("USD", 1250)), start_));
}

TEST_F(Cache, SaysNothingWhereTheTokenHasTooFewDecimals) {
  const auto& tokens = chains_.chains[0].tokens;
  EXPECT_EQ(PeggedDue(Price("USD", 7), tokens[0]), U256(70'000));
  EXPECT_FALSE(PeggedDue(Price("USD", 7), tokens[1]).has_value());
  EXPECT_FALSE(PeggedDue(Price("USD", 7), tokens[2]).has_value());
}

}  // namespace
}  // namespace paymesh::checkout
