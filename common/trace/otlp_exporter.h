// Spans to a collector by OTLP over gRPC (https://opentelemetry.io/docs/specs/otlp/). A batch whose
// answer says that it may be sent again is, with growing pauses, until the deadline.
// As Exporter says: one Export at a time, Cancel from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/trace/exporter.h"

namespace paymesh::runtime {
class RandomSource;
}

namespace paymesh::trace {

struct OtlpOptions {
  std::string target = "localhost:4317";
  bool tls = true;
  std::string ca_file = {};           // empty: the system's
  std::string certificate_file = {};  // with key_file: our own
  std::string key_file = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // keys in lower case
  std::chrono::milliseconds timeout{10'000};                      // of one attempt
  bool gzip = false;
  std::chrono::milliseconds first_pause{1'000};  // before the second attempt; then growing
};

// FAILED_PRECONDITION OTLP_FILES when a file cannot be read. Connects when first used. `random`
// (for jitter) outlives the exporter.
Result<std::unique_ptr<Exporter>> MakeOtlpExporter(const OtlpOptions& options, Resource resource,
                                                   runtime::RandomSource& random);

}  // namespace paymesh::trace
