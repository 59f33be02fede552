// Routing's use case on a real database.
#include "services/routing/usecases/decide.h"

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "common/pg/testing/test_database.h"
#include "common/runtime/run_blocking.h"
#include "migrations/routing.h"
#include "paymesh/checkout/v1/event_service.pb.h"
#include "services/routing/usecases/record_outcomes.h"

namespace paymesh::routing {
namespace {

using namespace std::chrono_literals;
using runtime::RunBlocking;

const char* const kToken = "caip19/eip155:1/erc20:0x00000000000000000000000000000000000000a1";

class RoutingTest : public testing::Test {
 protected:
  RoutingTest() : ids_(clock_, random_) {}

  void PublishMarket(bool halted = false) {
    ChainFacts chain{.chain = "eip155:1", .native = Unit::Native(*ChainId::FromNumber(1))};
    chain.following = true;
    chain.halted = halted;
    chain.observe_time = clock_.Now();
    chain.block_time = 1s;
    chain.tokens = {{*Unit::Parse(kToken), "tUSD", 6, "USD", true}};
    MarketFacts facts;
    facts.chains = {chain};
    market_.Publish(facts);
  }

  pb::DecisionFacts Facts(const std::string& payment, const std::string& value = "1250") {
    pb::DecisionFacts facts;
    facts.set_payment_id(payment);
    facts.set_merchant_id("mer_1");
    facts.mutable_price()->set_unit("iso4217/USD");
    facts.mutable_price()->set_value(value);
    facts.add_accepted_units(kToken);
    facts.set_confirmation_policy(type::v1::FINALITY_SAFE);
    *facts.mutable_expire_time() = ToTimestamp(clock_.Now() + 15min);
    return facts;
  }

  auto Decide(std::vector<pb::DecisionFacts> facts) {
    return RunBlocking(decider_.Decide(std::move(facts)));
  }

  runtime::FakeClock clock_;
  runtime::SeededRandom random_{1};
  runtime::IdSource ids_;
  runtime::Metrics metrics_;
  pg::TestDatabase test_database_{RoutingMigrations()};
  boost::asio::thread_pool pool_{1};
  Market market_;
  Config config_;
  Decider decider_{test_database_.database(), market_, config_, clock_, ids_,
                   pool_.get_executor(),      metrics_};
};

TEST_F(RoutingTest, AnswersUnavailableUntilItKnowsTheChains) {
  auto decided = Decide({Facts("pay_1")});
  ASSERT_FALSE(decided.ok());
  EXPECT_EQ(decided.error().reason, "MARKET_UNKNOWN");
  EXPECT_EQ(decided.error().code, ErrorCode::kUnavailable);
}

TEST_F(RoutingTest, StoresTheDecisionWholeAndReplaysIt) {
  PublishMarket();
  auto first = Decide({Facts("pay_1"), Facts("pay_2", "1")});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE((*first)[0].ok());
  EXPECT_EQ((*first)[0]->options(0).amount().value(), "12500000");
  PublishMarket(/*halted=*/true);
  auto again = Decide({Facts("pay_1")});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)[0]->SerializeAsString(), (*first)[0]->SerializeAsString());
  auto got = RunBlocking(decider_.Get("", "pay_1"));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->decision_id(), (*first)[0]->decision_id());
  EXPECT_EQ(got->decision_hash().size(), 64u);
  EXPECT_EQ(RunBlocking(decider_.Get("dec_none", "")).error().reason, "DECISION_NOT_FOUND");
}

TEST_F(RoutingTest, RefusesOtherFactsForADecidedPaymentAloneInItsBatch) {
  PublishMarket();
  ASSERT_TRUE(Decide({Facts("pay_1")}).ok());
  auto mixed = Decide({Facts("pay_1", "9999"), Facts("pay_3")});
  ASSERT_TRUE(mixed.ok());
  EXPECT_EQ((*mixed)[0].error().reason, "DECISION_EXISTS");
  EXPECT_TRUE((*mixed)[1].ok());
}

