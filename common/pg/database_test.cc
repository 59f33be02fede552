// The pool and its promises, against a real server: contention, killed connections, lost answers.
#include "common/pg/database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <future>
#include <latch>
#include <thread>

#include "common/pg/testing/test_database.h"
#include "common/pg/testing/test_proxy.h"
#include "common/pg/testing/test_run.h"

namespace paymesh::pg {
namespace {

using namespace std::chrono_literals;

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    server_.Exec(
        "CREATE TABLE account (id text PRIMARY KEY, balance numeric(78,0) NOT NULL"
        " CHECK (balance >= 0)); INSERT INTO account VALUES ('a', 100), ('b', 100)");
  }
  DatabaseOptions Options(int pool_size) const {
    DatabaseOptions options;
    options.conninfo = server_.conninfo();
    options.pool_size = pool_size;
    return options;
  }
  std::string Balance(const std::string& id) {
    return server_.Query("SELECT balance FROM account WHERE id = '" + id + "'");
  }
  // Makes one connection, so that there is one to break.
  static void WarmUp(Database& database) { ASSERT_TRUE(database.TransactBlocking({}, Ping).ok()); }
  static Status Ping(Transaction& tx) {
    tx.Execute("SELECT 1");
    return {};
  }
  static Status AddOne(Transaction& tx) {
    tx.Execute("UPDATE account SET balance = balance + 1 WHERE id = 'a'");
    return {};
  }

  TestDatabase server_;
};

TEST_F(DatabaseTest, CommitsWhatReturnsOkAndRollsBackTheRest) {
  Database database(Options(2));
  EXPECT_TRUE(database.TransactBlocking({}, AddOne).ok());
  const auto refuse = [](Transaction& tx) -> Result<int> {
    tx.Execute("UPDATE account SET balance = 0");
    return Error::FailedPrecondition("NO", "changed our mind");
  };
  EXPECT_EQ(database.TransactBlocking({}, refuse).error().reason, "NO");
  const auto bug = [](Transaction& tx) -> Result<int> {
    tx.Execute("UPDATE account SET balance = 0");
    throw std::logic_error("a bug");
  };
  EXPECT_EQ(database.TransactBlocking({}, bug).error().code, ErrorCode::kInternal);
  EXPECT_EQ(Balance("a"), "101");
}

TEST_F(DatabaseTest, ReturnsTheFunctionsValueToItsCoroutine) {
  Database database(Options(2));
  auto read = [](Transaction& tx) -> Result<U256> {
    return tx.Execute("SELECT balance FROM account WHERE id = $1", "b")
        .front()
        .Get<U256>("balance");
  };
  EXPECT_EQ(*RunTask(database.Transact({.name = "read"}, read)), U256(100));
}

TEST_F(DatabaseTest, RunsHooksLastAndRollsBackWhenOneFails) {
  Database database(Options(1));
  const auto work = [](Transaction& tx) -> Status {
    tx.BeforeCommit([](Transaction& ending) {
      ending.Execute("UPDATE account SET balance = balance * 2 WHERE id = 'a'");
      ending.BeforeCommit([](Transaction& last) { (void)AddOne(last); });
    });
    return AddOne(tx);
  };
  EXPECT_TRUE(database.TransactBlocking({}, work).ok());
  EXPECT_EQ(Balance("a"), "203");
  const auto failing = [](Transaction& tx) -> Status {
    tx.BeforeCommit([](Transaction& ending) { ending.Execute("SELECT 1/0"); });
    return AddOne(tx);
  };
  EXPECT_FALSE(database.TransactBlocking({}, failing).ok());
  EXPECT_EQ(Balance("a"), "203");
}

TEST_F(DatabaseTest, AnErrorThatTheFunctionSwallowedDoesNotLookLikeSuccess) {
  Database database(Options(1));
  const auto work = [](Transaction& tx) -> Status {
    (void)AddOne(tx);
    try {
      tx.Execute("SELECT 1/0");
    } catch (const SqlError&) {
    }
    return {};
  };
  EXPECT_EQ(database.TransactBlocking({}, work).error().code, ErrorCode::kInternal);
  EXPECT_EQ(Balance("a"), "100");
}

