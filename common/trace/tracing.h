// A process's tracing, put together from its settings: tracer, queue, exporter, metrics, warnings.
// Made before and destroyed after everything that traces. Any thread.
#pragma once

#include <chrono>
#include <memory>

#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/trace/batch_processor.h"
#include "common/trace/environment.h"
#include "common/trace/tracer.h"

namespace paymesh::trace {

class Tracing {
 public:
  // All references outlive it. What cannot be set up is logged, and then nothing is exported.
  Tracing(const Settings& settings, const runtime::Clock& clock, runtime::RandomSource& random,
          runtime::Logger& log, runtime::Metrics& metrics);
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  Tracer& tracer() { return *tracer_; }
  // Sends what has been recorded, for at most `grace`. Blocks; later spans are dropped.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  void ExportMetrics(runtime::Metrics& metrics);

  std::unique_ptr<BatchProcessor> processor_;  // null: nothing is exported
  std::unique_ptr<Tracer> tracer_;
};

}  // namespace paymesh::trace
