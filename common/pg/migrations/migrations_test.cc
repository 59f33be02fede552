// From nothing, again, side by side, and when somebody has tampered.
#include "common/pg/migrations/migrations.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "common/pg/audit.h"
#include "common/pg/testing/test_database.h"

namespace paymesh::pg {
namespace {

const std::vector<Migration> kThree = {
    {10, "first", "CREATE TABLE one (id int); INSERT INTO one VALUES (1);"},
    {11, "second", "ALTER TABLE one ADD name text DEFAULT 'a;b$$c'"},
    {12, "third", "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS $$ SELECT 2; $$"}};

class Migrations : public testing::Test {
 protected:
  Status Ready(const std::vector<Migration>& list) {
    return empty_.database().TransactBlocking(
        {}, [&](Transaction& tx) -> Status { return RequireSchema(tx, list); });
  }
  std::vector<Migration> Changed(std::size_t index, std::string_view sql) const {
    std::vector<Migration> list = kThree;
    list[index].sql = sql;
    return list;
  }
  std::string Reason(const std::vector<Migration>& list) {
    const Result<MigrationReport> report = Migrate(empty_.conninfo(), list);
    return report.ok() ? "" : report.error().reason;
  }

  TestDatabase empty_{{}};
};

TEST_F(Migrations, BuildTheSchemaFromNothing) {
  EXPECT_EQ(Ready(kThree).error().reason, "SCHEMA_OLD");
  const Result<MigrationReport> report = Migrate(empty_.conninfo(), kThree);
  ASSERT_TRUE(report.ok()) << report.error().ToString();
  EXPECT_EQ(report->version, 12);
  EXPECT_EQ(report->applied, (std::vector<int>{10, 11, 12}));
  EXPECT_EQ(empty_.Query("SELECT name FROM one"), "a;b$$c");
  EXPECT_TRUE(Ready(kThree).ok());
}

TEST_F(Migrations, DoNothingTheSecondTime) {
  ASSERT_EQ(Reason(kThree), "");
  const Result<MigrationReport> again = Migrate(empty_.conninfo(), kThree);
  EXPECT_TRUE(again->applied.empty());
  EXPECT_EQ(again->version, 12);
}

TEST_F(Migrations, ApplyOnlyWhatIsNew) {
  ASSERT_EQ(Reason({kThree[0]}), "");
  EXPECT_EQ(Ready(kThree).error().reason, "SCHEMA_OLD");
  EXPECT_EQ(Migrate(empty_.conninfo(), kThree)->applied, (std::vector<int>{11, 12}));
}

TEST_F(Migrations, RefuseAnAppliedOneThatHasChanged) {
  ASSERT_EQ(Reason(kThree), "");
  const auto changed = Changed(1, "ALTER TABLE one ADD name text DEFAULT 'x'");
  EXPECT_EQ(Reason(changed), "MIGRATION_TAMPERED");
  EXPECT_EQ(Ready(changed).error().reason, "MIGRATION_TAMPERED");
  empty_.Exec("UPDATE schema_migrations SET checksum = 'other' WHERE version = 12");
  EXPECT_EQ(Reason(kThree), "MIGRATION_TAMPERED");
}

TEST_F(Migrations, LeaveNothingBehindWhenOneFails) {
  const auto broken = Changed(2, "CREATE TABLE half (id int); SELECT nonsense");
  const Result<MigrationReport> report = Migrate(empty_.conninfo(), broken);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().reason, "MIGRATION_FAILED");
  EXPECT_NE(report.error().message.find("migration 12"), std::string::npos);
  EXPECT_EQ(empty_.Query("to_regclass('one') IS NULL"), "true");
  EXPECT_EQ(Reason(kThree), "");
}

TEST_F(Migrations, RefuseAGapAnUnknownAndDisorder) {
  EXPECT_EQ(Reason({kThree[1], kThree[0]}), "MIGRATION_ORDER");
  ASSERT_EQ(Reason({kThree[0], kThree[2]}), "");
  EXPECT_EQ(Reason(kThree), "MIGRATION_ORDER");
  EXPECT_EQ(Reason({kThree[2]}), "MIGRATION_UNKNOWN");
}

TEST_F(Migrations, AcceptADatabaseThatANewerProgramHasMigrated) {
  ASSERT_EQ(Reason(kThree), "");
  EXPECT_EQ(Reason({kThree[0], kThree[1]}), "");
  EXPECT_TRUE(Ready({kThree[0], kThree[1]}).ok());
}

TEST_F(Migrations, ManyMayRunAtOnce) {
  std::atomic<int> applied{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Result<MigrationReport> report = Migrate(empty_.conninfo(), kThree);
      ASSERT_TRUE(report.ok()) << report.error().ToString();
      applied += static_cast<int>(report->applied.size());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(applied, 3);
}

TEST_F(Migrations, TheCommonOnesMayJoinAnOlderDatabase) {
  ASSERT_EQ(Reason(kThree), "");
  std::vector<Migration> all = CommonMigrations();
  all.insert(all.end(), kThree.begin(), kThree.end());
  EXPECT_EQ(Reason(all), "");
  EXPECT_TRUE(Ready(all).ok());
}

TEST(AuditTable, RecordsAndNeverForgets) {
  TestDatabase database;
  const auto record = [](Transaction& tx) -> Status {
    Audit(tx, "ada", "ApprovePayout", "pot_1", R"({"reason": "checked"})");
    return {};
  };
  ASSERT_TRUE(database.database().TransactBlocking({}, record).ok());
  EXPECT_EQ(database.Query("SELECT actor || action || (detail->>'reason') FROM audit"),
            "adaApprovePayoutchecked");
  for (const char* change :
       {"UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "TRUNCATE audit"}) {
    const auto tamper = [change](Transaction& tx) -> Status {
      tx.Execute(change);
      return {};
    };
    EXPECT_EQ(database.database().TransactBlocking({}, tamper).error().reason,
              "CONSTRAINT_VIOLATION");
  }
}

}  // namespace
}  // namespace paymesh::pg
