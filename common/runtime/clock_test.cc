#include "common/runtime/clock.h"

#include <gtest/gtest.h>

namespace paymesh::runtime {
namespace {

TEST(Time, IsWrittenWithSixDigitsInUtc) {
  EXPECT_EQ(FormatTime(Time(std::chrono::microseconds(0))), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(FormatTime(Time(std::chrono::microseconds(1'700'000'000'123'456))),
            "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(FormatTime(Time(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, IsReadWithOffsetsAndFractions) {
  const auto text = [](std::string_view in) {
    const auto time = ParseTime(in);
    return time.ok() ? FormatTime(*time) : time.error().reason;
  };
  EXPECT_EQ(text("2023-11-14T22:13:20Z"), "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(text("2023-11-14T23:13:20.5+01:00"), "2023-11-14T22:13:20.500000Z");
  EXPECT_EQ(text("2023-11-14T22:13:20.123456789Z"), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(text("2024-02-29T00:00:00-00:30"), "2024-02-29T00:30:00.000000Z");
  for (const char* bad : {"", "2023-11-14", "2023-11-14T22:13:20", "2023-02-29T00:00:00Z",
                          "2023-11-14T24:00:00Z", "2023-11-14T22:13:60Z", "2023-11-14T22:13:20.Z",
                          "2023-11-14T22:13:20Zx", "2023-11-14 22:13:20Z"}) {
    EXPECT_EQ(text(bad), "INVALID_TIME") << bad;
  }
}

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock;
  const Time before = clock.Now();
  const SteadyTime steady = clock.Steady();
  EXPECT_EQ(clock.Now(), before);
  clock.Advance(std::chrono::seconds(3));
  EXPECT_EQ(clock.Now() - before, std::chrono::seconds(3));
  EXPECT_EQ(clock.Steady() - steady, std::chrono::seconds(3));
}

}  // namespace
}  // namespace paymesh::runtime
