#include "common/aws/rate_limiter.h"

#include <gtest/gtest.h>

namespace paymesh::aws {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, GivesABurstAndThenItsRate) {
  TokenBucket bucket(10, 3);
  runtime::SteadyTime now{};
  EXPECT_EQ(bucket.Take(now), 0ms);
  EXPECT_EQ(bucket.Take(now), 0ms);
  EXPECT_EQ(bucket.Take(now), 0ms);
  EXPECT_EQ(bucket.Take(now), 100ms);
  EXPECT_EQ(bucket.Take(now), 200ms);
  now += 250ms;
  EXPECT_EQ(bucket.Take(now), 50ms);
}

TEST(TokenBucket, SavesNoMoreThanABurst) {
  TokenBucket bucket(10, 2);
  runtime::SteadyTime now{};
  EXPECT_EQ(bucket.Take(now), 0ms);
  now += 1h;
  EXPECT_EQ(bucket.Take(now), 0ms);
  EXPECT_EQ(bucket.Take(now), 0ms);
  EXPECT_EQ(bucket.Take(now), 100ms);
}

}  // namespace
}  // namespace paymesh::aws
