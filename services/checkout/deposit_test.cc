#include "services/checkout/deposit.h"

#include <gtest/gtest.h>

#include "services/checkout/option_cache.h"

namespace paymesh::checkout {
namespace {

std::string Chain(int number, char factory, char hash, const std::string& tokens = "[]") {
  const std::string id = "eip155:" + std::to_string(number);
  return "  - chain: " + id + "\n    name: chain" + std::to_string(number) +
         "\n    block_time: 1s\n    finality: {safe_min_depth: 1, finalized_min_depth: 2}\n"
         "    endpoints: [http://127.0.0.1:1]\n    contracts: {vault: \"0x" +
         std::string(40, 'a') + "\", factory: \"0x" + std::string(40, factory) +
         "\", factory_init_code_hash: \"0x" + std::string(64, hash) +
         "\"}\n    start_block: 0\n    native: {symbol: ETH, decimals: 18}\n    tokens: " + tokens +
         "\n";
}

std::string Token(int chain, char digit, int decimals, const std::string& currency) {
  return "{asset: \"eip155:" + std::to_string(chain) + "/erc20:0x" + std::string(40, digit) +
         "\", symbol: T" + std::string(1, digit) + ", decimals: " + std::to_string(decimals) +
         ", currency: " + currency + ", accepted: true}";
}

runtime::ChainsConfig Parse(const std::string& chains) {
  auto parsed = runtime::ParseChains("chains:\n" + chains, "chains.yaml");
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().ToString());
  return *std::move(parsed);
}

const std::string kOneToken = "[" + Token(1, '1', 6, "USD") + "]";

TEST(DepositFactory, GivesOneAddressToAPaymentOnEveryChain) {
  const auto chains = Parse(Chain(1, 'b', '1', kOneToken) +
                            Chain(2, 'b', '1', "[" + Token(2, '1', 6, "USD") + "]"));
  const auto factory = DepositFactory::FromChains(chains);
  ASSERT_TRUE(factory.ok());
  const std::string address = factory->AddressFor("pay_01");
  EXPECT_EQ(address.size(), 42u);
  EXPECT_EQ(address, factory->AddressFor("pay_01"));
  EXPECT_NE(address, factory->AddressFor("pay_02"));
}

TEST(DepositFactory, RefusesChainsWhoseAddressesWouldDiffer) {
  const std::string second = "[" + Token(2, '1', 6, "USD") + "]";
  for (const auto& [factory, hash] : {std::pair{'c', '1'}, std::pair{'b', '2'}}) {
    const auto chains = Parse(Chain(1, 'b', '1', kOneToken) + Chain(2, factory, hash, second));
    const auto refused = DepositFactory::FromChains(chains);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "INVALID_CONFIG");
  }
  EXPECT_FALSE(DepositFactory::FromChains({}).ok());
}

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
