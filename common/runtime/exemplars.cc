#include "common/runtime/exemplars.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace paymesh::runtime {

TracedHistogram::TracedHistogram(prometheus::Histogram& histogram, std::vector<double> buckets)
    : histogram_(histogram),
      buckets_(std::move(buckets)),
      slots_(std::make_unique<Slot[]>(buckets_.size() + 1)) {}

void TracedHistogram::Observe(double value, std::string_view trace_id) {
  histogram_.Observe(value);
  if (trace_id.size() != kTraceId) return;
  const auto bucket = std::lower_bound(buckets_.begin(), buckets_.end(), value) - buckets_.begin();
  Slot& slot = slots_[static_cast<std::size_t>(bucket)];
  if (slot.taken.test_and_set(std::memory_order_acquire)) return;
  slot.filled = true;
  std::copy(trace_id.begin(), trace_id.end(), slot.trace_id.begin());
  slot.value = value;
  slot.timestamp =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  slot.taken.clear(std::memory_order_release);
}

std::optional<Exemplar> TracedHistogram::Last(std::size_t bucket) const {
  const Slot& slot = slots_[bucket];
  while (slot.taken.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  std::optional<Exemplar> last;
  if (slot.filled) {
    last = Exemplar{std::string(slot.trace_id.data(), kTraceId), slot.value, slot.timestamp};
  }
  slot.taken.clear(std::memory_order_release);
  return last;
}

}  // namespace paymesh::runtime
