#include "common/runtime/metrics.h"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace paymesh::runtime {

struct Metrics::Impl {
  prometheus::Registry registry;
  std::mutex mutex;
  std::vector<std::function<void()>> collectors;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::Counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

prometheus::Gauge& Metrics::Gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

prometheus::Histogram& Metrics::Histogram(const std::string& name, const std::string& help,
                                          const Buckets& buckets, const Labels& labels) {
  return prometheus::BuildHistogram()
      .Name(name)
      .Help(help)
      .Register(impl_->registry)
      .Add(labels, buckets);
}

void Metrics::OnCollect(std::function<void()> collect) {
  std::lock_guard lock(impl_->mutex);
  impl_->collectors.push_back(std::move(collect));
}

std::string Metrics::Render() {
  {
    std::lock_guard lock(impl_->mutex);
    for (const auto& collect : impl_->collectors) collect();
  }
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

const Metrics::Buckets& Metrics::LatencyBuckets() {
  static const Buckets kBuckets = {.001, .0025, .005, .01, .025, .05, .1,
                                   .25,  .5,    1,    2.5, 5,    10,  30};
  return kBuckets;
}

}  // namespace paymesh::runtime
