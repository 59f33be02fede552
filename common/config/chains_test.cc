#include "common/config/chains.h"

#include <gtest/gtest.h>

namespace paymesh::runtime {
namespace {

constexpr char kGood[] = R"(chains:
  - chain: eip155:31337
    name: anvil-a
    block_time: 1s
    finality: {safe_min_depth: 1, finalized_min_depth: 2}
    endpoints: [http://127.0.0.1:7145]
    contracts:
      vault: "0x5FbDB2315678afecb367f032d93F642f64180aa3"
      factory: "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512"
      factory_init_code_hash: "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    start_block: 5
    native: {symbol: ETH, decimals: 18}
    tokens:
      - {asset: "eip155:31337/erc20:0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0", symbol: tUSD,
        decimals: 6, currency: USD, accepted: true}
)";

TEST(Chains, AreReadWithTheirTokens) {
  const auto config = ParseChains(kGood, "chains.yaml");
  ASSERT_TRUE(config.ok()) << config.error().message;
  ASSERT_EQ(config->chains.size(), 1U);
  const ChainConfig& chain = config->chains[0];
  EXPECT_EQ(chain.chain.number(), 31337U);
  EXPECT_EQ(chain.vault, "0x5fbdb2315678afecb367f032d93f642f64180aa3");
  EXPECT_EQ(chain.finalized_min_depth, 2U);
  EXPECT_EQ(chain.block_time, std::chrono::seconds(1));
  ASSERT_EQ(chain.tokens.size(), 1U);
  EXPECT_TRUE(chain.tokens[0].accepted);
  EXPECT_EQ(config->FindToken(chain.tokens[0].asset), &chain.tokens[0]);
  EXPECT_EQ(config->Find(*ChainId::FromNumber(1)), nullptr);
  EXPECT_EQ(config->hash.size(), 64U);
}

TEST(Chains, SayWhatIsWrongAndWhere) {
  std::string text = kGood;
  text.replace(text.find("decimals: 6"), 11, "decimals: 99");
  text.replace(text.find("currency: USD"), 13, "currency: US1");
  text.replace(text.find("start_block"), 11, "start_blok!");
  text.replace(text.find("0x5FbDB2"), 8, "0xZZZZZZ");
  const auto config = ParseChains(text, "chains.yaml");
  ASSERT_FALSE(config.ok());
  for (const char* part :
       {"chains.yaml:8: chains[0].contracts.vault", "decimals: must be at most 36",
        "is no ISO 4217 code", "chains.yaml:11: unknown key chains[0].start_blok!"}) {
    EXPECT_NE(config.error().message.find(part), std::string::npos) << config.error().message;
  }
}

TEST(Chains, AreThereOnceAndAtLeastOne) {
  const std::string twice = std::string(kGood) + std::string(kGood).substr(8);
  EXPECT_NE(ParseChains(twice, "c").error().message.find("is there twice"), std::string::npos);
  EXPECT_FALSE(ParseChains("chains: []\n", "c").ok());
}

}  // namespace
}  // namespace paymesh::runtime
