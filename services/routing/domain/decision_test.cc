#include "services/routing/domain/decision.h"

#include <gtest/gtest.h>

#include <random>

namespace paymesh::routing {
namespace {

using namespace std::chrono_literals;

const Time kNow{std::chrono::seconds(1'800'000'000)};
const char* const kDollarA = "caip19/eip155:1/erc20:0x00000000000000000000000000000000000000a1";
const char* const kEuroA = "caip19/eip155:1/erc20:0x00000000000000000000000000000000000000a2";
const char* const kOldA = "caip19/eip155:1/erc20:0x00000000000000000000000000000000000000a3";
const char* const kDollarB = "caip19/eip155:2/erc20:0x00000000000000000000000000000000000000b1";
const char* const kNowhere = "caip19/eip155:9/erc20:0x00000000000000000000000000000000000000c1";

Unit U(std::string_view text) { return *Unit::Parse(text); }

ChainFacts Chain(std::uint64_t number, std::chrono::milliseconds block_time, std::uint64_t gas) {
  ChainFacts chain{.chain = "eip155:" + std::to_string(number),
                   .native = Unit::Native(*ChainId::FromNumber(number))};
  chain.following = true;
  chain.head_number = chain.node_head_number = 100;
  chain.observe_time = kNow - 1s;
  chain.block_time = block_time;
  chain.safe_time = 4 * block_time;
  chain.finalized_time = 8 * block_time;
  chain.max_fee_per_gas = U256(gas);
  return chain;
}

MarketFacts Market() {
  MarketFacts market;
  market.chains = {Chain(1, 2s, 30), Chain(2, 1s, 40)};
  market.chains[0].tokens = {{U(kDollarA), "tUSD", 6, "USD", true},
                             {U(kEuroA), "tEUR", 6, "EUR", true},
                             {U(kOldA), "tOLD", 6, "USD", false}};
  market.chains[1].tokens = {{U(kDollarB), "tUSD", 6, "USD", true}};
  market.rates = RateTable({{"EUR", "USD", *Rate::FromPrice("1.0834", 0, 0), "static", kNow - 5s}});
  return market;
}

PaymentFacts Facts(const char* unit, std::uint64_t value) {
  return {.payment_id = "pay_1",
          .merchant_id = "mer_1",
          .price = {U(unit), U256(value)},
          .accepted_units = {U(kDollarA), U(kEuroA), U(kOldA), U(kDollarB), U(kNowhere)},
          .policy = Policy::kSafe,
          .expire_time = kNow + 15min};
}

std::string CodeOf(const Decision& decision, const char* unit) {
  for (const Rejection& rejection : decision.rejected) {
    if (rejection.unit == U(unit)) return rejection.code;
  }
  return "offered";
}

const Option& OptionOf(const Decision& decision, const char* unit) {
  for (const Option& option : decision.options) {
    if (option.unit == U(unit)) return option;
  }
  throw std::runtime_error("no such option");
}

TEST(Decide, OffersEveryAcceptedTokenOnceOrSaysWhyNot) {
  const Decision decision = Decide(Facts("iso4217/EUR", 1250), Market(), {}, kNow);
  EXPECT_EQ(decision.options.size(), 3u);
  EXPECT_EQ(CodeOf(decision, kOldA), "TOKEN_NOT_ACCEPTED");
  EXPECT_EQ(CodeOf(decision, kNowhere), "TOKEN_UNKNOWN");
}

TEST(Decide, ConvertsEurosExactlyAndRoundsAgainstThePayer) {
  const Decision decision = Decide(Facts("iso4217/EUR", 1250), Market(), {}, kNow);
  EXPECT_EQ(OptionOf(decision, kDollarA).amount.value, U256(13'542'500));  // 12.50 x 1.0834
  EXPECT_EQ(OptionOf(decision, kEuroA).amount.value, U256(12'500'000));
  EXPECT_EQ(OptionOf(decision, kEuroA).rate->source, "peg");

  MarketFacts third = Market();
  third.rates = RateTable({{"USD", "EUR", *Rate::FromPrice("3", 0, 0), "static", kNow}});
  const Decision rounded = Decide(Facts("iso4217/EUR", 1), third, {}, kNow);
  EXPECT_EQ(OptionOf(rounded, kDollarA).amount.value, U256(3'334));  // 0.01 / 3, up
}

TEST(Decide, PutsTheFastestChainFirstAndSaysSo) {
  const Decision decision = Decide(Facts("iso4217/USD", 500), Market(), {}, kNow);
  ASSERT_FALSE(decision.options.empty());
  EXPECT_EQ(decision.options[0].unit, U(kDollarB));
  EXPECT_EQ(decision.options[0].rank, 1);
  const auto& reasons = decision.options[0].reasons;
  EXPECT_NE(std::find(reasons.begin(), reasons.end(), "CONFIRMS_FASTEST"), reasons.end());
  EXPECT_EQ(decision.options[0].confirm_time, 5s);
}

TEST(Decide, AmongEqualsPrefersThePricesOwnCurrency) {
  PaymentFacts facts = Facts("iso4217/EUR", 500);
  facts.accepted_units = {U(kDollarA), U(kEuroA)};
  const Decision decision = Decide(facts, Market(), {}, kNow);
  EXPECT_EQ(decision.options.front().unit, U(kEuroA));
}

TEST(Decide, LeavesOutChainsThatCannotBeReliedOn) {
  MarketFacts market = Market();
  market.chains[0].halted = true;
  market.chains[1].node_head_number = 200;
  Decision decision = Decide(Facts("iso4217/USD", 500), market, {}, kNow);
  EXPECT_TRUE(decision.options.empty());
  EXPECT_EQ(CodeOf(decision, kDollarA), "CHAIN_HALTED");
  EXPECT_EQ(CodeOf(decision, kDollarB), "CHAIN_DEGRADED");

  market = Market();
  market.chains[0].following = false;
  market.chains[1].observe_time = kNow - 16min;
  decision = Decide(Facts("iso4217/USD", 500), market, {}, kNow);
  EXPECT_EQ(CodeOf(decision, kDollarA), "CHAIN_DEGRADED");
  EXPECT_EQ(CodeOf(decision, kDollarB), "CHAIN_DEGRADED");
}

TEST(Decide, LeavesOutWhatWouldConfirmAfterTheExpiry) {
  PaymentFacts facts = Facts("iso4217/USD", 500);
  facts.policy = Policy::kFinalized;
  facts.expire_time = kNow + 10s;  // A needs 18 s, B needs 9 s
  const Decision decision = Decide(facts, Market(), {}, kNow);
  EXPECT_EQ(CodeOf(decision, kDollarA), "FINALITY_TOO_SLOW");
  EXPECT_EQ(CodeOf(decision, kDollarB), "offered");
}

TEST(Decide, NeedsAFreshRate) {
  MarketFacts market = Market();
  market.rates = RateTable();
  const Decision decision = Decide(Facts("iso4217/EUR", 500), market, {}, kNow);
  EXPECT_EQ(CodeOf(decision, kDollarA), "RATE_UNAVAILABLE");
  EXPECT_EQ(CodeOf(decision, kEuroA), "offered");
}

TEST(Decide, APriceInATokenIsPaidInThatToken) {
  const Decision decision = Decide(Facts(kDollarA, 77), Market(), {}, kNow);
  ASSERT_EQ(decision.options.size(), 1u);
  EXPECT_EQ(decision.options[0].amount.value, U256(77));
  EXPECT_FALSE(decision.options[0].rate.has_value());
  EXPECT_EQ(CodeOf(decision, kDollarB), "RATE_UNAVAILABLE");
}

TEST(Decide, NeverLetsThePayerPayLessThanThePrice) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2'000; ++i) {
    MarketFacts market = Market();
    const auto rate = Rate::Create(U256(random() % 1'000'000 + 1), U256(random() % 1'000'000 + 1));
    market.rates = RateTable({{"EUR", "USD", *rate, "static", kNow}});
    const PaymentFacts facts = Facts("iso4217/EUR", random() % 1'000'000'000 + 1);
    const Decision decision = Decide(facts, market, {}, kNow);
    const Option& option = OptionOf(decision, kDollarA);
    // due / rate, rounded down, is still at least the price; one unit less is not.
    const Rate back = option.rate->rate.Inverse();
    EXPECT_GE(*Convert(option.amount.value, back, Rounding::kDown), facts.price.value);
    const U256 less = SaturatingSub(option.amount.value, U256(1));
    EXPECT_LE(*Convert(less, back, Rounding::kDown), facts.price.value);
  }
}

TEST(Decide, IsTheSameForTheSameFactsWhateverTheirOrder) {
  PaymentFacts facts = Facts("iso4217/EUR", 999);
  const Decision first = Decide(facts, Market(), {}, kNow);
  std::reverse(facts.accepted_units.begin(), facts.accepted_units.end());
  facts.accepted_units.push_back(facts.accepted_units.front());
  const Decision second = Decide(facts, Market(), {}, kNow);
  ASSERT_EQ(first.options.size(), second.options.size());
  for (std::size_t i = 0; i < first.options.size(); ++i) {
    EXPECT_EQ(first.options[i].unit, second.options[i].unit);
    EXPECT_EQ(first.options[i].amount, second.options[i].amount);
  }
}

TEST(Rates, InvertAndCrossOnceExactly) {
  const RateTable table({{"EUR", "USD", *Rate::FromPrice("1.25", 0, 0), "feed:x", kNow, kNow + 1h},
                         {"GBP", "USD", *Rate::FromPrice("1.5", 0, 0), "static", kNow - 1h}});
  auto inverse = table.Find("USD", 2, "EUR", 6, kNow);
  ASSERT_TRUE(inverse.ok());
  EXPECT_EQ(*Convert(U256(125), inverse->rate, Rounding::kDown), U256(1'000'000));
  auto crossed = table.Find("EUR", 2, "GBP", 2, kNow);
  ASSERT_TRUE(crossed.ok());
  EXPECT_EQ(*Convert(U256(600), crossed->rate, Rounding::kDown), U256(500));
  EXPECT_EQ(crossed->source, "feed:x+static");
  EXPECT_EQ(table.Find("EUR", 2, "JPY", 0, kNow).error().reason, "RATE_UNAVAILABLE");
}

TEST(Rates, AStaleFeedFallsBackToTheStaticPrice) {
  const RateTable table(
      {{"EUR", "USD", *Rate::FromPrice("1.25", 0, 0), "feed:x", kNow - 2h, kNow - 1h},
       {"EUR", "USD", *Rate::FromPrice("1.2", 0, 0), "static", kNow - 3h}});
  EXPECT_EQ(table.Find("EUR", 2, "USD", 2, kNow)->source, "static");
  EXPECT_EQ(table.Find("EUR", 2, "USD", 2, kNow - 90min)->source, "feed:x");
}

}  // namespace
}  // namespace paymesh::routing
