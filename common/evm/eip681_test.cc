#include "common/evm/eip681.h"

#include <gtest/gtest.h>

#include <string>

namespace paymesh::evm {
namespace {

const char kUri[] =
    "ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913@8453/transfer"
    "?address=0x70997970C51812dc3A010C7d01b50e0d17dc79C8&uint256=12500000";

TEST(PaymentUri, IsBuiltAndReadBack) {
  const TokenTransferUri transfer{
      *Address::Parse("0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"), 8453,
      *Address::Parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8"), U256(12'500'000)};
  EXPECT_EQ(BuildUri(transfer), kUri);
  EXPECT_EQ(ParseTokenTransferUri(kUri).value(), transfer);
}

TEST(PaymentUri, IsNoTokenTransferUnlessItSaysEverything) {
  const std::string head = "ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
  const std::string address = "address=0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
  EXPECT_TRUE(ParseTokenTransferUri(head + "@1/transfer?" + address + "&uint256=1").ok());
  EXPECT_FALSE(ParseTokenTransferUri(head + "/transfer?" + address + "&uint256=1").ok());
  EXPECT_FALSE(ParseTokenTransferUri(head + "@1/approve?" + address + "&uint256=1").ok());
  EXPECT_FALSE(ParseTokenTransferUri(head + "@1/transfer?" + address).ok());
  EXPECT_FALSE(ParseTokenTransferUri(head + "@1/transfer?" + address + "&uint256=1&gas=1").ok());
}

TEST(PaymentUri, IsRefusedWhenMalformed) {
  const std::string head = "ethereum:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
  for (const char* tail : {"@",
                           "@0",
                           "@01",
                           "@1/",
                           "@1/?value=1",
                           "@1/transfer?",
                           "@1?value",
                           "@1?value=",
                           "@1?value=1&",
                           "@1?value=1&value=2",
                           "@1?=1",
                           "@1?uint256=1.5",
                           "@1?uint256=1e78",
                           "@1?uint8=256",
                           "@1?uint256=1e",
                           "@1?value=0x1",
                           "@1?value=1 ",
                           "@1?value=1#x",
                           "@1?address=vitalik.eth",
                           "@1?address=0x70997970C51812dc3A010C7d01b50e0d17dc79c8",
                           "@1?colour=red",
                           "@1/trans-fer",
                           "@1/1transfer",
                           "@-1",
                           "@1@2",
                           "@18446744073709551616"}) {
    EXPECT_FALSE(ParseUri(head + tail).ok()) << tail;
  }
  EXPECT_FALSE(ParseUri("ethereum:vitalik.eth@1?value=1").ok());
  EXPECT_FALSE(ParseUri(head + "@1?string=" + std::string(kMaxUriBytes, 'a')).ok());
  EXPECT_TRUE(ParseUri(head + "@1?value=1").ok());
}

TEST(UriNumber, MustBeWhole) {
  EXPECT_EQ(ParseUriNumber("2.014e18")->ToString(), "2014000000000000000");
  EXPECT_EQ(ParseUriNumber("0")->ToString(), "0");
  EXPECT_EQ(ParseUriNumber("1E2")->ToString(), "100");
  for (const char* text : {"", "e", "e5", "1e-3", "1e+3", "-5", "+5", "1.5", "1.55e1", "1e999"}) {
    EXPECT_FALSE(ParseUriNumber(text).ok()) << text;
  }
}

}  // namespace
}  // namespace paymesh::evm
