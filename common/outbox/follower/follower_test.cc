// Effects happen exactly once, whatever breaks and however many replicas follow.
#include "common/outbox/follower/follower.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>

#include "common/outbox/append.h"
#include "common/outbox/hub/hub.h"
#include "common/pg/database.h"
#include "common/pg/testing/test_database.h"
#include "common/pg/testing/test_proxy.h"
#include "common/pg/testing/test_run.h"
#include "common/trace/tracer.h"

namespace paymesh::outbox {
namespace {

using namespace std::chrono_literals;

// A peer's stream without a network: reads the hub, and breaks after `breaks_after` entries.
class HubSource : public Source {
 public:
  HubSource(Hub& hub, std::int64_t after, int breaks_after)
      : hub_(hub), after_(after), left_(breaks_after) {}
  Task<Result<std::optional<Entry>>> Read() override {
    if (left_-- == 0) co_return Error::Unavailable("BROKEN", "the stream broke");
    while (!cancelled_) {
      Result<Page> page = co_await hub_.ReadOrWait("events", after_, 1, Filter::All(), 20ms);
      if (!page.ok()) co_return page.error();
      after_ = page->scanned;
      if (!page->entries.empty()) co_return std::optional<Entry>(*page->entries[0]);
    }
    co_return std::optional<Entry>();
  }
  void Cancel() override { cancelled_ = true; }

 private:
  Hub& hub_;
  std::int64_t after_;
  int left_;
  std::atomic<bool> cancelled_{false};
};

class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    target_.Exec("CREATE TABLE effect (position bigint PRIMARY KEY, replica text)");
  }
  // What may still post to the pool ends before the pool does.
  ~FollowerTest() override {
    StopAll();
    hub_.Close();
    target_.database().Close();
  }

  void StopAll() {
    pool_.stop();
    pool_.join();
  }
  void Write(int count) {
    for (int i = 0; i < count; ++i) {
      const auto write = [](pg::Transaction& tx) -> Status {
        Append(tx, "events", {.kind = "k"});
        return {};
      };
      ASSERT_TRUE(source_.database().TransactBlocking({}, write).ok());
    }
  }
  static Task<Result<std::unique_ptr<Source>>> OpenStream(Hub& hub, std::int64_t after,
                                                          int breaks) {
    co_return std::unique_ptr<Source>(std::make_unique<HubSource>(hub, after, breaks));
  }
  static Status Apply(pg::Transaction& tx, const std::vector<Entry>& entries,
                      const std::string& replica) {
    for (const Entry& entry : entries) {
      tx.Execute("INSERT INTO effect VALUES ($1, $2)", entry.position, replica);
    }
    return {};
  }
  std::unique_ptr<Follower> Make(pg::Database& database, ApplyEntries apply, int breaks = -1) {
    FollowerOptions options{.name = "test<-events",
                            .max_batch = 8,
                            .min_backoff = 2ms,
                            .max_backoff = 10ms,
                            .contended_backoff = 5ms};
    OpenSource open = [this, breaks](std::int64_t after) {
      return OpenStream(hub_, after, breaks);
    };
    return std::make_unique<Follower>(database, options, open, std::move(apply));
  }
  void Start(Follower& follower) {
    boost::asio::co_spawn(pool_, follower.Run(), boost::asio::detached);
  }
  void AwaitEffects(int count) {
    while (target_.Query("SELECT count(*) FROM effect") != std::to_string(count)) {
      std::this_thread::sleep_for(5ms);
    }
  }
  void ExpectExactlyOnce(int count) {
    EXPECT_EQ(target_.Query(
                  "SELECT count(*) || ' ' || min(position) || ' ' || max(position) FROM effect"),
              std::to_string(count) + " 1 " + std::to_string(count));
    EXPECT_EQ(target_.Query("SELECT position FROM journal_cursor"), std::to_string(count));
  }
  static ApplyEntries Plain(const std::string& replica) {
    return [replica](pg::Transaction& tx, const std::vector<Entry>& entries) {
      return Apply(tx, entries, replica);
    };
  }

  pg::TestDatabase source_, target_;
  Hub hub_{source_.database()};
  boost::asio::thread_pool pool_{2};
};

// Counts what it is given.
class Counter final : public trace::Sink {
 public:
  void Take(std::unique_ptr<trace::SpanData> span) override {
    if (span->name == "process payment.created") ++count;
  }
  std::atomic<int> count{0};
};

