#include "common/runtime/backoff.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsMost) {
  const Backoff backoff{100ms, 500ms};
  EXPECT_EQ(backoff.Limit(1), 100ms);
  EXPECT_EQ(backoff.Limit(2), 200ms);
  EXPECT_EQ(backoff.Limit(3), 400ms);
  EXPECT_EQ(backoff.Limit(4), 500ms);
  EXPECT_EQ(backoff.Limit(1'000'000), 500ms);
}

TEST(Backoff, WaitsFromHalfOfItsLimitToAllOfIt) {
  std::minstd_rand random(1);
  std::set<std::chrono::milliseconds> waits;
  for (int i = 0; i < 200; ++i) waits.insert(Backoff{4ms, 500ms}.Wait(2, random));
  EXPECT_EQ(waits, (std::set{4ms, 5ms, 6ms, 7ms, 8ms}));
}

}  // namespace
}  // namespace paymesh::runtime
