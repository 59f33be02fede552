#include "common/runtime/metrics.h"

#include <prometheus/registry.h>

#include <mutex>

namespace paymesh::runtime {

struct Metrics::Impl {
  // The registry finds a family by looking at all of them; a name that is asked for again is found
  // here.
  template <class M>
  using Families = std::map<std::string, prometheus::Family<M>*, std::less<>>;
  using Series = std::pair<std::string, std::string>;  // name, labels as rendered

  template <class M>
  prometheus::Family<M>& Find(Families<M>& families, prometheus::detail::Builder<M> builder,
                              const std::string& name, const std::string& help) {
    std::lock_guard lock(mutex);
    prometheus::Family<M>*& family = families[name];
    if (family == nullptr) family = &builder.Name(name).Help(help).Register(registry);
    return *family;
  }

  prometheus::Registry registry;
  std::mutex mutex;
  Families<prometheus::Counter> counters;
  Families<prometheus::Gauge> gauges;
  Families<prometheus::Histogram> histograms;
  std::map<Series, std::unique_ptr<TracedHistogram>> traced;
  std::vector<std::function<void()>> collectors;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return impl_->Find(impl_->counters, prometheus::BuildCounter(), name, help).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return impl_->Find(impl_->gauges, prometheus::BuildGauge(), name, help).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          const Buckets& buckets, const Labels& labels) {
  return impl_->Find(impl_->histograms, prometheus::BuildHistogram(), name, help)
      .Add(labels, buckets);
}

TracedHistogram& Metrics::Traced(const std::string& name, const std::string& help,
                                 const Buckets& buckets, const Labels& labels) {
  prometheus::Histogram& histogram = Histogram(name, help, buckets, labels);
  std::vector<prometheus::ClientMetric::Label> sorted;
  for (const auto& [key, value] : labels) sorted.push_back({key, value});
  std::lock_guard lock(impl_->mutex);
  auto& traced = impl_->traced[{name, SeriesLabels(sorted)}];
  if (!traced) traced = std::make_unique<TracedHistogram>(histogram, buckets);
  return *traced;
}

void Metrics::OnCollect(std::function<void()> collect) {
  std::lock_guard lock(impl_->mutex);
  impl_->collectors.push_back(std::move(collect));
}

std::string Metrics::Render(MetricsFormat format) {
  std::vector<std::function<void()>> collectors;
  {
    std::lock_guard lock(impl_->mutex);
    collectors = impl_->collectors;
  }
  for (const auto& collect : collectors) collect();
  const FindExemplars find = [this](const std::string& name, const std::string& labels) {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->traced.find({name, labels});
    return found == impl_->traced.end() ? nullptr : found->second.get();
  };
  return RenderMetrics(impl_->registry.Collect(), format, find);
}

void Follow(prometheus::Counter& counter, double total) {
  if (const double more = total - counter.Value(); more > 0) counter.Increment(more);
}

const Metrics::Buckets& Metrics::LatencyBuckets() {
  static const Buckets kBuckets = {.001, .0025, .005, .01, .025, .05, .1,
                                   .25,  .5,    1,    2.5, 5,    10,  30};
  return kBuckets;
}

const Metrics::Buckets& Metrics::CallBuckets() {
  static const Buckets kBuckets = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  return kBuckets;
}

const Metrics::Buckets& Metrics::DatabaseBuckets() {
  static const Buckets kBuckets = {.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1};
  return kBuckets;
}

}  // namespace paymesh::runtime
