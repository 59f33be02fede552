// Spans: what a piece of work was called, when it began and ended, what came of it, and on whose
// behalf it was done.
//
//   trace::Span span = tracer.Start("Decide", {.kind = Kind::kClient, .parent = &context});
//   span.Set("rpc.method", "Decide");
//   ...
//   span.End();    // or by its destructor
//
// A span that is not sampled has ids, so that callees see one trace, and does nothing else; a
// tracer without a sink does not even make ids below a parent, because nobody would ever see the
// span. Never put into a span: secrets, or an address together with an amount. Ids are what they
// are for. Tracer: any thread. Span: one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "common/trace/context.h"
#include "common/trace/sampler.h"

namespace paymesh::trace {

enum class Kind { kInternal, kServer, kClient, kProducer, kConsumer };
enum class Outcome { kUnset, kOk, kError };

using Value = std::variant<std::string, std::int64_t, bool>;
// Keys are literals.
using Attributes = std::vector<std::pair<std::string_view, Value>>;

struct Event {
  Time time{};
  std::string name;
};

// OpenTelemetry's default limits. What is beyond them is counted and dropped.
inline constexpr std::size_t kMaxAttributes = 128;
inline constexpr std::size_t kMaxEvents = 128;
inline constexpr std::size_t kMaxLinks = 128;
inline constexpr std::size_t kMaxText = 1'024;  // bytes of a name, a text attribute or a message

// A span that has ended.
struct SpanData {
  SpanContext context;
  SpanId parent;  // zero: a root
  std::string name;
  Kind kind = Kind::kInternal;
  Time start{};
  Time end{};
  Outcome outcome = Outcome::kUnset;
  std::string message;  // why it failed
  Attributes attributes;
  std::vector<Event> events;
  std::vector<SpanContext> links;
  std::uint32_t dropped_attributes = 0;
  std::uint32_t dropped_events = 0;
  std::uint32_t dropped_links = 0;
};

// Where ended spans go. Any thread; must neither block nor throw.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void Take(std::unique_ptr<SpanData> span) = 0;
};

class Tracer;

class Span {
 public:
  Span() = default;  // none
  Span(Span&& other) noexcept = default;
  Span& operator=(Span&& other) noexcept;
  ~Span() { End(); }

  const SpanContext& context() const { return context_; }
  bool recording() const { return data_ != nullptr; }

  // `key` is a literal: it is not copied.
  void Set(std::string_view key, std::string_view value);
  void Set(std::string_view key, const char* value) { Set(key, std::string_view(value)); }
  void Set(std::string_view key, std::int64_t value);
  void Set(std::string_view key, bool value);
  void AddEvent(std::string name);
  void AddLink(const SpanContext& context);  // invalid ones are left out
  void SetOutcome(Outcome outcome, std::string message = "");
  // Hands the span over; what is done to it later is lost.
  void End();

 private:
  friend class Tracer;
  void Add(std::string_view key, Value value);

  SpanContext context_;
  std::unique_ptr<SpanData> data_;
  runtime::SteadyTime started_{};
  Tracer* tracer_ = nullptr;
};

// Trivially destructible on purpose: such a temporary is safe inside a co_await expression (gcc
// 12). All is read before Start returns.
struct StartOptions {
  Kind kind = Kind::kInternal;
  const SpanContext* parent = nullptr;      // null or invalid: a new trace
  std::span<const SpanContext> links = {};  // a new trace is recorded if the first of them is
  const Time* start = nullptr;              // null: now
};

// Whether trace context goes in and out with calls.
enum class Propagation { kTraceContext, kNone };

struct TracerOptions {
  Sampler sampler = {};
  Sink* sink = nullptr;  // null: nothing is recorded
  Propagation propagation = Propagation::kTraceContext;
};

class Tracer {
 public:
  // All, the sink too, outlive the tracer and its spans.
  Tracer(const runtime::Clock& clock, runtime::RandomSource& random, TracerOptions options = {})
      : clock_(clock),
        random_(random),
        sampler_(options.sampler),
        sink_(options.sink),
        propagation_(options.propagation) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool enabled() const { return sink_ != nullptr; }
  bool propagates() const { return propagation_ == Propagation::kTraceContext; }
  const runtime::Clock& clock() const { return clock_; }

  Span Start(std::string_view name, StartOptions options = {});
  // Of work that is done for several at once: below the first that is sampled, with links to the
  // others that are.
  Span StartFor(std::span<const SpanContext> causes, std::string_view name, Kind kind);

 private:
  friend class Span;
  // One call of the system's generator pays for many ids.
  void Draw(std::span<std::uint8_t> bytes);

  const runtime::Clock& clock_;
  runtime::RandomSource& random_;
  const Sampler sampler_;
  Sink* const sink_;
  const Propagation propagation_;
  std::mutex mutex_;
  std::array<std::uint8_t, 1'024> drawn_{};  // guarded by mutex_
  std::size_t used_ = drawn_.size();         // guarded by mutex_
};

}  // namespace paymesh::trace
