#include "common/rpc/server/page.h"

#include <gtest/gtest.h>

namespace paymesh::rpc {
namespace {

TEST(PageSize, HasADefaultACapAndNoNegatives) {
  EXPECT_EQ(*PageSize(0), 50);
  EXPECT_EQ(*PageSize(7), 7);
  EXPECT_EQ(*PageSize(1'000'000'000), 500);
  EXPECT_EQ(PageSize(-1).error().metadata.at("field"), "page_size");
}

TEST(PageTokens, ComeBackAsTheyWent) {
  const PageTokens tokens("0123456789abcdef");
  for (std::string position :
       {std::string("x"), std::string("2026|pay_1"), std::string("\0\xff", 2)}) {
    EXPECT_EQ(*tokens.Decode("list", tokens.Encode("list", position)), position);
  }
  EXPECT_EQ(tokens.Encode("list", ""), "");
  EXPECT_EQ(*tokens.Decode("list", ""), "");
}

TEST(PageTokens, AreRefusedWhenChangedInAnyCharacter) {
  const PageTokens tokens("0123456789abcdef");
  const std::string token = tokens.Encode("list", "position");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.Decode("list", changed).ok()) << i;
    EXPECT_FALSE(tokens.Decode("list", token.substr(0, i) + (i == 0 ? "=" : "")).ok()) << i;
  }
  EXPECT_FALSE(tokens.Decode("list", token + "A").ok());
  EXPECT_FALSE(tokens.Decode("list", std::string(10'000, 'A')).ok());
}

TEST(PageTokens, AreRefusedForAnotherScopeOrKey) {
  const PageTokens tokens("0123456789abcdef"), others("another key here");
  const std::string token = tokens.Encode("list|mer_1", "position");
  EXPECT_EQ(tokens.Decode("list|mer_2", token).error().reason, "INVALID_PAGE_TOKEN");
  EXPECT_FALSE(others.Decode("list|mer_1", token).ok());
}

}  // namespace
}  // namespace paymesh::rpc
