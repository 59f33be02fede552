// The queue between spans and their exporter: who waits (nobody), what is lost, and that it says
// so.
#include "common/trace/batch_processor.h"

#include <gtest/gtest.h>

#include <atomic>

namespace paymesh::trace {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// What an exporter did, and a gate in front of it.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::size_t> batches;  // sizes
  std::vector<std::string> names;
  bool open = true;
  bool cancelled = false;
  bool fails = false;
  std::size_t refused = 0;

  void Open() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  bool AwaitBatches(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 10s, [&] { return batches.size() >= count; });
  }
};

class ScriptedExporter final : public Exporter {
 public:
  explicit ScriptedExporter(Script& script) : script_(script) {}
  Result<std::size_t> Export(const Spans& spans, steady_clock::time_point) override {
    std::unique_lock lock(script_.mutex);
    script_.batches.push_back(spans.size());
    for (const auto& span : spans) script_.names.push_back(span->name);
    script_.changed.notify_all();
    script_.changed.wait(lock, [&] { return script_.open || script_.cancelled; });
    if (script_.cancelled || script_.fails) return Error::Unavailable("DOWN", "nobody is there");
    return script_.refused;
  }
  void Cancel() override {
    std::lock_guard lock(script_.mutex);
    script_.cancelled = true;
    script_.changed.notify_all();
  }

 private:
  Script& script_;
};

std::unique_ptr<SpanData> Named(const std::string& name) {
  auto span = std::make_unique<SpanData>();
  span->name = name;
  return span;
}

TEST(BatchProcessor, AFullBatchLeavesAtOnceAndTheRestWithTime) {
  Script script;
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script),
                           {.max_batch = 3, .schedule_delay = 50ms});
  for (int i = 0; i < 4; ++i) processor.Take(Named(std::to_string(i)));
  ASSERT_TRUE(script.AwaitBatches(2));
  processor.Shutdown(5s);
  EXPECT_EQ(script.names, (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_EQ(script.batches.front(), 3U);
  EXPECT_EQ(processor.stats().exported, 4U);
}

TEST(BatchProcessor, ShutdownSendsWhatIsQueued) {
  Script script;
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script), {.max_batch = 10});
  for (int i = 0; i < 25; ++i) processor.Take(Named("span"));
  processor.Shutdown(5s);
  EXPECT_EQ(script.names.size(), 25U);
  EXPECT_EQ(processor.stats().exported, 25U);
  processor.Take(Named("late"));
  EXPECT_EQ(processor.stats().dropped_full, 1U) << "after the end there is nobody to send it";
}

TEST(BatchProcessor, AFullQueueDropsCountsAndNeverWaits) {
  Script script{.open = false};
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script),
                           {.max_queue = 100, .max_batch = 10, .schedule_delay = 1ms});
  processor.Take(Named("first"));
  ASSERT_TRUE(script.AwaitBatches(1));  // the exporter hangs now
  auto longest = steady_clock::duration::zero();
  const auto begun = steady_clock::now();
  constexpr int kSpans = 100'000;
  for (int i = 0; i < kSpans; ++i) {
    const auto before = steady_clock::now();
    processor.Take(Named("more"));
    longest = std::max(longest, steady_clock::now() - before);
  }
  const auto all = steady_clock::now() - begun;
  EXPECT_EQ(processor.stats().dropped_full, kSpans - 100U);
  // Waiting for the exporter would be for ever; the bounds leave room for a busy machine.
  EXPECT_LT(all, 5s);
  EXPECT_LT(longest, 1s);
  RecordProperty("mean_nanoseconds", std::to_string(all / 1ns / kSpans));
  script.Open();
  processor.Shutdown(5s);
  EXPECT_EQ(processor.stats().exported, 101U);
}

TEST(BatchProcessor, ShutdownLeavesAHangingExporterAfterItsGrace) {
  Script script{.open = false};
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script), {.schedule_delay = 1ms});
  processor.Take(Named("first"));
  ASSERT_TRUE(script.AwaitBatches(1));
  processor.Take(Named("second"));
  const auto begun = steady_clock::now();
  processor.Shutdown(100ms);
  EXPECT_GE(steady_clock::now() - begun, 100ms);
  EXPECT_LT(steady_clock::now() - begun, 5s);
  EXPECT_EQ(processor.stats().exported, 0U);
  EXPECT_EQ(processor.stats().dropped_failed, 2U);
}

TEST(BatchProcessor, WhatFailsIsCountedAndSaidOnce) {
  Script script{.fails = true};
  std::vector<std::string> said;
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script), {.schedule_delay = 1ms},
                           [&](std::string_view why) { said.emplace_back(why); });
  processor.Take(Named("lost"));
  ASSERT_TRUE(script.AwaitBatches(1));
  processor.Take(Named("lost"));
  ASSERT_TRUE(script.AwaitBatches(2));
  {
    std::lock_guard lock(script.mutex);
    script.fails = false;
    script.refused = 1;
  }
  processor.Take(Named("refused"));
  processor.Shutdown(5s);
  const BatchStats stats = processor.stats();
  EXPECT_EQ(stats.exported, 0U);
  EXPECT_EQ(stats.dropped_failed, 3U);
  EXPECT_EQ(stats.failed_exports, 2U);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_NE(said[0].find("nobody is there"), std::string::npos);
  EXPECT_EQ(said[1], "");
}

TEST(BatchProcessor, ManyThreadsLoseNothingThatHasRoom) {
  Script script;
  BatchProcessor processor(std::make_unique<ScriptedExporter>(script), {.max_queue = 100'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) processor.Take(Named("span"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  processor.Shutdown(10s);
  EXPECT_EQ(script.names.size(), 20'000U);
  EXPECT_EQ(processor.stats().dropped_full, 0U);
}

}  // namespace
}  // namespace paymesh::trace
