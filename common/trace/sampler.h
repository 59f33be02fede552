// Which traces are recorded: OpenTelemetry's built-in samplers, as OTEL_TRACES_SAMPLER names them.
// An immutable value; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/trace/context.h"

namespace paymesh::trace {

class Sampler {
 public:
  // What decides where there is no parent, or where the parent is not asked.
  enum class Base { kAlwaysOn, kAlwaysOff, kRatio };
  enum class Parent { kAsked, kIgnored };

  Sampler() = default;  // parentbased_always_on, the default
  // `ratio` in [0, 1] of all traces, decided by the trace id alone, so that everyone with the same
  // ratio decides alike.
  Sampler(Base base, Parent parent, double ratio = 1);

  // always_on, always_off, traceidratio and these with "parentbased_" in front; nothing for any
  // other name. `ratio` is OTEL_TRACES_SAMPLER_ARG.
  static std::optional<Sampler> Named(std::string_view name, double ratio);

  // `parent` is the span above, or the cause that a new trace is linked to; null without either.
  bool Sample(const SpanContext* parent, const TraceId& trace_id) const;

 private:
  Base base_ = Base::kAlwaysOn;
  Parent parent_ = Parent::kAsked;
  std::uint64_t limit_ = 0;  // of 2^63, below which an id is taken
};

}  // namespace paymesh::trace