TEST_F(DatabaseTest, MapsAUniqueViolationWithItsConstraint) {
  Database database(Options(1));
  const auto insert = [](Transaction& tx) -> Status {
    tx.Execute("INSERT INTO account VALUES ($1, $2)", "a", U256(1));
    return {};
  };
  const Status status = database.TransactBlocking({}, insert);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(status.error().reason, "UNIQUE_VIOLATION");
  EXPECT_EQ(status.error().metadata.at("constraint"), "account_pkey");
  const auto overdraw = [](Transaction& tx) -> Status {
    tx.Execute("UPDATE account SET balance = balance - 1000");
    return {};
  };
  const Status check = database.TransactBlocking({}, overdraw);
  EXPECT_EQ(check.error().reason, "CONSTRAINT_VIOLATION");
  EXPECT_EQ(check.error().metadata.at("constraint"), "account_balance_check");
}

TEST_F(DatabaseTest, RunsSerializationFailuresAgainUntilAllHaveSucceeded) {
  Database database(Options(6));
  const auto move = [](Transaction& tx) -> Status {
    const U256 balance =
        tx.Execute("SELECT balance FROM account WHERE id = 'a'").front().Get<U256>("balance");
    tx.Execute("UPDATE account SET balance = $1 WHERE id = 'a'", *CheckedAdd(balance, U256(1)));
    return {};
  };
  TransactOptions options{.isolation = Isolation::kSerializable, .max_attempts = 100};
  std::vector<std::thread> threads;
  std::atomic<int> succeeded{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) succeeded += database.TransactBlocking(options, move).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(succeeded, 60);
  EXPECT_EQ(Balance("a"), "160");
  EXPECT_GT(database.stats().retried, 0U);
}

TEST_F(DatabaseTest, RunsTheVictimOfADeadlockAgain) {
  server_.Exec("ALTER SYSTEM SET deadlock_timeout = '50ms'");
  server_.Exec("SELECT pg_reload_conf()");
  Database database(Options(2));
  std::atomic<int> runs{0};
  std::latch both_hold_one(2);
  const auto cross = [&](const char* first, const char* second) {
    return database.TransactBlocking({}, [&, first, second](Transaction& tx) -> Status {
      tx.Execute("UPDATE account SET balance = balance + 1 WHERE id = $1", first);
      if (runs++ < 2) both_hold_one.arrive_and_wait();
      tx.Execute("UPDATE account SET balance = balance + 1 WHERE id = $1", second);
      return {};
    });
  };
  std::thread other([&] { EXPECT_TRUE(cross("a", "b").ok()); });
  EXPECT_TRUE(cross("b", "a").ok());
  other.join();
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(Balance("a"), "102");
  EXPECT_EQ(Balance("b"), "102");
}

TEST_F(DatabaseTest, RunsATransactionAgainWhoseConnectionWasKilledInTheMiddle) {
  Database database(Options(1));
  int runs = 0;
  const auto work = [&](Transaction& tx) -> Status {
    (void)AddOne(tx);
    if (runs++ == 0) server_.KillConnections();
    tx.Execute("SELECT 1");
    return {};
  };
  EXPECT_TRUE(database.TransactBlocking({}, work).ok());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Balance("a"), "101");
}

TEST_F(DatabaseTest, AnIdleConnectionThatDiedIsReplacedUnnoticed) {
  Database database(Options(1));
  WarmUp(database);
  server_.KillConnections();
  EXPECT_TRUE(database.TransactBlocking({}, AddOne).ok());
  EXPECT_EQ(Balance("a"), "101");
}

