#include "common/pg/invariant_worker.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "common/pg/testing/test_database.h"
#include "migrations/common.h"

namespace paymesh::pg {
namespace {

constexpr std::array kCounted{Invariant{"sound", "SELECT 0::bigint AS n"},
                              Invariant{"no_such_table", "SELECT count(*) AS n FROM no_such_table"},
                              Invariant{"broken", "SELECT 3::bigint AS n"}};

// The gauges after the worker has run for as long as `until` asks, or five seconds.
std::string Counted(std::span<const Invariant> invariants, const std::string& until) {
  TestDatabase database(CommonMigrations());
  runtime::LoggerOptions quiet;
  quiet.level = runtime::LogLevel::kError;
  quiet.fd = 2;
  runtime::Logger log(quiet);
  runtime::Metrics metrics;
  const runtime::SystemClock clock;
  InvariantWorker worker(database.database(), log, metrics, clock, invariants,
                         std::chrono::milliseconds(5));
  boost::asio::io_context context;
  runtime::Spawn(runtime::MakeStrand(context.get_executor()), worker.Run(), "invariants");
  std::thread thread([&context] { context.run(); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (metrics.Render().find(until) == std::string::npos &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  context.stop();
  thread.join();
  return metrics.Render();
}

TEST(InvariantWorker, CountsTheOthersWhenOneCannotBeCounted) {
  const std::string text = Counted(kCounted, R"(invariant_violations{id="broken"})");
  EXPECT_NE(text.find(R"(invariant_violations{id="sound"} 0)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"(invariant_violations{id="broken"} 3)"), std::string::npos) << text;
  EXPECT_EQ(text.find("invariants_last_success_timestamp_seconds"), std::string::npos)
      << "not all were counted";
}

TEST(InvariantWorker, SaysWhenAllWereCounted) {
  const std::span<const Invariant> sound(kCounted.data(), 1);
  const std::string text = Counted(sound, "\ninvariants_last_success_timestamp_seconds");
  EXPECT_NE(text.find("\ninvariants_last_success_timestamp_seconds 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace paymesh::pg
