// One answer a request id, whoever asks, however often and from wherever at once.
#include "common/pg/idempotency.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "common/pg/testing/test_database.h"

namespace paymesh::pg {
namespace {

using Answer = Result<std::optional<Bytea>>;

IdempotencyKey Key(const std::string& id, const std::string& hash = "h") {
  return {.caller = "checkout", .method = "/m", .request_id = id, .request_hash = hash};
}

TEST(RequestId, IsPrintableAsciiOfABoundedLength) {
  for (const std::string& good : {std::string("a"), std::string("order 17 / try 2"),
                                  std::string("~!"), std::string(128, 'x')}) {
    EXPECT_TRUE(CheckRequestId(good).ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a\x7f"), std::string("a\nb"),
        std::string("caf\xc3\xa9"), std::string(1, '\0')}) {
    const Status refused = CheckRequestId(bad);
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().reason, "INVALID_FIELD");
  }
}

class Idempotency : public testing::Test {
 protected:
  Idempotency() { server_.Exec("CREATE TABLE effect (id text)"); }

  // A handler as services write it: the answer it gave, first or again.
  static Result<std::string> Handle(
      Database& database, const IdempotencyKey& key, std::function<void()> in_the_middle = [] {}) {
    return database.TransactBlocking(
        {.idempotent = true}, [&](Transaction& tx) -> Result<std::string> {
          ASSIGN_OR_RETURN(const auto replay, Claim(tx, key));
          if (replay) return replay->data;
          tx.Execute("INSERT INTO effect VALUES ($1)", key.request_id);
          in_the_middle();
          const std::string answer = tx.Execute("SELECT 'answer ' || txid_current() AS value")
                                         .front()
                                         .Get<std::string>("value");
          StoreResponse(tx, key, Bytea(answer));
          return answer;
        });
  }
  std::string Effects() { return server_.Query("SELECT count(*) FROM effect"); }

