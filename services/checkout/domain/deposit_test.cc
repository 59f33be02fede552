#include "services/checkout/domain/deposit.h"

#include <gtest/gtest.h>

#include "services/checkout/testing/chains.h"

namespace paymesh::checkout {
namespace {

using testing::Chain;
using testing::Parse;
using testing::Token;

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

}  // namespace
}  // namespace paymesh::checkout
