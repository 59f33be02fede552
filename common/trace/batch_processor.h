// Between those who end spans and the one who sends them away: a bounded queue and a thread. Ending
// a span never waits: when the queue is full, the span is dropped and counted. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "common/error/error.h"
#include "common/trace/exporter.h"
#include "common/trace/tracer.h"

namespace paymesh::trace {

// OTEL_BSP_*, with its defaults.
struct BatchOptions {
  std::size_t max_queue = 2'048;
  std::size_t max_batch = 512;                       // spans an export; at most max_queue
  std::chrono::milliseconds schedule_delay{5'000};   // the longest that a span waits for company
  std::chrono::milliseconds export_timeout{30'000};  // an export, with all its attempts
};

// Since the start.
struct BatchStats {
  std::uint64_t exported = 0;        // spans that arrived
  std::uint64_t dropped_full = 0;    // spans that found the queue full, or closed
  std::uint64_t dropped_failed = 0;  // spans whose export failed, or that were refused
  std::uint64_t failed_exports = 0;  // batches
};

class BatchProcessor final : public Sink {
 public:
  // `on_change` is told, on the processor's thread, why exporting has begun to fail, and "" when it
  // works again.
  BatchProcessor(std::unique_ptr<Exporter> exporter, BatchOptions options,
                 std::function<void(std::string_view why)> on_change = {});
  ~BatchProcessor() override;  // Shutdown without grace, unless that was called before

  void Take(std::unique_ptr<SpanData> span) override;
  // Sends what is queued, for at most `grace`, and drops the rest. Blocks. Later spans are dropped.
  void Shutdown(std::chrono::milliseconds grace);

  BatchStats stats() const;

 private:
  void Run();
  Spans NextBatch(std::unique_lock<std::mutex>& lock);
  void ExportBatch(const Spans& batch);

  const std::unique_ptr<Exporter> exporter_;
  const BatchOptions options_;
  const std::function<void(std::string_view)> on_change_;
  bool failing_ = false;  // of the processor's thread
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<std::unique_ptr<SpanData>> queue_;  // this and all below: guarded by mutex_
  BatchStats stats_;
  bool stopping_ = false;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace paymesh::trace
