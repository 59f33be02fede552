#include "common/trace/console_exporter.h"

#include <string>

#include "common/runtime/log.h"

namespace paymesh::trace {
namespace {

class ConsoleExporter final : public Exporter {
 public:
  explicit ConsoleExporter(runtime::Logger& log) : log_(log) {}

  Result<std::size_t> Export(const Spans& spans, std::chrono::steady_clock::time_point) override {
    for (const auto& span : spans) {
      std::string links;
      for (const SpanContext& link : span->links) links += " " + link.ToTraceparent();
      const std::chrono::duration<double, std::milli> took = span->end - span->start;
      log_.Info("span", {{"name", span->name},
                         {"trace_id", span->context.trace_id.Hex()},
                         {"span_id", span->context.span_id.Hex()},
                         {"parent_span_id", span->parent.IsZero() ? "" : span->parent.Hex()},
                         {"start", runtime::FormatTime(span->start)},
                         {"duration_ms", took.count()},
                         {"failed", span->outcome == Outcome::kError},
                         {"links", links.empty() ? "" : links.substr(1)}});
    }
    return std::size_t{0};
  }
  void Cancel() override {}

 private:
  runtime::Logger& log_;
};

}  // namespace

std::unique_ptr<Exporter> MakeConsoleExporter(runtime::Logger& log) {
  return std::make_unique<ConsoleExporter>(log);
}

}  // namespace paymesh::trace
