// What is sent away of spans, and by what. Threads: as each member says.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/trace/tracer.h"

namespace paymesh::trace {

// What describes the process, in each export: service.name and so on.
using Resource = std::vector<std::pair<std::string, std::string>>;

using Spans = std::vector<std::unique_ptr<SpanData>>;

// Sends batches, one at a time.
class Exporter {
 public:
  virtual ~Exporter() = default;
  // Blocks, tries again where that may help, and gives up at `deadline`. How many of the spans the
  // receiver refused, or why none has arrived.
  virtual Result<std::size_t> Export(const Spans& spans,
                                     std::chrono::steady_clock::time_point deadline) = 0;
  // Makes an Export in progress, and every later one, return at once. From any thread.
  virtual void Cancel() = 0;
};

}  // namespace paymesh::trace
