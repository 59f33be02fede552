#include "common/outbox/spans.h"

#include <optional>
#include <string_view>
#include <utility>

#include "common/trace/tracer.h"

namespace paymesh::outbox {
namespace {

// A transaction of thousands (a chain read anew) would only push others' spans out of the queue.
constexpr std::size_t kMostSpans = 256;

struct Published {
  std::string outbox;
  std::int64_t position = 0;
  std::string subject;
  std::string kind;
  trace::SpanContext cause;
};

struct Work {
  std::string_view verb;
  trace::Kind kind;
  Time begun;
};

void Record(trace::Tracer& tracer, const Work& work, const std::string& outbox,
            const Published& entry) {
  const trace::StartOptions options{
      .kind = work.kind, .links = {&entry.cause, 1}, .start = &work.begun};
  trace::Span span = tracer.Start(std::string(work.verb) + " " + entry.kind, options);
  span.Set("messaging.system", "paymesh.journal");
  span.Set("messaging.operation.name", work.verb);
  span.Set("messaging.destination.name", outbox);
  span.Set("messaging.message.id", std::to_string(entry.position));
  if (!entry.subject.empty()) span.Set("paymesh.subject", entry.subject);
}

}  // namespace

void TracePublished(pg::Transaction& tx, const pg::Rows& rows, Time begun) {
  trace::Tracer* const tracer = tx.tracer();
  if (tracer == nullptr || !tracer->enabled()) return;
  std::vector<Published> published;
  for (const pg::Row& row : rows) {
    const auto text = row.Get<std::optional<std::string>>("trace");
    const auto cause = text ? trace::ParseTraceparent(*text) : std::nullopt;
    if (!cause || published.size() == kMostSpans) continue;
    published.push_back({row.Get<std::string>("journal"), row.Get<std::int64_t>("position"),
                         row.Get<std::string>("subject"), row.Get<std::string>("kind"), *cause});
  }
  if (published.empty()) return;
  tx.AfterCommit([tracer, begun, published = std::move(published)] {
    const Work work{.verb = "publish", .kind = trace::Kind::kProducer, .begun = begun};
    for (const Published& entry : published) Record(*tracer, work, entry.outbox, entry);
  });
}

void TraceApplied(trace::Tracer& tracer, const std::string& follower,
                  const std::vector<Entry>& entries, Time begun) {
  if (!tracer.enabled()) return;
  // "checkout<-watcher.transfers" follows watcher.transfers.
  const std::size_t arrow = follower.find("<-");
  const std::string outbox = arrow == std::string::npos ? follower : follower.substr(arrow + 2);
  const Work work{.verb = "process", .kind = trace::Kind::kConsumer, .begun = begun};
  for (const Entry& entry : entries) {
    const auto cause = trace::ParseTraceparent(entry.trace);
    if (!cause || !cause->sampled) continue;
    Record(tracer, work, outbox, {"", entry.position, entry.subject, entry.kind, *cause});
  }
}

}  // namespace paymesh::outbox
