// One holder at a time, and a holder that slept too long is refused.
#include "common/pg/lease.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "common/pg/testing/test_database.h"

namespace paymesh::pg {
namespace {

using namespace std::chrono_literals;

class Lease : public testing::Test {
 protected:
  std::optional<std::int64_t> Acquire(const std::string& holder,
                                      std::chrono::milliseconds ttl = 1h) {
    return *database().TransactBlocking(
        {}, [&](Transaction& tx) -> Result<std::optional<std::int64_t>> {
          return AcquireLease(tx, "chain", holder, ttl);
        });
  }
  bool Renew(std::int64_t epoch) {
    return *database().TransactBlocking(
        {}, [&](Transaction& tx) -> Result<bool> { return RenewLease(tx, "chain", epoch, 1h); });
  }
  Status Guarded(std::int64_t epoch) {
    return database().TransactBlocking(
        {}, [&](Transaction& tx) -> Status { return RequireLease(tx, "chain", epoch); });
  }
  // As if its time had passed.
  void Lapse() { server_.Exec("UPDATE lease SET expire_time = clock_timestamp()"); }
  Database& database() { return server_.database(); }

  TestDatabase server_;
};

TEST_F(Lease, HasOneHolder) {
  EXPECT_EQ(Acquire("one"), 1);
  EXPECT_EQ(Acquire("two"), std::nullopt);
  EXPECT_TRUE(Guarded(1).ok());
  EXPECT_TRUE(Renew(1));
}

TEST_F(Lease, RefusesTheEpochOfAHolderThatPausedTooLong) {
  EXPECT_EQ(Acquire("one"), 1);
  Lapse();
  EXPECT_TRUE(Guarded(1).ok()) << "nobody else has it yet";
  EXPECT_EQ(Acquire("two"), 2);
  const Status refused = Guarded(1);
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_EQ(refused.error().reason, "LEASE_LOST");
  EXPECT_FALSE(Renew(1));
  EXPECT_TRUE(Guarded(2).ok());
}

TEST_F(Lease, IsFreeAtOnceWhenReleased) {
  EXPECT_EQ(Acquire("one"), 1);
  ASSERT_TRUE(database()
                  .TransactBlocking({},
                                    [](Transaction& tx) -> Status {
                                      ReleaseLease(tx, "chain", 1);
                                      return {};
                                    })
                  .ok());
  EXPECT_EQ(Acquire("two"), 2);
}

TEST_F(Lease, IsNotTakenOverWhileAGuardedTransactionRuns) {
  EXPECT_EQ(Acquire("one"), 1);
  std::promise<void> guarded, finish;
  std::thread holder([&] {
    const auto write = [&](Transaction& tx) -> Status {
      RETURN_IF_ERROR(RequireLease(tx, "chain", 1));
      guarded.set_value();
      finish.get_future().wait();
      return {};
    };
    EXPECT_TRUE(database().TransactBlocking({}, write).ok());
  });
  guarded.get_future().wait();
  EXPECT_TRUE(Renew(1)) << "a renewal waits for nobody";
  Lapse();
  auto taken = std::async(std::launch::async, [&] { return Acquire("two"); });
  while (server_.Query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND datname = current_database()") == "0") {
  }
  EXPECT_EQ(taken.wait_for(0s), std::future_status::timeout);
  finish.set_value();
  EXPECT_EQ(taken.get(), 2);
  holder.join();
}

TEST_F(Lease, OfManyWhoTryExactlyOneGetsIt) {
  std::vector<std::future<std::optional<std::int64_t>>> tries;
  for (int i = 0; i < 8; ++i) {
    tries.push_back(
        std::async(std::launch::async, [this, i] { return Acquire(std::to_string(i)); }));
  }
  int held = 0;
  for (auto& one : tries) held += one.get().has_value();
  EXPECT_EQ(held, 1);
}

// A keeper on a thread of its own, with a clock that the test can push on.
class Keeper {
 public:
  Keeper(const Database& like, std::string holder, std::chrono::milliseconds ttl)
      : database_(like.options()),
        keeper_(database_,
                {.name = "chain", .holder = std::move(holder), .ttl = ttl, .now = [this] {
                   return std::chrono::steady_clock::now() + skip_.load();
                 }}) {
    boost::asio::co_spawn(context_, keeper_.Run(), boost::asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Keeper() { Freeze(); }
  void Freeze() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  void Skip(std::chrono::milliseconds time) { skip_ = skip_.load() + time; }
  std::int64_t AwaitEpoch() {
    for (;;) {
      if (const auto epoch = keeper_.epoch()) return *epoch;
      std::this_thread::yield();
    }
  }
  LeaseKeeper& keeper() { return keeper_; }

 private:
  boost::asio::io_context context_;
  std::atomic<std::chrono::milliseconds> skip_{0ms};
  Database database_;  // its own: it must end before the context that it posts to
  LeaseKeeper keeper_;
  std::thread thread_;
};

TEST_F(Lease, AKeeperHoldsOnAndTheNextTakesOverWhenItFreezes) {
  Keeper first(database(), "one", 300ms);
  EXPECT_EQ(first.AwaitEpoch(), 1);
  Keeper second(database(), "two", 300ms);
  first.Freeze();
  EXPECT_EQ(second.AwaitEpoch(), 2);
  EXPECT_FALSE(Guarded(1).ok());
  EXPECT_EQ(first.keeper().epoch(), std::nullopt);
}

TEST_F(Lease, AKeeperStopsBelievingBeforeItsTimeIsOver) {
  Keeper keeper(database(), "one", 1h);
  EXPECT_EQ(keeper.AwaitEpoch(), 1);
  keeper.Freeze();
  keeper.Skip(39min);
  EXPECT_EQ(keeper.keeper().epoch(), 1);
  keeper.Skip(2min);
  EXPECT_EQ(keeper.keeper().epoch(), std::nullopt);
}

TEST_F(Lease, AKeeperGivesItBackInTheDrain) {
  Keeper keeper(database(), "one", 1h);
  EXPECT_EQ(keeper.AwaitEpoch(), 1);
  keeper.Freeze();
  keeper.keeper().Release();
  EXPECT_EQ(Acquire("two"), 2);
}

}  // namespace
}  // namespace paymesh::pg