  TestDatabase server_;
};

TEST_F(Idempotency, TheSameRequestGetsTheFirstAnswerAgain) {
  const Result<std::string> first = Handle(server_.database(), Key("r1"));
  ASSERT_TRUE(first.ok()) << first.error().ToString();
  EXPECT_EQ(*Handle(server_.database(), Key("r1")), *first);
  EXPECT_EQ(Effects(), "1");
}

TEST_F(Idempotency, AnotherBodyUnderTheSameIdIsRefused) {
  ASSERT_TRUE(Handle(server_.database(), Key("r1")).ok());
  const Result<std::string> other = Handle(server_.database(), Key("r1", "other"));
  EXPECT_EQ(other.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(other.error().reason, "IDEMPOTENCY_KEY_REUSED");
  IdempotencyKey another_caller = Key("r1", "other");
  another_caller.caller = "edge/mer_2";
  EXPECT_TRUE(Handle(server_.database(), another_caller).ok());
}

TEST_F(Idempotency, ADuplicateInAnotherReplicaWaitsAndReplays) {
  DatabaseOptions options;
  options.conninfo = server_.conninfo();
  options.pool_size = 1;
  Database here(options), there(options);
  std::promise<void> in_the_middle, go_on;
  auto first = std::async(std::launch::async, [&] {
    return Handle(here, Key("r1"), [&] {
      in_the_middle.set_value();
      go_on.get_future().wait();
    });
  });
  in_the_middle.get_future().wait();
  auto second = std::async(std::launch::async, [&] { return Handle(there, Key("r1")); });
  // The second waits for a lock before the first goes on.
  while (server_.Query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                       " AND datname = current_database()") == "0") {
  }
  go_on.set_value();
  EXPECT_EQ(*first.get(), *second.get());
  EXPECT_EQ(Effects(), "1");
}

TEST_F(Idempotency, AFailedRequestMayBeTriedAgain) {
  const auto fail = [](Transaction& tx) -> Result<int> {
    ASSIGN_OR_RETURN(const auto replay, Claim(tx, Key("r1")));
    EXPECT_FALSE(replay.has_value());
    return Error::FailedPrecondition("NOT_NOW", "later");
  };
  EXPECT_EQ(server_.database().TransactBlocking({}, fail).error().reason, "NOT_NOW");
  EXPECT_TRUE(Handle(server_.database(), Key("r1")).ok());
}

TEST_F(Idempotency, AClaimWithoutAnAnswerIsNotCommitted) {
  const auto forget = [](Transaction& tx) -> Status {
    (void)Claim(tx, Key("r1")).ok();
    return {};
  };
  EXPECT_EQ(server_.database().TransactBlocking({}, forget).error().code, ErrorCode::kInternal);
  EXPECT_EQ(server_.Query("SELECT count(*) FROM idempotency"), "0");
}

TEST_F(Idempotency, ABatchGivesEachMemberItsOwnOutcome) {
  const Result<std::string> earlier = Handle(server_.database(), Key("old"));
  const std::vector<IdempotencyKey> keys{Key("new"), Key("old"), Key("old2"), Key("new"),
                                         Key("bad")};
  const auto batch = [&](Transaction& tx) -> Result<std::vector<Answer>> {
    std::vector<Answer> answers = ClaimAll(tx, keys);
    ForgetClaims(tx, {keys[4]});
    StoreAllResponses(tx, {keys[0], keys[2]}, {Bytea("a"), Bytea("b")});
    return answers;
  };
  ASSERT_TRUE(Handle(server_.database(), Key("reused", "x")).ok());
  const auto answers = server_.database().TransactBlocking({}, batch);
  ASSERT_TRUE(answers.ok()) << answers.error().ToString();
  EXPECT_FALSE((*answers)[0]->has_value());
  EXPECT_EQ((*answers)[1]->value().data, *earlier);
  EXPECT_FALSE((*answers)[2]->has_value());
  EXPECT_EQ((*answers)[3].error().reason, "REQUEST_IN_PROGRESS");
  EXPECT_EQ(*Handle(server_.database(), Key("new")), "a");
  EXPECT_EQ(server_.Query("SELECT count(*) FROM idempotency WHERE request_id = 'bad'"), "0");
}

TEST_F(Idempotency, BatchesThatCrossDoNotDeadlockAndActOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> acted{0};
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      std::vector<IdempotencyKey> keys;
      for (int i = 0; i < 40; ++i) keys.push_back(Key(std::to_string((i * 7 + t * 13) % 40)));
      const auto batch = [&](Transaction& tx) -> Result<int> {
        const std::vector<Answer> answers = ClaimAll(tx, keys);
        std::vector<IdempotencyKey> ours;
        for (std::size_t i = 0; i < keys.size(); ++i) {
          if (answers[i].ok() && !answers[i]->has_value()) ours.push_back(keys[i]);
        }
        StoreAllResponses(tx, ours, std::vector<Bytea>(ours.size(), Bytea("x")));
        return static_cast<int>(ours.size());
      };
      const Result<int> mine = server_.database().TransactBlocking({.idempotent = true}, batch);
      ASSERT_TRUE(mine.ok()) << mine.error().ToString();
      acted += *mine;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(acted, 40);
  EXPECT_EQ(server_.database().stats().retried, 0U);
}

TEST_F(Idempotency, AnAnswerThatIsKnownBeforeIsStoredWithItsClaim) {
  ASSERT_TRUE(Handle(server_.database(), Key("r1")).ok());
  const auto batch = [](Transaction& tx) -> Result<std::vector<Answer>> {
    return ClaimAndAnswerAll(tx, {Key("r1"), Key("r2"), Key("r1", "other"), Key("r3")},
                             {Bytea("w"), Bytea("x"), Bytea("y"), Bytea(std::string("\0\"\\", 3))});
  };
  const auto answers = server_.database().TransactBlocking({.idempotent = true}, batch);
  ASSERT_TRUE(answers.ok()) << answers.error().ToString();
  EXPECT_TRUE((*answers)[0].ok() && (*answers)[0]->has_value());
  EXPECT_TRUE((*answers)[1].ok() && !(*answers)[1]->has_value());
  EXPECT_EQ((*answers)[2].error().reason, "REQUEST_IN_PROGRESS");
  EXPECT_TRUE((*answers)[3].ok() && !(*answers)[3]->has_value());
  EXPECT_EQ(*Handle(server_.database(), Key("r2")), "x");
  EXPECT_EQ(*Handle(server_.database(), Key("r3")), std::string("\0\"\\", 3));
  EXPECT_EQ(Effects(), "1");
}

TEST_F(Idempotency, OldAnswersCanBeDeletedInPortions) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(Handle(server_.database(), Key(std::to_string(i))).ok());
  }
  const auto remove = [](Transaction& tx) -> Result<std::int64_t> {
    return DeleteOldResponses(tx, Time(std::chrono::days(80'000)), 3);
  };
  EXPECT_EQ(*server_.database().TransactBlocking({}, remove), 3);
  EXPECT_EQ(*server_.database().TransactBlocking({}, remove), 2);
}

TEST(InFlightRequests, OneAtATimeUntilItsGuardEnds) {
  InFlight in_flight;
  {
    const auto first = in_flight.Enter(Key("r1"));
    EXPECT_TRUE(first.ok());
    EXPECT_EQ(in_flight.Enter(Key("r1", "other")).error().reason, "REQUEST_IN_PROGRESS");
    EXPECT_EQ(in_flight.Enter(Key("r1")).error().code, ErrorCode::kAborted);
    EXPECT_TRUE(in_flight.Enter(Key("r2")).ok());
  }
  EXPECT_TRUE(in_flight.Enter(Key("r1")).ok());
}

}  // namespace
}  // namespace paymesh::pg
