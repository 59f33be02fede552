#include "common/base/hex.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace paymesh {
namespace {

static_assert(HexValue('0') == 0 && HexValue('9') == 9 && HexValue('f') == 15);
static_assert(HexValue('F') == 15 && HexValue<HexCase::kLower>('F') == -1);
static_assert(HexValue('g') == -1 && HexValue('\0') == -1 && HexValue('\xff') == -1);

TEST(Hex, EveryByteComesBack) {
  std::vector<std::uint8_t> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const std::string text = ToHex(all);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(text.size() - 8), "fcfdfeff");
  std::vector<std::uint8_t> back(256);
  ASSERT_TRUE(FromHex<HexCase::kLower>(text, back));
  EXPECT_EQ(back, all);
}

TEST(Hex, RefusesWhatIsNoDigitAndTheWrongLength) {
  std::array<std::uint8_t, 2> bytes{};
  EXPECT_TRUE(FromHex("aBcD", bytes));
  EXPECT_EQ(bytes[1], 0xcd);
  EXPECT_FALSE(FromHex<HexCase::kLower>("aBcd", bytes));
  for (const char* bad : {"", "abc", "abcde", "abcg", "g000", "0x00", "ab d"}) {
    EXPECT_FALSE(FromHex(bad, bytes)) << bad;
  }
  EXPECT_TRUE(FromHex("", {}));
}

}  // namespace
}  // namespace paymesh
