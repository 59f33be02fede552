// The process's metrics, over prometheus-cpp. Ask once, at start, for each metric and keep the
// reference: it lives as long as this object, and moving it costs some 20 ns (looking it up again
// some 500). Any thread. Labels are bounded sets; never an id, an address or an amount.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/exemplars.h"
#include "common/runtime/exposition.h"

namespace paymesh::runtime {

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;
  using Buckets = std::vector<double>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same name and labels give the same metric. A name is of one kind only: else it aborts.
  prometheus::Counter& Counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help,
                                   const Buckets& buckets, const Labels& labels = {});
  // One that keeps exemplars.
  TracedHistogram& Traced(const std::string& name, const std::string& help, const Buckets& buckets,
                          const Labels& labels = {});

  // Called before each Render, to set gauges that are read rather than moved. Must be quick.
  void OnCollect(std::function<void()> collect);

  std::string Render(MetricsFormat format = MetricsFormat::kText);

  // 1 ms to 30 s, for anything timed in seconds.
  static const Buckets& LatencyBuckets();
  // 1 ms to 10 s, of calls: every objective's threshold is one of them.
  static const Buckets& CallBuckets();
  // 0.5 ms to 1 s, for what a database does.
  static const Buckets& DatabaseBuckets();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Moves a counter to a total that grows elsewhere; for OnCollect.
void Follow(prometheus::Counter& counter, double total);

}  // namespace paymesh::runtime
