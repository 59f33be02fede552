// A histogram that keeps, with each bucket, the last event of a sampled trace that fell into it: an
// exemplar (OpenMetrics 1.0), by which a dashboard leads from a slow bucket to a trace. One a
// bucket is all that is kept. Any thread; an observation never waits: of two that meet in one
// bucket one leaves no exemplar.
#pragma once

#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paymesh::runtime {

struct Exemplar {
  std::string trace_id;
  double value = 0;
  double timestamp = 0;  // Unix time, seconds
};

class TracedHistogram {
 public:
  // `histogram` outlives this; `buckets` are its upper bounds, ascending.
  TracedHistogram(prometheus::Histogram& histogram, std::vector<double> buckets);

  void Observe(double value) { histogram_.Observe(value); }
  // Of an event in a sampled trace; a `trace_id` that has not 32 characters is not kept.
  void Observe(double value, std::string_view trace_id);

  // The last exemplar of bucket i; the one after the last bound is +Inf.
  std::optional<Exemplar> Last(std::size_t bucket) const;

 private:
  static constexpr std::size_t kTraceId = 32;
  struct Slot {
    mutable std::atomic_flag taken;
    bool filled = false;  // this and what follows: guarded by taken
    std::array<char, kTraceId> trace_id{};
    double value = 0;
    double timestamp = 0;
  };

  prometheus::Histogram& histogram_;
  const std::vector<double> buckets_;
  const std::unique_ptr<Slot[]> slots_;
};

}  // namespace paymesh::runtime
