// What a pool, a lease and a schema show of themselves, against a real server.
#include "common/pg/metrics.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "common/pg/lease.h"
#include "common/pg/migrations/schema_check.h"
#include "common/pg/testing/test_database.h"
#include "common/pg/testing/test_run.h"

namespace paymesh::pg {
namespace {

using namespace std::chrono_literals;

class DatabaseMetricsTest : public testing::Test {
 protected:
  DatabaseMetricsTest() {
    DatabaseOptions options;
    options.conninfo = server_.conninfo();
    options.pool_size = 1;
    options.metrics = &metrics_;
    database_ = std::make_unique<Database>(std::move(options));
  }
  // The value of a sample, -1 without one.
  double Value(const std::string& series) {
    const std::string page = "\n" + metrics_.Render();
    const std::size_t at = page.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
  }
  Status Run(const char* name, const std::string& sql) {
    auto work = [sql](Transaction& tx) -> Status {
      tx.Execute(sql);
      return {};
    };
    return database_->TransactBlocking({.name = name}, work);
  }

  TestDatabase server_;
  runtime::Metrics metrics_;
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseMetricsTest, TransactionsAreTimedByTheirNames) {
  ASSERT_TRUE(Run("look", "SELECT 1").ok());
  ASSERT_TRUE(Run("look", "SELECT pg_sleep(0.3)").ok());
  EXPECT_EQ(Value("db_transaction_seconds_count{name=\"look\"}"), 2);
  EXPECT_GE(Value("db_transaction_seconds_sum{name=\"look\"}"), .3);
  EXPECT_EQ(Value("db_transactions_total{outcome=\"committed\"}"), 2);
  EXPECT_EQ(Value("db_pool_connections{state=\"idle\"}"), 1);
  EXPECT_EQ(Value("db_connections_opened_total"), 1);
}

TEST_F(DatabaseMetricsTest, WaitingForAConnectionIsMeasuredApart) {
  std::latch running(1), go(1);
  std::thread holder([&] {
    auto hold = [&](Transaction& tx) -> Status {
      tx.Execute("SELECT 1");
      running.count_down();
      go.wait();
      return {};
    };
    (void)database_->TransactBlocking({.name = "hold"}, hold).ok();
  });
  running.wait();
  std::thread waiter([&] { (void)Run("wait", "SELECT 1").ok(); });
  while (Value("db_pool_waiting") != 1) std::this_thread::sleep_for(1ms);
  std::this_thread::sleep_for(260ms);  // so that the wait has a length that can be told
  go.count_down();
  holder.join();
  waiter.join();
  EXPECT_EQ(Value("db_pool_wait_seconds_count"), 2);
  EXPECT_GE(Value("db_pool_wait_seconds_sum"), .25);
  EXPECT_LT(Value("db_transaction_seconds_sum{name=\"wait\"}"), .25);
}

TEST_F(DatabaseMetricsTest, ErrorsAreCountedByTheirSqlstatesClass) {
  EXPECT_EQ(Value("db_errors_total{sqlstate_class=\"23\"}"), 0) << "there from the start";
  server_.Exec("CREATE TABLE once (id int PRIMARY KEY); INSERT INTO once VALUES (1)");
  EXPECT_FALSE(Run("insert", "INSERT INTO once VALUES (1)").ok());
  EXPECT_FALSE(Run("divide", "SELECT 1 / 0").ok());
  EXPECT_FALSE(Run("nonsense", "SELECT FROM WHERE").ok());
  EXPECT_EQ(Value("db_errors_total{sqlstate_class=\"23\"}"), 1);
  EXPECT_EQ(Value("db_errors_total{sqlstate_class=\"22\"}"), 1);
  EXPECT_EQ(Value("db_errors_total{sqlstate_class=\"other\"}"), 1);
  server_.KillConnections();
  EXPECT_TRUE(Run("look", "SELECT 1").ok()) << "tried again";
  EXPECT_EQ(Value("db_errors_total{sqlstate_class=\"08\"}") +
                Value("db_errors_total{sqlstate_class=\"57\"}"),
            1);
}

TEST_F(DatabaseMetricsTest, ALeaseShowsWhetherItIsHeld) {
  LeaseKeeper lease(*database_, {.name = "wallet:0xabc", .holder = "me"});
  ExportLease(metrics_, "wallet", lease);
  EXPECT_EQ(Value("lease_held{lease=\"wallet\"}"), 0);
  boost::asio::io_context context;
  auto run = StartTask(context, [](LeaseKeeper& keeper) -> Task<int> {
    co_await keeper.Run();
    co_return 0;
  }(lease));
  while (!lease.epoch()) context.run_one_for(100ms);
  EXPECT_EQ(Value("lease_held{lease=\"wallet\"}"), 1);
  lease.Release();
  EXPECT_EQ(Value("lease_held{lease=\"wallet\"}"), 0);
}

TEST_F(DatabaseMetricsTest, ASchemaThatIsOlderThanTheProgramShows) {
  std::vector<Migration> migrations = CommonMigrations();
  SchemaCheck check(*database_, migrations, metrics_);
  EXPECT_TRUE(RunTask(check.Run()).ok());
  EXPECT_EQ(Value("db_schema_version"), migrations.back().version);
  EXPECT_EQ(Value("db_schema_version_known"), migrations.back().version);
  migrations.push_back({77, "later", "SELECT 1"});
  SchemaCheck newer(*database_, migrations, metrics_);
  EXPECT_EQ(RunTask(newer.Run()).error().reason, "SCHEMA_OLD");
  EXPECT_EQ(Value("db_schema_version_known"), 77);
}

}  // namespace
}  // namespace paymesh::pg
