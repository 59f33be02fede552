#include "common/money/caip.h"

#include <gtest/gtest.h>

#include <string>

namespace paymesh {
namespace {

const char kToken[] = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
const char kTokenLower[] = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

TEST(ChainId, IsParsedAndWritten) {
  const ChainId base = *ChainId::Parse("eip155:8453");
  EXPECT_EQ(base.number(), 8453u);
  EXPECT_EQ(base.ToString(), "eip155:8453");
  EXPECT_TRUE(ChainId::Parse("eip155:9223372036854775807").ok());
}

TEST(ChainId, IsRefusedWhenNotAnEvmChain) {
  for (const char* text :
       {"", "eip155", "eip155:", "eip155:0", "eip155:01", "eip155:-1", "eip155:+1", "eip155: 1",
        "eip155:1 ", "eip155:1\n", "eip155:0x1", "eip155:1e3", "EIP155:1",
        "eip155:9223372036854775808", "eip155:99999999999999999999999999", "solana:5eykt4", "8453",
        "bip122:000000000019d6689c085ae165831e93"}) {
    ASSERT_FALSE(ChainId::Parse(text).ok()) << text;
    EXPECT_EQ(ChainId::Parse(text).error().reason, "INVALID_CHAIN");
  }
  EXPECT_FALSE(ChainId::FromNumber(0).ok());
}

TEST(AccountId, IsWrittenInLowerCase) {
  const AccountId account = *AccountId::Parse(std::string("eip155:1:") + kToken);
  EXPECT_EQ(account.chain().number(), 1u);
  EXPECT_EQ(account.address(), kTokenLower);
  EXPECT_EQ(account.ToString(), std::string("eip155:1:") + kTokenLower);
}

TEST(AccountId, IsRefusedWhenAPartIsBad) {
  for (const char* text : {"", ":", "eip155:1", "eip155:1:", "eip155:1:0x12",
                           "eip155:0:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
                           "eip155:1:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA0291A",
                           "eip155:1:0x833589fCD6eDb6E08f4c7C32D4f71b54bDA02913"}) {
    ASSERT_FALSE(AccountId::Parse(text).ok()) << text;
    EXPECT_EQ(AccountId::Parse(text).error().reason, "INVALID_ACCOUNT");
  }
}

TEST(AssetId, IsWrittenInLowerCase) {
  const AssetId asset = *AssetId::Parse(std::string("eip155:8453/erc20:") + kToken);
  EXPECT_EQ(asset.chain().number(), 8453u);
  EXPECT_EQ(asset.token(), kTokenLower);
  EXPECT_EQ(asset.ToString(), std::string("eip155:8453/erc20:") + kTokenLower);
  EXPECT_EQ(asset, *AssetId::Parse(asset.ToString()));
}

TEST(AssetId, IsRefusedWhenAPartIsBad) {
  for (const char* text :
       {"", "/", "eip155:1", "eip155:1/", "eip155:1/slip44:60",
        "eip155:1/erc20:", "eip155:1/erc721:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        "eip155:x/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
        "eip155:1/erc20:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913/1",
        "eip155:1/erc20:833589fcd6edb6e08f4c7c32d4f71b54bda02913"}) {
    ASSERT_FALSE(AssetId::Parse(text).ok()) << text;
    EXPECT_EQ(AssetId::Parse(text).error().reason, "INVALID_ASSET");
  }
}

}  // namespace
}  // namespace paymesh
