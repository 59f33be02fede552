#include "common/money/address_text.h"

#include <gtest/gtest.h>

namespace paymesh {
namespace {

const char kChecksummed[] = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const char kLower[] = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";

TEST(AddressText, IsBroughtToLowerCase) {
  EXPECT_EQ(*NormaliseAddress(kChecksummed), kLower);
  EXPECT_EQ(*NormaliseAddress(kLower), kLower);
  EXPECT_EQ(*NormaliseAddress("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"), kLower);
  EXPECT_EQ(ChecksumAddress(kLower), kChecksummed);
}

TEST(AddressText, IsRefusedWhenMalformedOrMistyped) {
  for (const char* text :
       {"", "0x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",  // last letter's case
        "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaedd",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg", " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n"}) {
    const Result<std::string> address = NormaliseAddress(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().reason, "INVALID_ADDRESS");
  }
}

}  // namespace
}  // namespace paymesh
