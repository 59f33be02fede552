// From the call that began something to all that it has caused, by links.
#include "common/outbox/spans.h"

#include <gtest/gtest.h>

#include <mutex>

#include "common/outbox/append.h"
#include "common/pg/connection.h"
#include "common/pg/database.h"
#include "common/pg/testing/test_database.h"
#include "common/trace/tracer.h"

namespace paymesh::outbox {
namespace {

const std::string kCause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const std::string kUnseen = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class Kept final : public trace::Sink {
 public:
  void Take(std::unique_ptr<trace::SpanData> span) override {
    std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
  }
  std::vector<std::string> Names() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& span : spans_) names.push_back(span->name);
    return names;
  }
  const trace::SpanData& At(std::size_t i) { return *spans_.at(i); }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<trace::SpanData>> spans_;
};

class SpansTest : public testing::Test {
 protected:
  Status Write(std::vector<Entry> entries, const std::string& outbox = "events") {
    auto write = [&](pg::Transaction& tx) -> Status {
      for (const Entry& entry : entries) Append(tx, outbox, entry);
      return {};
    };
    return database_.TransactBlocking({}, write);
  }
  std::string TraceAt(int position, const std::string& outbox = "events") {
    return test_.Query("SELECT trace FROM journal_entry WHERE position = " +
                       std::to_string(position) + " AND journal = '" + outbox + "'");
  }

  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  Kept kept_;
  trace::Tracer tracer_{clock_, random_, {.sink = &kept_}};
  pg::TestDatabase test_;
  pg::Database database_{{.conninfo = test_.conninfo(), .pool_size = 1, .tracer = &tracer_}};
};

TEST_F(SpansTest, PublishingForARecordedTraceIsASpanLinkedToIt) {
  ASSERT_TRUE(Write({{.subject = "pay_1", .kind = "payment.created", .trace = kCause},
                     {.subject = "pay_2", .kind = "payment.created", .trace = kUnseen},
                     {.subject = "pay_3", .kind = "payment.created"}})
                  .ok());
  ASSERT_EQ(kept_.Names(), std::vector<std::string>{"publish payment.created"});
  const trace::SpanData& span = kept_.At(0);
  EXPECT_EQ(span.kind, trace::Kind::kProducer);
  EXPECT_TRUE(span.parent.IsZero());
  ASSERT_EQ(span.links.size(), 1U);
  EXPECT_EQ(span.links[0].ToTraceparent(), kCause);
  EXPECT_LE(span.start, span.end);
}

TEST_F(SpansTest, WhatHappensLaterToASubjectHasTheTraceOfItsBeginning) {
  ASSERT_TRUE(Write({{.subject = "pay_1", .kind = "payment.created", .trace = kCause}}).ok());
  ASSERT_TRUE(Write({{.subject = "pay_1", .kind = "payment.succeeded"},
                     {.subject = "pay_9", .kind = "payment.succeeded"},
                     {.kind = "checkpoint"}})
                  .ok());
  ASSERT_TRUE(Write({{.subject = "pay_1", .kind = "payment.canceled", .trace = kUnseen}}).ok());
  ASSERT_TRUE(Write({{.subject = "pay_1", .kind = "other"}}, "transfers").ok());
  EXPECT_EQ(TraceAt(2), kCause);
  EXPECT_EQ(TraceAt(3), "");
  EXPECT_EQ(TraceAt(4), "");
  EXPECT_EQ(TraceAt(5), kUnseen) << "a cause of its own goes before";
  EXPECT_EQ(TraceAt(1, "transfers"), "") << "another outbox, another subject";
  EXPECT_EQ(kept_.Names(),
            (std::vector<std::string>{"publish payment.created", "publish payment.succeeded"}));
}

TEST_F(SpansTest, WhatIsRolledBackWasNotPublished) {
  auto fail = [](pg::Transaction& tx) -> Status {
    Append(tx, "events", {.subject = "pay_1", .kind = "payment.created", .trace = kCause});
    tx.BeforeCommit([](pg::Transaction& ending) { ending.Execute("SELECT 1/0"); });
    return {};
  };
  EXPECT_FALSE(database_.TransactBlocking({}, fail).ok());
  EXPECT_TRUE(kept_.Names().empty());
}

// The statement that writes also notifies, whether it has spans to report or none.
TEST_F(SpansTest, ReadersHearOfEntriesWhateverTheirTraces) {
  const pg::DatabaseOptions options{.conninfo = test_.conninfo()};
  pg::Connection listener(options);
  ASSERT_TRUE(listener.Open().ok());
  listener.Script("LISTEN journal");
  int position = 0;
  for (const std::string& trace : {std::string(), kUnseen, kCause}) {
    ASSERT_TRUE(Write({{.kind = "k", .trace = trace}, {.kind = "k", .trace = trace}}).ok());
    position += 2;
    listener.Script("SELECT 1");
    EXPECT_EQ(listener.TakeNotifications(),
              std::vector<std::string>{"events:" + std::to_string(position)});
  }
}

TEST_F(SpansTest, ManyEntriesAtOnceMakeABoundedNumberOfSpans) {
  std::vector<Entry> entries(1'000, Entry{.kind = "k", .trace = kCause});
  ASSERT_TRUE(Write(std::move(entries)).ok());
  EXPECT_EQ(kept_.Names().size(), 256U);
}

TEST_F(SpansTest, ApplyingForARecordedTraceIsASpanLinkedToIt) {
  TraceApplied(tracer_, "checkout<-settlement.events",
               {{.position = 7, .subject = "pay_1", .kind = "payment.paid_out", .trace = kCause},
                {.position = 8, .kind = "payment.paid_out", .trace = kUnseen},
                {.position = 9, .kind = "payment.paid_out"}},
               clock_.Now());
  ASSERT_EQ(kept_.Names(), std::vector<std::string>{"process payment.paid_out"});
  const trace::SpanData& span = kept_.At(0);
  EXPECT_EQ(span.kind, trace::Kind::kConsumer);
  EXPECT_EQ(span.links.at(0).ToTraceparent(), kCause);
  const trace::Attributes expected = {
      {"messaging.system", std::string("paymesh.journal")},
      {"messaging.operation.name", std::string("process")},
      {"messaging.destination.name", std::string("settlement.events")},
      {"messaging.message.id", std::string("7")},
      {"paymesh.subject", std::string("pay_1")}};
  EXPECT_EQ(span.attributes, expected);
}

}  // namespace
}  // namespace paymesh::outbox
