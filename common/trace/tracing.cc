#include "common/trace/tracing.h"

#include <string>
#include <string_view>
#include <utility>

#include "common/trace/console_exporter.h"
#include "common/trace/otlp_exporter.h"

namespace paymesh::trace {
namespace {

std::unique_ptr<Exporter> MakeExporter(const Settings& settings, runtime::RandomSource& random,
                                       runtime::Logger& log) {
  if (settings.destination == Destination::kNone) return nullptr;
  if (settings.destination == Destination::kConsole) return MakeConsoleExporter(log);
  Result<std::unique_ptr<Exporter>> exporter =
      MakeOtlpExporter(settings.otlp, settings.resource, random);
  if (exporter.ok()) return *std::move(exporter);
  log.Warn("no spans are exported", {{"err", exporter.error().message}});
  return nullptr;
}

void Move(prometheus::Counter& counter, std::uint64_t total) {
  const double more = static_cast<double>(total) - counter.Value();
  if (more > 0) counter.Increment(more);
}

}  // namespace

Tracing::Tracing(const Settings& settings, const runtime::Clock& clock,
                 runtime::RandomSource& random, runtime::Logger& log, runtime::Metrics& metrics) {
  for (const std::string& warning : settings.warnings) log.Warn(warning);
  if (auto exporter = MakeExporter(settings, random, log)) {
    auto on_change = [&log, target = settings.otlp.target](std::string_view why) {
      if (why.empty()) log.Info("spans are exported again", {{"collector", target}});
      if (!why.empty()) log.Warn("spans cannot be exported", {{"collector", target}, {"err", why}});
    };
    processor_ =
        std::make_unique<BatchProcessor>(std::move(exporter), settings.batch, std::move(on_change));
  }
  const TracerOptions options{
      .sampler = settings.sampler, .sink = processor_.get(), .propagation = settings.propagation};
  tracer_ = std::make_unique<Tracer>(clock, random, options);
  ExportMetrics(metrics);
}

Tracing::~Tracing() = default;

void Tracing::Shutdown(std::chrono::milliseconds grace) {
  if (processor_) processor_->Shutdown(grace);
}

void Tracing::ExportMetrics(runtime::Metrics& metrics) {
  const auto dropped = [&](const char* reason) -> prometheus::Counter& {
    return metrics.Counter("otel_bsp_spans_dropped_total", "Spans that were lost, by reason.",
                           {{"reason", reason}});
  };
  auto& full = dropped("queue_full");
  auto& failed = dropped("export_failed");
  auto& exported = metrics.Counter("otel_bsp_spans_exported_total", "Spans that arrived.");
  auto& failures =
      metrics.Counter("otel_bsp_exports_failed_total", "Batches of spans that did not arrive.");
  metrics.OnCollect([this, &full, &failed, &exported, &failures] {
    if (!processor_) return;
    const BatchStats stats = processor_->stats();
    Move(full, stats.dropped_full);
    Move(failed, stats.dropped_failed);
    Move(exported, stats.exported);
    Move(failures, stats.failed_exports);
  });
}

}  // namespace paymesh::trace