TEST_F(DatabaseTest, SaysSoWhenTheAnswerToCommitIsLost) {
  TestProxy proxy(server_.conninfo());
  DatabaseOptions options = Options(1);
  options.conninfo = proxy.conninfo();
  Database database(options);
  WarmUp(database);
  proxy.LoseCommitReplies(1);
  const Status status = database.TransactBlocking({}, AddOne);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(status.error().reason, "COMMIT_UNKNOWN");
  EXPECT_EQ(proxy.lost(), 1);
  EXPECT_EQ(Balance("a"), "101");
}

TEST_F(DatabaseTest, AnIdempotentTransactionSurvivesALostAnswerWithOneEffect) {
  TestProxy proxy(server_.conninfo());
  DatabaseOptions options = Options(1);
  options.conninfo = proxy.conninfo();
  Database database(options);
  WarmUp(database);
  proxy.LoseCommitReplies(1);
  int runs = 0;
  const auto once = [&](Transaction& tx) -> Status {
    ++runs;
    tx.Execute("INSERT INTO account VALUES ('new', 1) ON CONFLICT DO NOTHING");
    return {};
  };
  EXPECT_TRUE(database.TransactBlocking({.idempotent = true}, once).ok());
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Balance("new"), "1");
}

TEST_F(DatabaseTest, RefusesAtOnceWhenTooManyWait) {
  DatabaseOptions options = Options(1);
  options.max_waiting = 2;
  Database database(options);
  std::promise<void> release, entered;
  auto released = release.get_future().share();
  std::thread holder([&] {
    (void)database.TransactBlocking({}, [&](Transaction&) -> Status {
      entered.set_value();
      released.wait();
      return {};
    });
  });
  entered.get_future().wait();
  std::vector<std::thread> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.emplace_back([&] { EXPECT_TRUE(database.TransactBlocking({}, AddOne).ok()); });
  }
  while (database.stats().waiting < 2) std::this_thread::yield();
  const Status refused = database.TransactBlocking({}, AddOne);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().reason, "OVERLOADED");
  EXPECT_TRUE(refused.error().retry_after.has_value());
  release.set_value();
  holder.join();
  for (auto& thread : waiting) thread.join();
  EXPECT_EQ(Balance("a"), "102");
}

