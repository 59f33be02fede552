#include "services/settlement/store/ledger_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "common/pg/testing/test_database.h"
#include "migrations/settlement.h"

namespace paymesh::settlement {
namespace {

const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
const AccountKey kDeposits{AccountCode::kDeposits, "eip155:31337", kUnit};

AccountKey Unconfirmed(const std::string& merchant) {
  return {AccountCode::kMerchantUnconfirmed, merchant, kUnit};
}
AccountKey Available(const std::string& merchant) {
  return {AccountCode::kMerchantAvailable, merchant, kUnit};
}

JournalDraft Arrival(const std::string& event, std::uint64_t amount,
                     const std::string& merchant = "mer_1") {
  JournalDraft draft;
  draft.rule = "P1";
  draft.event_id = event;
  draft.legs = Move(kDeposits, Unconfirmed(merchant), U256(amount));
  draft.merchant_id = merchant;
  draft.block = BlockEvidence{"eip155:31337", 7, "0xb7", Time(std::chrono::seconds(1'700'000'000))};
  return draft;
}

class LedgerStoreTest : public ::testing::Test {
 protected:
  Result<std::vector<Journal>> PostAll(const std::vector<JournalDraft>& drafts) {
    return database_.database().TransactBlocking(
        {}, [&](pg::Transaction& tx) { return Post(tx, drafts); });
  }
  // The SQLSTATE that a script ends with, "" when it runs.
  std::string Raw(const std::string& sql) {
    std::string state;
    auto run = [&](pg::Transaction& tx) -> Status {
      try {
        tx.Script(sql);
      } catch (const pg::SqlError& error) {
        state = error.sqlstate();
        throw;
      }
      return {};
    };
    (void)database_.database().TransactBlocking({}, run);
    return state;
  }
  U256 Balance(const AccountKey& account) {
    return *database_.database().TransactBlocking(
        {}, [&](pg::Transaction& tx) { return Result<U256>(LockedBalance(tx, account)); });
  }

  pg::TestDatabase database_{SettlementMigrations()};
};

TEST_F(LedgerStoreTest, PostsABatchAndMovesEachAccountByItsSum) {
  const auto posted = PostAll({Arrival("trf_1", 100), Arrival("trf_2", 23)});
  ASSERT_TRUE(posted.ok()) << posted.error().ToString();
  EXPECT_EQ((*posted)[0].sequence, 1);
  EXPECT_EQ((*posted)[1].sequence, 2);
  EXPECT_TRUE((*posted)[1].newly_posted);
  EXPECT_EQ(Balance(Unconfirmed("mer_1")), U256(123));
  EXPECT_EQ(database_.Query("SELECT leg_count FROM ledger_account WHERE code = 1100"), "2");
}

TEST_F(LedgerStoreTest, PostsOnceHoweverOftenItIsAsked) {
  const std::vector<JournalDraft> drafts = {Arrival("trf_1", 100), Arrival("trf_1", 100)};
  const auto first = PostAll(drafts);
  const auto again = PostAll(drafts);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_FALSE((*first)[1].newly_posted);
  EXPECT_FALSE((*again)[0].newly_posted);
  EXPECT_EQ((*again)[0].journal_id, (*first)[0].journal_id);
  EXPECT_EQ(Balance(Unconfirmed("mer_1")), U256(100));
  const auto other = PostAll({Arrival("trf_1", 99)});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().reason, "JOURNAL_CONFLICT");
}

TEST_F(LedgerStoreTest, RefusesWhatDoesNotBalance) {
  JournalDraft draft = Arrival("trf_1", 100);
  draft.legs[1].amount = U256(99);
  EXPECT_FALSE(PostAll({draft}).ok());
  ASSERT_TRUE(PostAll({Arrival("trf_1", 100)}).ok());
  const std::string journal =
      "INSERT INTO ledger_journal (sequence, journal_id, rule, event_id, incarnation)"
      " VALUES (99, 'jrn_x', 'P1', 'trf_x', 1);";
  EXPECT_EQ(Raw(journal + "INSERT INTO ledger_leg SELECT 99, 1, account_number, true, 5"
                          " FROM ledger_account WHERE code = 1100;"),
            "23514");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM ledger_journal"), "1");
}

TEST_F(LedgerStoreTest, KeepsWhatWasPosted) {
  ASSERT_TRUE(PostAll({Arrival("trf_1", 100)}).ok());
  for (const char* sql : {"UPDATE ledger_leg SET amount = 1;", "DELETE FROM ledger_leg;",
                          "TRUNCATE ledger_leg;", "UPDATE ledger_journal SET rule = 'P2';",
                          "DELETE FROM ledger_journal;", "UPDATE ledger_account SET credits = 0;",
                          "DELETE FROM ledger_account;", "UPDATE ledger_head SET sequence = 0;"}) {
    EXPECT_NE(Raw(sql), "") << sql;
  }
  EXPECT_EQ(Balance(Unconfirmed("mer_1")), U256(100));
}

TEST_F(LedgerStoreTest, NeverLetsAMerchantFallBelowZero) {
  ASSERT_TRUE(PostAll({Arrival("trf_1", 100)}).ok());
  JournalDraft draft;
  draft.rule = "P2";
  draft.event_id = "trf_1";
  draft.legs =
      Move(Unconfirmed("mer_1"), {AccountCode::kMerchantPending, "mer_1", kUnit}, U256(101));
  const auto posted = PostAll({draft});
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().reason, "CONSTRAINT_VIOLATION");
  EXPECT_EQ(Balance(Unconfirmed("mer_1")), U256(100));
}

TEST_F(LedgerStoreTest, ReversesAJournalOnce) {
  const auto posted = PostAll({Arrival("trf_1", 100)});
  ASSERT_TRUE(posted.ok());
  JournalDraft reversal = Reverse(posted->front(), "gone");
  ASSERT_TRUE(PostAll({reversal}).ok());
  EXPECT_EQ(Balance(Unconfirmed("mer_1")), U256());
  reversal.incarnation = 2;
  EXPECT_FALSE(PostAll({reversal}).ok());
  const auto journals = database_.database().TransactBlocking({}, [](pg::Transaction& tx) {
    return Result<std::vector<EventJournal>>(JournalsOf(tx, {"trf_1"}));
  });
  ASSERT_EQ(journals->size(), 1u);
  EXPECT_TRUE(journals->front().reversed);
  EXPECT_EQ(journals->front().journal.legs, posted->front().legs);
  EXPECT_EQ(journals->front().journal.block, posted->front().block);
}

TEST_F(LedgerStoreTest, ResolvesAReversalOfTheSameBatch) {
  Journal first;
  static_cast<JournalDraft&>(first) = Arrival("trf_1", 100);
  const auto posted = PostAll({first, Reverse(first, "gone")});
  ASSERT_TRUE(posted.ok());
  EXPECT_EQ((*posted)[1].reverses_journal_id, (*posted)[0].journal_id);
}

TEST_F(LedgerStoreTest, TakesManyWritersOnOneHotAccount) {
  constexpr int kWriters = 4, kRounds = 25;
  std::vector<std::thread> writers;
  std::atomic<int> failed{0};
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string event = "trf_" + std::to_string(w) + "_" + std::to_string(i);
        if (!PostAll({Arrival(event, 1), Arrival(event + "b", 2, "mer_2")}).ok()) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Balance(kDeposits), U256(3 * kWriters * kRounds));
  EXPECT_EQ(database_.Query("SELECT max(sequence) = count(*) FROM ledger_journal"), "true");
}

TEST_F(LedgerStoreTest, ListsNewestFirstAndByFilter) {
  ASSERT_TRUE(
      PostAll({Arrival("trf_1", 1), Arrival("trf_2", 2, "mer_2"), Arrival("trf_3", 3)}).ok());
  const auto list = [&](const JournalFilter& filter, std::int64_t before) {
    return *database_.database().TransactBlocking({}, [&](pg::Transaction& tx) {
      return Result<std::vector<Journal>>(ListJournalRows(tx, filter, before, 10));
    });
  };
  EXPECT_EQ(list({}, 0).size(), 3u);
  EXPECT_EQ(list({}, 0).front().event_id, "trf_3");
  EXPECT_EQ(list({.merchant_id = "mer_1"}, 3).size(), 1u);
  EXPECT_EQ(list({.account_id = Unconfirmed("mer_2").ToString()}, 0).front().event_id, "trf_2");
  EXPECT_TRUE(list({.account_id = Available("mer_2").ToString()}, 0).empty());
}

}  // namespace
}  // namespace paymesh::settlement
