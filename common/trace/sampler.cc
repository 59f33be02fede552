#include "common/trace/sampler.h"

#include <algorithm>

namespace paymesh::trace {
namespace {

constexpr std::uint64_t kAll = std::uint64_t{1} << 63;

// The last eight bytes are the ones that the standard wants random.
std::uint64_t Randomness(const TraceId& id) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i < 16; ++i) value = value << 8 | id.bytes[i];
  return value >> 1;
}

}  // namespace

Sampler::Sampler(Base base, Parent parent, double ratio)
    : base_(base),
      parent_(parent),
      limit_(ratio >= 1
                 ? kAll
                 : static_cast<std::uint64_t>(std::max(ratio, 0.0) * static_cast<double>(kAll))) {}

std::optional<Sampler> Sampler::Named(std::string_view name, double ratio) {
  constexpr std::string_view kParentBased = "parentbased_";
  Parent parent = Parent::kIgnored;
  if (name.starts_with(kParentBased)) {
    parent = Parent::kAsked;
    name.remove_prefix(kParentBased.size());
  }
  if (name == "always_on") return Sampler(Base::kAlwaysOn, parent);
  if (name == "always_off") return Sampler(Base::kAlwaysOff, parent);
  if (name == "traceidratio") return Sampler(Base::kRatio, parent, ratio);
  return std::nullopt;
}

bool Sampler::Sample(const SpanContext* parent, const TraceId& trace_id) const {
  if (parent != nullptr && parent_ == Parent::kAsked) return parent->sampled;
  switch (base_) {
    case Base::kAlwaysOn:
      return true;
    case Base::kAlwaysOff:
      return false;
    case Base::kRatio:
      return Randomness(parent == nullptr ? trace_id : parent->trace_id) < limit_;
  }
  return false;
}

}  // namespace paymesh::trace
