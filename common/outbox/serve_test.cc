// A stream gives everything once, in order, and ends when the peer does.
#include "common/outbox/serve.h"

#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "common/outbox/append.h"
#include "common/outbox/hub/hub.h"
#include "common/pg/testing/test_database.h"
#include "common/pg/testing/test_run.h"

namespace paymesh::outbox {
namespace {

using namespace std::chrono_literals;

// Takes runs until it has `enough` entries.
struct Sink {
  std::size_t enough;
  std::vector<Entry> entries = {};
  std::vector<std::size_t> runs = {};  // how long each was

  static Task<Result<bool>> Write(std::shared_ptr<Sink> self, const std::vector<EntryPtr>& run) {
    for (const EntryPtr& entry : run) self->entries.push_back(*entry);
    self->runs.push_back(run.size());
    co_return self->entries.size() < self->enough;
  }
};

class Serve : public testing::Test {
 protected:
  ~Serve() override {
    hub_.Close();
    pool_.join();
  }
  void Append(int count, const std::string& owner = "o") {
    const auto write = [&](pg::Transaction& tx) -> Status {
      for (int i = 0; i < count; ++i) outbox::Append(tx, "events", {.owner = owner, .kind = "k"});
      return {};
    };
    ASSERT_TRUE(server_.database().TransactBlocking({}, write).ok());
  }
  std::future<Status> Start(std::shared_ptr<Sink> sink, ServeOptions options) {
    options.outbox = "events";
    WriteRun write = [sink](const std::vector<EntryPtr>& run) { return Sink::Write(sink, run); };
    return pg::StartTask(pool_, ServeStream(hub_, options, write));
  }

  pg::TestDatabase server_;
  Hub hub_{server_.database()};
  boost::asio::thread_pool pool_{1};
};

TEST_F(Serve, GivesWhatWasThereAndThenWhatComes) {
  Append(5);
  auto sink = std::make_shared<Sink>(8);
  auto stream = Start(sink, {.after = 2, .batch = 2});
  for (int i = 0; i < 5; ++i) Append(1);
  EXPECT_TRUE(stream.get().ok());
  ASSERT_EQ(sink->entries.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(sink->entries[i].position, static_cast<std::int64_t>(i + 3));
}

TEST_F(Serve, GivesAnOwnerOnlyItsOwn) {
  auto sink = std::make_shared<Sink>(2);
  auto stream = Start(sink, {.filter = {.owner = "mer_1"}});
  Append(2, "mer_2");
  Append(1, "mer_1");
  Append(2, "mer_2");
  Append(1, "mer_1");
  EXPECT_TRUE(stream.get().ok());
  EXPECT_EQ(sink->entries[0].position, 3);
  EXPECT_EQ(sink->entries[1].position, 6);
}

TEST_F(Serve, SendsWhatIsThereInRunsThatEndAtTheBatchAndAtTheirBytes) {
  const auto write = [](pg::Transaction& tx) -> Status {
    for (int i = 0; i < 7; ++i) {
      outbox::Append(tx, "events", {.kind = "k", .payload = std::string(i < 3 ? 10 : 1, 'x')});
    }
    return {};
  };
  ASSERT_TRUE(server_.database().TransactBlocking({}, write).ok());
  auto sink = std::make_shared<Sink>(7);
  EXPECT_TRUE(Start(sink, {.batch = 5, .max_bytes = 20}).get().ok());
  EXPECT_EQ(sink->runs, (std::vector<std::size_t>{2, 3, 2}));
}

TEST_F(Serve, EndsWithTheErrorOfARunThatCannotBeWritten) {
  Append(1);
  WriteRun write = [](const std::vector<EntryPtr>&) -> Task<Result<bool>> {
    co_return Error::Internal("an outbox entry does not parse");
  };
  const ServeOptions options{.outbox = "events"};
  const Status end = pg::StartTask(pool_, ServeStream(hub_, options, write)).get();
  EXPECT_EQ(end.error().code, ErrorCode::kInternal);
}

TEST_F(Serve, EndsWellAtItsAge) {
  EXPECT_TRUE(Start(std::make_shared<Sink>(1), {.max_duration = 50ms}).get().ok());
}

TEST_F(Serve, RefusesPositionsThatCannotBe) {
  EXPECT_EQ(Start(std::make_shared<Sink>(1), {.after = -1}).get().error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(Start(std::make_shared<Sink>(1), {.after = 1}).get().error().reason, "POSITION_AHEAD");
}

}  // namespace
}  // namespace paymesh::outbox
