// The recent entries in memory.
#include "common/outbox/hub/ring.h"

#include <gtest/gtest.h>

namespace paymesh::outbox {
namespace {

EntryPtr Make(std::int64_t position, const std::string& subject = "", std::size_t size = 0) {
  auto entry = std::make_shared<Entry>();
  entry->position = position;
  entry->subject = subject;
  entry->payload.assign(size, 'x');
  return entry;
}

TEST(Ring, GivesWhatIsAboveAPosition) {
  Ring ring(10, 1'000'000);
  ring.Reset(5);
  for (std::int64_t i = 6; i <= 9; ++i) EXPECT_TRUE(ring.Append(Make(i)));
  EXPECT_EQ(ring.Collect(7, 10, {}).entries.size(), 2U);
  EXPECT_EQ(ring.Collect(7, 10, {}).scanned, 9);
  EXPECT_EQ(ring.Collect(5, 3, {}).scanned, 8);
  EXPECT_TRUE(ring.Collect(9, 10, {}).entries.empty());
  EXPECT_TRUE(ring.Covers(5));
  EXPECT_FALSE(ring.Covers(4));
  EXPECT_FALSE(ring.Covers(10));
}

TEST(Ring, RefusesAGap) {
  Ring ring(10, 1'000'000);
  EXPECT_FALSE(ring.Append(Make(2)));
  EXPECT_TRUE(ring.Append(Make(1)));
  EXPECT_FALSE(ring.Append(Make(1)));
  EXPECT_EQ(ring.end(), 1);
}

TEST(Ring, ForgetsTheOldestByNumberAndBySize) {
  Ring few(3, 1'000'000);
  for (std::int64_t i = 1; i <= 5; ++i) few.Append(Make(i));
  EXPECT_EQ(few.begin(), 2);
  EXPECT_EQ(few.Collect(2, 10, {}).entries.front()->position, 3);
  Ring small(100, 10'000);
  for (std::int64_t i = 1; i <= 5; ++i) small.Append(Make(i, "", 4'000));
  EXPECT_EQ(small.size(), 2U);
  EXPECT_EQ(small.begin(), 3);
}

TEST(Ring, AFilteredReaderSkipsWhatIsNotForIt) {
  Ring ring(10, 1'000'000);
  ring.Append(Make(1, "a"));
  ring.Append(Make(2, "b"));
  ring.Append(Make(3, "a"));
  const Page page = ring.Collect(0, 10, {.subject = "b"});
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.scanned, 3);
  EXPECT_TRUE(ring.Contains(1, {.subject = "a"}));
  EXPECT_FALSE(ring.Contains(2, {.subject = "b"}));
}

}  // namespace
}  // namespace paymesh::outbox
