#include "common/trace/batch_processor.h"

#include <algorithm>
#include <string>
#include <utility>

namespace paymesh::trace {
namespace {

BatchOptions Sane(BatchOptions options) {
  options.max_queue = std::max<std::size_t>(1, options.max_queue);
  options.max_batch = std::clamp<std::size_t>(options.max_batch, 1, options.max_queue);
  return options;
}

}  // namespace

BatchProcessor::BatchProcessor(std::unique_ptr<Exporter> exporter, BatchOptions options,
                               std::function<void(std::string_view)> on_change)
    : exporter_(std::move(exporter)),
      options_(Sane(options)),
      on_change_(std::move(on_change)),
      thread_([this] { Run(); }) {}

BatchProcessor::~BatchProcessor() { Shutdown(std::chrono::milliseconds(0)); }

void BatchProcessor::Take(std::unique_ptr<SpanData> span) {
  bool full_batch = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.max_queue) {
      ++stats_.dropped_full;
      return;
    }
    queue_.push_back(std::move(span));
    full_batch = queue_.size() == options_.max_batch;
  }
  if (full_batch) wake_.notify_one();
}

void BatchProcessor::Shutdown(std::chrono::milliseconds grace) {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    ended_.wait_for(lock, grace, [this] { return done_; });
  }
  exporter_->Cancel();
  if (thread_.joinable()) thread_.join();
}

BatchStats BatchProcessor::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void BatchProcessor::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Spans batch = NextBatch(lock);
    if (batch.empty() && stopping_) break;
    if (batch.empty()) continue;
    lock.unlock();
    ExportBatch(batch);
    lock.lock();
  }
  done_ = true;
  ended_.notify_all();
}

// Waits until a batch is full, or the oldest span has waited long enough; empty when there is none.
Spans BatchProcessor::NextBatch(std::unique_lock<std::mutex>& lock) {
  wake_.wait_for(lock, options_.schedule_delay,
                 [this] { return stopping_ || queue_.size() >= options_.max_batch; });
  Spans batch;
  const std::size_t size = std::min(queue_.size(), options_.max_batch);
  batch.reserve(size);
  while (batch.size() < size) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

void BatchProcessor::ExportBatch(const Spans& batch) {
  const Result<std::size_t> refused =
      exporter_->Export(batch, std::chrono::steady_clock::now() + options_.export_timeout);
  const std::size_t lost = refused.ok() ? std::min(*refused, batch.size()) : batch.size();
  {
    std::lock_guard lock(mutex_);
    stats_.exported += batch.size() - lost;
    stats_.dropped_failed += lost;
    if (!refused.ok()) ++stats_.failed_exports;
  }
  if (std::exchange(failing_, !refused.ok()) == !refused.ok() || !on_change_) return;
  on_change_(refused.ok() ? std::string() : refused.error().ToString());
}

}  // namespace paymesh::trace
