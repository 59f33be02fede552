#include "common/runtime/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace paymesh::runtime {
namespace {

TEST(Ids, HaveTheirPrefixSortByTimeAndAreNotRepeated) {
  FakeClock clock;
  SeededRandom random(1);
  IdSource ids(clock, random);
  std::set<std::string> seen;
  std::string last;
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = ids.Next("pay");
    EXPECT_EQ(id.size(), 30U);
    EXPECT_TRUE(IsId(id, "pay")) << id;
    EXPECT_FALSE(IsId(id, "pot"));
    EXPECT_LT(last, id);
    EXPECT_TRUE(seen.insert(id).second);
    last = id;
    clock.Advance(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(IsId(ids.Next("pay_"), "pay"));
}

TEST(Ids, AreKnownByTheirForm) {
  EXPECT_TRUE(IsId("pay_01hf7yat00abcdefghjkmnpqrs", "pay"));
  EXPECT_FALSE(IsId("pay_01hf7yat00abcdefghjkmnpqr", "pay"));   // short
  EXPECT_FALSE(IsId("pay_01hf7yat00abcdefghjkmnpqrl", "pay"));  // l is not in the alphabet
  EXPECT_FALSE(IsId("pay_01HF7YAT00ABCDEFGHJKMNPQRS", "pay"));
  EXPECT_FALSE(IsId("pay_81hf7yat00abcdefghjkmnpqrs", "pay"));  // more than 128 bits
  EXPECT_FALSE(IsId("", "pay"));
}

TEST(Random, StaysBelowItsBoundAndReachesAllOfIt) {
  SeededRandom random(7);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.Below(5));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4}));
  SystemRandom system;
  EXPECT_NE(system.Hex(16), system.Hex(16));
  EXPECT_EQ(system.Hex(16).size(), 32U);
}

}  // namespace
}  // namespace paymesh::runtime
