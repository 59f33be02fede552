// Readers are told soon, also from other processes and after a lost connection; idle ones cost
// nothing.
#include "common/outbox/hub/hub.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/outbox/append.h"
#include "common/pg/testing/test_database.h"
#include "common/pg/testing/test_run.h"

namespace paymesh::outbox {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class HubTest : public testing::Test {
 protected:
  HubTest() {
    pg::DatabaseOptions options;
    options.conninfo = server_.conninfo();
    options.pool_size = 2;
    // The writer stands for another replica: it shares nothing with the hub but the server.
    writer_ = std::make_unique<pg::Database>(options);
    reader_ = std::make_unique<pg::Database>(options);
    hub_ = std::make_unique<Hub>(*reader_, HubOptions{.max_cached_entries = 8});
  }
  ~HubTest() override {
    hub_->Close();
    pool_.join();
  }
  void Write(const std::string& subject, int count = 1) {
    const auto write = [&](pg::Transaction& tx) -> Status {
      for (int i = 0; i < count; ++i) {
        Append(tx, "events", {.subject = subject, .owner = "o", .kind = "k"});
      }
      return {};
    };
    ASSERT_TRUE(writer_->TransactBlocking({}, write).ok());
  }
  Page Read(std::int64_t after, int limit = 100, Filter filter = {}) {
    return *pg::StartTask(pool_, hub_->Read("events", after, limit, filter)).get();
  }
  std::future<Result<Page>> Wait(std::int64_t after, Filter filter = {},
                                 std::chrono::milliseconds wait = 30s) {
    return pg::StartTask(pool_, hub_->ReadOrWait("events", after, 100, std::move(filter), wait));
  }
  void AwaitWaiting(std::size_t count) {
    while (hub_->stats().waiting != count) std::this_thread::yield();
  }
  void AwaitConnects(std::uint64_t count) {
    while (hub_->stats().connects < count) std::this_thread::yield();
  }

  pg::TestDatabase server_;
  std::unique_ptr<pg::Database> writer_, reader_;
  std::unique_ptr<Hub> hub_;
  boost::asio::thread_pool pool_{2};
};

TEST_F(HubTest, AWaitingReaderGetsANewEntrySoon) {
  AwaitConnects(1);
  std::vector<double> milliseconds;
  for (std::int64_t i = 0; i < 20; ++i) {
    auto waiting = Wait(i);
    AwaitWaiting(1);
    Write("s");
    const auto committed = Clock::now();
    const Result<Page> page = waiting.get();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - committed).count());
    ASSERT_TRUE(page.ok());
    ASSERT_EQ(page->entries.size(), 1U);
    EXPECT_EQ(page->entries[0]->position, i + 1);
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  RecordProperty("median_milliseconds", std::to_string(milliseconds[10]));
  std::printf("commit to reader: median %.2f ms, worst %.2f ms\n", milliseconds[10],
              milliseconds[19]);
  EXPECT_LT(milliseconds[10], 1000);
}

TEST_F(HubTest, AFilteredReaderWakesOnlyForItsOwn) {
  auto mine = Wait(0, {.subject = "mine"});
  AwaitWaiting(1);
  Write("other", 3);
  EXPECT_EQ(mine.wait_for(100ms), std::future_status::timeout);
  Write("mine");
  const Result<Page> page = mine.get();
  ASSERT_EQ(page->entries.size(), 1U);
  EXPECT_EQ(page->entries[0]->position, 4);
}

TEST_F(HubTest, WaitingEndsWithTimeAndSaysHowFarItLooked) {
  Write("other");
  auto waiting = Wait(0, {.subject = "none"}, 1500ms);
  AwaitWaiting(1);
  Write("other");
  const Result<Page> page = waiting.get();
  EXPECT_TRUE(page->entries.empty());
  EXPECT_EQ(page->scanned, 2);
}

TEST_F(HubTest, ASlowReaderFallsBackToTheTable) {
  Read(0);
  for (int i = 0; i < 30; ++i) Write("s");
  std::int64_t after = 0;
  while (after < 30) {
    const Page page = Read(after, 7);
    for (const EntryPtr& entry : page.entries) EXPECT_EQ(entry->position, ++after);
  }
  EXPECT_GT(hub_->stats().table_reads, 1U);
}

TEST_F(HubTest, AThousandIdleReadersCostTheDatabaseNothing) {
  Write("s");
  std::vector<std::future<Result<Page>>> readers;
  for (int i = 0; i < 1000; ++i) readers.push_back(Wait(1, {.subject = "r" + std::to_string(i)}));
  AwaitWaiting(1000);
  const auto before = reader_->stats().committed;
  for (int i = 0; i < 5; ++i) Write("r7777");
  Write("r500");
  EXPECT_EQ(readers[500].get()->entries.at(0)->position, 7);
  EXPECT_EQ(reader_->stats().committed, before);
  AwaitWaiting(999);
  hub_->Close();
  EXPECT_EQ(readers[0].get().error().reason, "SHUTTING_DOWN");
}

TEST_F(HubTest, NothingIsMissedWhenItsConnectionIsKilled) {
  AwaitConnects(1);
  std::int64_t after = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    auto waiting = Wait(after);
    AwaitWaiting(1);
    server_.KillConnections();
    Write("while away");
    const Result<Page> page = waiting.get();
    ASSERT_TRUE(page.ok()) << page.error().ToString();
    for (const EntryPtr& entry : page->entries) EXPECT_EQ(entry->position, ++after);
    AwaitConnects(round + 1);
  }
  EXPECT_EQ(after, 3);
}

TEST_F(HubTest, KnowsWhenTheHeadIsBeyondAPosition) {
  auto beyond = pg::StartTask(pool_, hub_->WaitBeyond("events", 1, 30s));
  AwaitWaiting(1);
  Write("s");
  EXPECT_EQ(beyond.wait_for(50ms), std::future_status::timeout);
  Write("s");
  EXPECT_TRUE(beyond.get());
  EXPECT_FALSE(pg::StartTask(pool_, hub_->WaitBeyond("events", 2, 20ms)).get());
}

TEST_F(HubTest, RefusesAPositionThatDoesNotExistYet) {
  Write("s");
  const auto ahead = pg::StartTask(pool_, hub_->Read("events", 5, 10)).get();
  EXPECT_EQ(ahead.error().reason, "POSITION_AHEAD");
  const auto negative = pg::StartTask(pool_, hub_->Read("events", -1, 10)).get();
  EXPECT_EQ(negative.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HubTest, ACancelledReaderIsForgotten) {
  boost::asio::io_context context;
  boost::asio::cancellation_signal cancel;
  auto promise = std::make_shared<std::promise<Result<Page>>>();
  boost::asio::co_spawn(context, pg::Fulfil(hub_->ReadOrWait("events", 0, 10, {}, 30s), promise),
                        boost::asio::bind_cancellation_slot(cancel.slot(), boost::asio::detached));
  std::thread runner([&] { context.run(); });
  AwaitWaiting(1);
  boost::asio::post(context, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
  EXPECT_THROW((void)promise->get_future().get().ok(), std::exception);
  runner.join();
  AwaitWaiting(0);
}

}  // namespace
}  // namespace paymesh::outbox
