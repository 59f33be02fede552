#include "common/trace/tracer.h"

#include <algorithm>

namespace paymesh::trace {
namespace {

// Cut between characters, so that what is left is UTF-8 if it was.
std::string Bounded(std::string_view text) {
  if (text.size() <= kMaxText) return std::string(text);
  std::size_t size = kMaxText;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return std::string(text.substr(0, size));
}

}  // namespace

Span& Span::operator=(Span&& other) noexcept {
  if (this == &other) return *this;
  End();
  context_ = std::move(other.context_);
  data_ = std::move(other.data_);
  started_ = other.started_;
  tracer_ = other.tracer_;
  return *this;
}

void Span::Add(std::string_view key, Value value) {
  if (data_->attributes.size() >= kMaxAttributes) {
    ++data_->dropped_attributes;
    return;
  }
  data_->attributes.emplace_back(key, std::move(value));
}

void Span::Set(std::string_view key, std::string_view value) {
  if (recording()) Add(key, Bounded(value));
}
void Span::Set(std::string_view key, std::int64_t value) {
  if (recording()) Add(key, value);
}
void Span::Set(std::string_view key, bool value) {
  if (recording()) Add(key, value);
}

void Span::AddEvent(std::string name) {
  if (!recording()) return;
  if (data_->events.size() >= kMaxEvents) {
    ++data_->dropped_events;
    return;
  }
  data_->events.push_back({tracer_->clock_.Now(), Bounded(name)});
}

void Span::AddLink(const SpanContext& context) {
  if (!recording() || !context.valid()) return;
  if (data_->links.size() >= kMaxLinks) {
    ++data_->dropped_links;
    return;
  }
  data_->links.push_back(context);
}

void Span::SetOutcome(Outcome outcome, std::string message) {
  if (!recording()) return;
  data_->outcome = outcome;
  data_->message = Bounded(message);
}

void Span::End() {
  if (!recording()) return;
  // By the steady clock, so that a calendar that is set back makes no span end before it began.
  data_->end = data_->start + std::chrono::duration_cast<std::chrono::microseconds>(
                                  tracer_->clock_.Steady() - started_);
  tracer_->sink_->Take(std::move(data_));
}

Span Tracer::Start(std::string_view name, StartOptions options) {
  Span span;
  const bool child = options.parent != nullptr && options.parent->valid();
  const SpanContext* cause = child ? options.parent : nullptr;
  if (cause == nullptr && !options.links.empty() && options.links.front().valid()) {
    cause = &options.links.front();
  }
  if (child && !enabled()) {
    span.context_ = *options.parent;
    return span;
  }
  if (child) {
    span.context_.trace_id = options.parent->trace_id;
    span.context_.state = options.parent->state;
    Draw(span.context_.span_id.bytes);
  } else {
    std::array<std::uint8_t, 24> ids{};
    Draw(ids);
    std::copy_n(ids.begin(), 16, span.context_.trace_id.bytes.begin());
    std::copy_n(ids.begin() + 16, 8, span.context_.span_id.bytes.begin());
  }
  if (!enabled() || !sampler_.Sample(cause, span.context_.trace_id)) return span;
  span.context_.sampled = true;
  span.tracer_ = this;
  span.started_ = clock_.Steady();
  span.data_ = std::make_unique<SpanData>();
  span.data_->context = span.context_;
  if (child) span.data_->parent = options.parent->span_id;
  span.data_->name = Bounded(name);
  span.data_->kind = options.kind;
  const Time now = clock_.Now();
  span.data_->start = options.start != nullptr ? std::min(*options.start, now) : now;
  span.started_ -= now - span.data_->start;
  for (const SpanContext& link : options.links) span.AddLink(link);
  return span;
}

Span Tracer::StartFor(std::span<const SpanContext> causes, std::string_view name, Kind kind) {
  if (causes.empty()) return Start(name, {.kind = kind});
  const auto sampled = std::find_if(causes.begin(), causes.end(),
                                    [](const SpanContext& cause) { return cause.sampled; });
  const auto first = sampled == causes.end() ? causes.begin() : sampled;
  Span span = Start(name, {.kind = kind, .parent = &*first});
  for (auto other = std::next(first); span.recording() && other != causes.end(); ++other) {
    if (other->sampled) span.AddLink(*other);
  }
  return span;
}

void Tracer::Draw(std::span<std::uint8_t> bytes) {
  std::lock_guard lock(mutex_);
  if (drawn_.size() - used_ < bytes.size()) {
    random_.Fill(drawn_);
    used_ = 0;
  }
  std::copy_n(drawn_.begin() + static_cast<std::ptrdiff_t>(used_), bytes.size(), bytes.begin());
  used_ += bytes.size();
}

}  // namespace paymesh::trace
