// Positions are dense and visible in the order of commit, whoever else is busy.
#include "common/outbox/append.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "common/pg/testing/test_database.h"

namespace paymesh::outbox {
namespace {

using namespace std::chrono_literals;

class AppendTest : public testing::Test {
 protected:
  static Status AppendOne(pg::Transaction& tx, const std::string& subject) {
    Append(tx, "events", {.subject = subject, .kind = "k", .payload = "p"});
    return {};
  }
  Page Read(std::int64_t after, int limit, Filter filter = {}) {
    const Result<Page> page = database().TransactBlocking(
        {}, [&](pg::Transaction& tx) { return ReadPage(tx, "events", after, limit, filter); });
    EXPECT_TRUE(page.ok()) << page.error().ToString();
    return *page;
  }
  pg::Database& database() { return server_.database(); }

  pg::TestDatabase server_;
};

TEST_F(AppendTest, WritesWhatTheTransactionAppendedInItsOrder) {
  const auto write = [](pg::Transaction& tx) -> Status {
    Append(tx, "events",
           {.subject = "s1",
            .owner = "o",
            .kind = "a",
            .payload = std::string("\0x", 2),
            .trace = "t"});
    Append(tx, "other", {.kind = "b"});
    Append(tx, "events", {.subject = "s2", .kind = "c"});
    return {};
  };
  ASSERT_TRUE(database().TransactBlocking({}, write).ok());
  ASSERT_TRUE(database().TransactBlocking({}, write).ok());
  const Page page = Read(0, 10);
  ASSERT_EQ(page.entries.size(), 4U);
  EXPECT_EQ(page.scanned, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(page.entries[i]->position, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(page.entries[i]->subject, i % 2 == 0 ? "s1" : "s2");
  }
  EXPECT_EQ(page.entries[0]->payload, std::string("\0x", 2));
  EXPECT_EQ(page.entries[0]->owner + page.entries[0]->kind + page.entries[0]->trace, "oat");
  EXPECT_EQ(server_.Query("SELECT position FROM journal_head WHERE journal = 'other'"), "2");
}

TEST_F(AppendTest, ARolledBackTransactionLeavesNoGap) {
  const auto write = [](pg::Transaction& tx) { return AppendOne(tx, "kept"); };
  const auto fail = [](pg::Transaction& tx) -> Status {
    (void)AppendOne(tx, "lost");
    tx.BeforeCommit([](pg::Transaction& ending) { ending.Execute("SELECT 1/0"); });
    return {};
  };
  ASSERT_TRUE(database().TransactBlocking({}, write).ok());
  EXPECT_FALSE(database().TransactBlocking({}, fail).ok());
  ASSERT_TRUE(database().TransactBlocking({}, write).ok());
  EXPECT_EQ(Read(0, 10).entries.back()->position, 2);
}

TEST_F(AppendTest, FiltersAndPages) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(database()
                    .TransactBlocking({},
                                      [&](pg::Transaction& tx) -> Status {
                                        Append(tx, "events",
                                               {.subject = "s" + std::to_string(i % 2),
                                                .owner = "o" + std::to_string(i % 5),
                                                .kind = "k"});
                                        return {};
                                      })
                    .ok());
  }
  EXPECT_EQ(Read(0, 3).scanned, 3);
  EXPECT_EQ(Read(0, 10, {.subject = "s1"}).entries.size(), 5U);
  EXPECT_EQ(Read(0, 2, {.subject = "s1"}).scanned, 4);
  EXPECT_EQ(Read(4, 10, {.owner = "o0"}).entries.size(), 1U);
  EXPECT_EQ(Read(0, 10, {.subject = "s1", .owner = "o1"}).entries.size(), 1U);
  EXPECT_EQ(Read(0, 10, {.subject = "none"}).scanned, 10);
  const auto ahead = database().TransactBlocking(
      {}, [](pg::Transaction& tx) { return ReadPage(tx, "events", 11, 10); });
  EXPECT_EQ(ahead.error().reason, "POSITION_AHEAD");
}

TEST_F(AppendTest, EntriesCannotBeChangedOrRemoved) {
  ASSERT_TRUE(
      database().TransactBlocking({}, [](pg::Transaction& tx) { return AppendOne(tx, "s"); }).ok());
  for (const char* sql : {"UPDATE journal_entry SET kind = 'x'", "DELETE FROM journal_entry",
                          "TRUNCATE journal_entry", "UPDATE journal_head SET position = 0",
                          "DELETE FROM journal_head"}) {
    const auto tamper = [sql](pg::Transaction& tx) -> Status {
      tx.Execute(sql);
      return {};
    };
    EXPECT_EQ(database().TransactBlocking({}, tamper).error().reason, "CONSTRAINT_VIOLATION")
        << sql;
  }
}

TEST_F(AppendTest, ALongTransactionElsewhereHoldsNothingUp) {
  std::promise<void> started, finish;
  std::thread slow([&] {
    (void)database()
        .TransactBlocking({},
                          [&](pg::Transaction& tx) -> Status {
                            tx.Execute("SELECT txid_current()");
                            RETURN_IF_ERROR(AppendOne(tx, "slow"));
                            started.set_value();
                            finish.get_future().wait();
                            return {};
                          })
        .ok();
  });
  started.get_future().wait();
  ASSERT_TRUE(database()
                  .TransactBlocking({}, [](pg::Transaction& tx) { return AppendOne(tx, "fast"); })
                  .ok());
  EXPECT_EQ(Read(0, 10).entries.at(0)->subject, "fast");
  finish.set_value();
  slow.join();
  EXPECT_EQ(Read(0, 10).entries.at(1)->subject, "slow");
}

// Reads on as a follower would; every position must be the next one, so none can ever appear below
// one already seen.
void ReadToEnd(pg::Database& database, std::int64_t end, std::atomic<bool>& failed) {
  std::int64_t after = 0;
  while (after < end && !failed) {
    const Result<Page> page = database.TransactBlocking(
        {}, [&](pg::Transaction& tx) { return ReadPage(tx, "events", after, 100); });
    if (!page.ok()) failed = true;
    for (std::size_t i = 0; page.ok() && i < page->entries.size(); ++i) {
      if (page->entries[i]->position != ++after) failed = true;
    }
    if (page.ok() && page->scanned != after) failed = true;
  }
}

TEST_F(AppendTest, ReadersNeverSeeAPositionAppearBelowOneTheyHaveSeen) {
  constexpr int kWriters = 32, kEach = 25;
  pg::DatabaseOptions options;
  options.conninfo = server_.conninfo();
  options.pool_size = 12;
  pg::Database writers(options);
  options.pool_size = 3;
  pg::Database readers(options);
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int r = 0; r < 3; ++r) {
    threads.emplace_back([&] { ReadToEnd(readers, kWriters * kEach, failed); });
  }
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const auto write = [w, i](pg::Transaction& tx) -> Status {
          tx.Execute("SELECT pg_sleep($1::int * 0.0001)", (w * 7 + i) % 10);
          return AppendOne(tx, std::to_string(w));
        };
        if (!writers.TransactBlocking({}, write).ok()) failed = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  EXPECT_EQ(server_.Query("SELECT count(*) = max(position) FROM journal_entry"), "true");
}

}  // namespace
}  // namespace paymesh::outbox