TEST_F(RoutingTest, SaysWhichFieldIsWrong) {
  PublishMarket();
  auto facts = Facts("pay_1", "01");
  auto decided = Decide({Facts("pay_0"), facts});
  ASSERT_FALSE(decided.ok());
  EXPECT_EQ(decided.error().violations.at(0).field, "facts[1].price");
  EXPECT_EQ(test_database_.Query("SELECT count(*) FROM decision"), "0");
}

TEST_F(RoutingTest, ExplainsWhyNothingIsOffered) {
  PublishMarket(/*halted=*/true);
  auto decided = Decide({Facts("pay_1")});
  ASSERT_TRUE(decided.ok());
  EXPECT_EQ((*decided)[0]->options_size(), 0);
  EXPECT_EQ((*decided)[0]->rejected(0).code(), "CHAIN_HALTED");
  EXPECT_EQ(test_database_.Query("SELECT rejected_count FROM decision"), "1");
}

TEST_F(RoutingTest, NeverChangesOrForgetsADecision) {
  PublishMarket();
  ASSERT_TRUE(Decide({Facts("pay_1")}).ok());
  auto update = [](pg::Transaction& tx) -> Status {
    tx.Execute("DELETE FROM decision");
    return {};
  };
  EXPECT_FALSE(test_database_.database().TransactBlocking({}, update).ok());
  EXPECT_EQ(test_database_.Query("SELECT count(*) FROM decision"), "1");
}

// Checkout's event of a payment that is bound to `unit`.
outbox::Entry Bound(const std::string& id, const std::string& unit,
                    checkout::v1::PaymentState state, std::int64_t seconds_since_creation) {
  checkout::v1::Event event;
  auto& payment = *event.mutable_payment();
  payment.set_payment_id(id);
  payment.set_state(state);
  payment.mutable_create_time()->set_seconds(10);
  payment.mutable_update_time()->set_seconds(10 + seconds_since_creation);
  auto& option = *payment.add_options();
  option.set_bound(true);
  option.mutable_due()->set_unit(unit);
  outbox::Entry entry;
  entry.payload = event.SerializeAsString();
  return entry;
}

TEST_F(RoutingTest, LearnsEachLessonOnceHoweverOftenItIsTold) {
  const outbox::Entry entry = Bound("pay_1", kToken, checkout::v1::PAYMENT_STATE_SUCCEEDED, 20);
  auto apply = [&](pg::Transaction& tx) { return RecordOutcomes(tx, {entry, entry}); };
  ASSERT_TRUE(test_database_.database().TransactBlocking({}, apply).ok());
  ASSERT_TRUE(test_database_.database().TransactBlocking({}, apply).ok());
  EXPECT_EQ(test_database_.Query("SELECT bound || '/' || succeeded || '/' || confirm_seconds "
                                 "FROM option_outcome"),
            "1/1/20");
}

TEST_F(RoutingTest, LearnsOfManyPaymentsAtOnce) {
  const auto processing = checkout::v1::PAYMENT_STATE_PROCESSING;
  const auto succeeded = checkout::v1::PAYMENT_STATE_SUCCEEDED;
  const auto apply = [&](pg::Transaction& tx) {
    return RecordOutcomes(tx,
                          {Bound("pay_1", "a", processing, 7), Bound("pay_2", "a", succeeded, 7),
                           Bound("pay_3", "b", succeeded, 7), Bound("pay_1", "a", succeeded, 7)});
  };
  ASSERT_TRUE(test_database_.database().TransactBlocking({}, apply).ok());
  EXPECT_EQ(
      test_database_.Query("SELECT string_agg(unit || bound || succeeded || confirm_seconds, ' ' "
                           "ORDER BY unit) FROM option_outcome"),
      "a2214 b117");
}

TEST_F(RoutingTest, GivesRatesBetweenCurrenciesAndTokens) {
  PublishMarket();
  auto rate = decider_.GetRate(*Unit::Parse("iso4217/USD"), *Unit::Parse(kToken));
  ASSERT_TRUE(rate.ok());
  EXPECT_EQ(*Convert(U256(1), rate->rate, Rounding::kDown), U256(10'000));
  EXPECT_EQ(decider_.GetRate(*Unit::Parse("iso4217/JPY"), *Unit::Parse(kToken)).error().reason,
            "RATE_UNAVAILABLE");
}

}  // namespace
}  // namespace paymesh::routing