TEST_F(FollowerTest, WhatItAppliesForARecordedTraceHasASpan) {
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  Counter counter;
  trace::Tracer tracer(clock, random, {.sink = &counter});
  pg::Database database({.conninfo = target_.conninfo(), .pool_size = 1, .tracer = &tracer});
  const auto write = [](pg::Transaction& tx) -> Status {
    for (const char* flags : {"01", "00"}) {
      const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
      Append(tx, "events", {.kind = "payment.created", .trace = trace + flags});
    }
    return {};
  };
  ASSERT_TRUE(source_.database().TransactBlocking({}, write).ok());
  auto follower = Make(database, Plain("one"));
  Start(*follower);
  AwaitEffects(2);
  while (counter.count == 0) std::this_thread::sleep_for(5ms);
  StopAll();
  EXPECT_EQ(counter.count, 1);
  ExpectExactlyOnce(2);
}

TEST_F(FollowerTest, AppliesWhatIsThereAndWhatComes) {
  Write(20);
  auto follower = Make(target_.database(), Plain("one"));
  Start(*follower);
  AwaitEffects(20);
  Write(5);
  AwaitEffects(25);
  StopAll();
  ExpectExactlyOnce(25);
  EXPECT_EQ(follower->stats().position, 25);
}

TEST_F(FollowerTest, AStreamThatBreaksIsOpenedAgainWhereItStopped) {
  Write(30);
  auto follower = Make(target_.database(), Plain("one"), 7);
  Start(*follower);
  AwaitEffects(30);
  StopAll();
  ExpectExactlyOnce(30);
  EXPECT_GE(follower->stats().opened, 4U);
}

TEST_F(FollowerTest, ABadEntryHoldsUpOnlyWhatComesAfterIt) {
  Write(20);
  auto healed = std::make_shared<std::atomic<bool>>(false);
  auto follower = Make(target_.database(),
                       [healed](pg::Transaction& tx, const std::vector<Entry>& entries) -> Status {
                         RETURN_IF_ERROR(Apply(tx, entries, "one"));
                         for (const Entry& entry : entries) {
                           if (entry.position == 12 && !*healed)
                             return Error::Internal("cannot apply this one");
                         }
                         return {};
                       });
  Start(*follower);
  AwaitEffects(11);
  while (follower->stats().failed_attempts < 3) std::this_thread::yield();
  EXPECT_EQ(target_.Query("SELECT count(*) FROM effect"), "11");
  *healed = true;
  AwaitEffects(20);
  StopAll();
  ExpectExactlyOnce(20);
}

TEST_F(FollowerTest, ACrashBetweenApplyAndCommitNeitherSkipsNorRepeats) {
  Write(40);
  auto kills = std::make_shared<std::atomic<int>>(0);
  auto follower =
      Make(target_.database(),
           [this, kills](pg::Transaction& tx, const std::vector<Entry>& entries) -> Status {
             RETURN_IF_ERROR(Apply(tx, entries, "one"));
             if ((*kills)++ % 2 == 0 && *kills < 9) target_.KillConnections();
             return {};
           });
  Start(*follower);
  AwaitEffects(40);
  StopAll();
  ExpectExactlyOnce(40);
  EXPECT_GE(*kills, 5);
}

TEST_F(FollowerTest, LostAnswersToCommitNeitherSkipNorRepeat) {
  Write(40);
  pg::TestProxy proxy(target_.conninfo());
  pg::DatabaseOptions options;
  options.conninfo = proxy.conninfo();
  options.pool_size = 1;
  pg::Database database(options);
  auto follower = Make(database, Plain("one"));
  proxy.LoseCommitReplies(3);
  Start(*follower);
  AwaitEffects(40);
  StopAll();
  EXPECT_EQ(proxy.lost(), 3);
  ExpectExactlyOnce(40);
}

TEST_F(FollowerTest, AProcessThatStartsAgainGoesOnWhereTheLastOneWas) {
  Write(10);
  {
    boost::asio::io_context context;
    boost::asio::cancellation_signal stop;
    auto first = Make(target_.database(), Plain("first"));
    boost::asio::co_spawn(context, first->Run(),
                          boost::asio::bind_cancellation_slot(stop.slot(), boost::asio::detached));
    std::thread runner([&] { context.run(); });
    AwaitEffects(10);
    boost::asio::post(context, [&] { stop.emit(boost::asio::cancellation_type::terminal); });
    runner.join();
  }
  Write(10);
  auto second = Make(target_.database(), Plain("second"));
  Start(*second);
  AwaitEffects(20);
  StopAll();
  ExpectExactlyOnce(20);
  EXPECT_EQ(target_.Query("SELECT count(*) FROM effect WHERE replica = 'second'"), "10");
}

TEST_F(FollowerTest, TwoReplicasShareTheWorkWithoutRepeatingAny) {
  pg::DatabaseOptions options;
  options.conninfo = target_.conninfo();
  options.pool_size = 2;
  pg::Database other(options);
  auto one = Make(target_.database(), Plain("one"));
  auto two = Make(other, Plain("two"));
  Start(*one);
  Start(*two);
  Write(120);
  AwaitEffects(120);
  StopAll();
  ExpectExactlyOnce(120);
}

}  // namespace
}  // namespace paymesh::outbox