TEST_F(DatabaseTest, EndsAStatementAtTheDeadline) {
  Database database(Options(1));
  WarmUp(database);
  const auto sleep = [](Transaction& tx) -> Status {
    tx.Execute("SELECT pg_sleep(30)");
    return {};
  };
  const auto start = std::chrono::steady_clock::now();
  const Status status = database.TransactBlocking({.deadline = start + 200ms}, sleep);
  EXPECT_EQ(status.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  EXPECT_EQ(database.TransactBlocking({.deadline = start}, sleep).error().reason, "OVERLOADED");
}

TEST_F(DatabaseTest, SaysUnavailableWithoutAServerAndRecoversByItself) {
  DatabaseOptions options = Options(1);
  options.conninfo = "host=127.0.0.1 port=1 dbname=none user=none";
  Database database(options);
  const Status status = database.TransactBlocking({}, AddOne);
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(status.error().reason, "DATABASE_UNAVAILABLE");
}

TEST_F(DatabaseTest, AReadOnlyServerIsUnavailableNotBroken) {
  Database database(Options(1));
  const Status status = database.TransactBlocking({.access = Access::kReadOnly}, AddOne);
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(status.error().reason, "DATABASE_READ_ONLY");
}

TEST_F(DatabaseTest, EachSessionIsSetUpForWhatTheCodeReliesOn) {
  server_.Exec("ALTER DATABASE " + server_.Query("current_database()") +
               " SET synchronous_commit = off");
  server_.Exec("ALTER DATABASE " + server_.Query("current_database()") +
               " SET TimeZone = 'Asia/Tokyo'");
  Database database(Options(1));
  const auto show = [](Transaction& tx) -> Result<std::string> {
    RETURN_IF_ERROR(CheckServer(tx));
    return tx
        .Execute(
            "SELECT current_setting('TimeZone') || ' ' ||"
            " current_setting('statement_timeout') AS value")
        .front()
        .Get<std::string>("value");
  };
  const Result<std::string> settings = database.TransactBlocking({}, show);
  ASSERT_TRUE(settings.ok()) << settings.error().ToString();
  EXPECT_EQ(*settings, "UTC 10s");
}

TEST_F(DatabaseTest, KeepsABoundedNumberOfPreparedStatements) {
  DatabaseOptions options = Options(1);
  options.max_prepared = 4;
  Database database(options);
  const auto many = [](Transaction& tx) -> Result<std::int64_t> {
    for (int i = 0; i < 20; ++i) tx.Execute("SELECT " + std::to_string(i % 7) + " AS value");
    return tx.Execute("SELECT count(*) AS value FROM pg_prepared_statements")
        .front()
        .Get<std::int64_t>("value");
  };
  EXPECT_LE(*database.TransactBlocking({}, many), 4);
}

TEST_F(DatabaseTest, SurvivesAChangeOfTheSchemaUnderItsPreparedStatements) {
  Database database(Options(1));
  const auto read = [](Transaction& tx) -> Result<std::size_t> {
    return tx.Execute("SELECT * FROM account").size();
  };
  EXPECT_TRUE(database.TransactBlocking({}, read).ok());
  server_.Exec("ALTER TABLE account ADD note text");
  EXPECT_TRUE(database.TransactBlocking({}, read).ok());
}

// The caller comes back on the strand that it left, on whichever thread that runs.
Task<bool> StaysOnStrand(Database& database,
                         boost::asio::strand<boost::asio::any_io_executor> strand) {
  for (int i = 0; i < 50; ++i) {
    auto ping = [](Transaction& tx) -> Status {
      tx.Execute("SELECT 1");
      return {};
    };
    const Status status = co_await database.Transact({}, ping);
    if (!status.ok() || !strand.running_in_this_thread()) co_return false;
  }
  co_return true;
}

TEST_F(DatabaseTest, ResumesItsCallersOnTheirStrands) {
  Database database(Options(4));
  boost::asio::io_context context;
  std::vector<std::future<bool>> results;
  for (int i = 0; i < 8; ++i) {
    auto strand = boost::asio::make_strand(boost::asio::any_io_executor(context.get_executor()));
    results.push_back(StartTask(strand, StaysOnStrand(database, strand)));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context.run(); });
  for (auto& thread : threads) thread.join();
  for (auto& result : results) EXPECT_TRUE(result.get());
}

TEST_F(DatabaseTest, ACancelledCallerLeavesWhileTheTransactionEndsWell) {
  Database database(Options(1));
  boost::asio::io_context context;
  boost::asio::cancellation_signal cancel;
  auto entered = std::make_shared<std::promise<void>>();
  auto release = std::make_shared<std::promise<void>>();
  auto released = release->get_future().share();
  auto work = [entered, released](Transaction& tx) -> Status {
    entered->set_value();
    released.wait();
    return AddOne(tx);
  };
  std::exception_ptr thrown;
  boost::asio::co_spawn(
      context, database.Transact({}, work),
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr error, Status) { thrown = error; }));
  std::thread runner([&] { context.run(); });
  entered->get_future().wait();
  boost::asio::post(context, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
  runner.join();
  EXPECT_TRUE(runtime::IsCancellation(thrown));
  release->set_value();
  EXPECT_TRUE(database.TransactBlocking({}, AddOne).ok());
  EXPECT_EQ(Balance("a"), "102");
}

TEST_F(DatabaseTest, ClosingEndsWhatWaits) {
  DatabaseOptions options = Options(1);
  Database database(options);
  database.Close();
  EXPECT_EQ(database.TransactBlocking({}, AddOne).error().reason, "SHUTTING_DOWN");
}

}  // namespace
}  // namespace paymesh::pg
