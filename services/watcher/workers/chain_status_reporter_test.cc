#include "services/watcher/workers/chain_status_reporter.h"

#include <gtest/gtest.h>

#include "services/watcher/reasons.h"

namespace paymesh::watcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ChainStatusReporterTest : public ::testing::Test {
 protected:
  std::optional<ChainStatus> Trouble(const std::string& message, milliseconds at) {
    return reporter_.Trouble(Error::Unavailable(std::string(reasons::kNodeUnavailable), message),
                             kStart + at);
  }
  std::optional<ChainStatus> Contact(milliseconds at) { return reporter_.Contact(kStart + at); }
  double Unreachable() const { return metrics_.unreachable.Value(); }

  const runtime::SteadyTime kStart = runtime::SteadyTime(std::chrono::hours(1));
  runtime::Metrics registry_;
  runtime::Logger log_{{.level = runtime::LogLevel::kError}};
  ChainMetrics metrics_{registry_, "eip155:1"};
  ChainStatusReporter reporter_{log_, metrics_, "eip155:1", seconds(5)};
};

TEST_F(ChainStatusReporterTest, ContactIsWrittenOnceASecond) {
  const auto first = Contact(milliseconds(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->state, ChainState::kFollowing);
  EXPECT_TRUE(first->contact);
  EXPECT_EQ(first->reason, "");
  EXPECT_FALSE(Contact(milliseconds(999)));
  EXPECT_TRUE(Contact(milliseconds(1'000)));
}

TEST_F(ChainStatusReporterTest, AChainIsUnreachableOnlyAfterAWhile) {
  EXPECT_FALSE(Trouble("no route", milliseconds(0)));
  EXPECT_FALSE(Trouble("no route", milliseconds(4'999)));
  EXPECT_EQ(Unreachable(), 0);
  const auto status = Trouble("no route", milliseconds(5'000));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, ChainState::kUnreachable);
  EXPECT_EQ(status->reason, "no route");
  EXPECT_FALSE(status->contact);
  EXPECT_EQ(Unreachable(), 1);
}

TEST_F(ChainStatusReporterTest, TheSameTroubleIsWrittenOnceAndAnotherOnceASecond) {
  Trouble("no route", milliseconds(0));
  ASSERT_TRUE(Trouble("no route", milliseconds(5'000)));
  EXPECT_FALSE(Trouble("no route", milliseconds(60'000)));
  EXPECT_TRUE(Trouble("time-out", milliseconds(60'000)));
  EXPECT_FALSE(Trouble("no route", milliseconds(60'500)));
  EXPECT_TRUE(Trouble("time-out", milliseconds(61'000)));
}

TEST_F(ChainStatusReporterTest, AReasonIsCut) {
  Trouble(std::string(2'000, 'x'), milliseconds(0));
  const auto status = Trouble(std::string(2'000, 'x'), milliseconds(5'000));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->reason.size(), 500U);
}

TEST_F(ChainStatusReporterTest, ContactAfterTroubleIsWrittenAtOnceAndBeginsTheWhileAnew) {
  ASSERT_TRUE(Contact(milliseconds(0)));
  Trouble("no route", milliseconds(100));
  EXPECT_TRUE(Contact(milliseconds(200)));
  Trouble("no route", milliseconds(300));
  ASSERT_TRUE(Trouble("no route", milliseconds(5'300)));
  EXPECT_EQ(Unreachable(), 1);
  EXPECT_TRUE(Contact(milliseconds(5'400)));
  EXPECT_EQ(Unreachable(), 0);
  EXPECT_FALSE(Trouble("no route", milliseconds(5'500)));
  EXPECT_FALSE(Trouble("no route", milliseconds(10'400)));
  EXPECT_TRUE(Trouble("no route", milliseconds(10'500)));
}

TEST_F(ChainStatusReporterTest, HaltingShows) {
  reporter_.Halted("another genesis");
  EXPECT_EQ(metrics_.halted.Value(), 1);
  reporter_.Resumed();
  EXPECT_EQ(metrics_.halted.Value(), 0);
}

}  // namespace
}  // namespace paymesh::watcher
