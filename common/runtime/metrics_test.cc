#include "common/runtime/metrics.h"

#include <gtest/gtest.h>

namespace paymesh::runtime {
namespace {

TEST(Metrics, AreRenderedAsText) {
  Metrics metrics;
  metrics.Counter("a_total", "Help.", {{"k", "v"}}).Increment(2);
  metrics.Counter("a_total", "Help.", {{"k", "w"}}).Increment(1);
  metrics.Histogram("h_seconds", "Help.", {1, 2}).Observe(1.5);
  auto& gauge = metrics.Gauge("g", "Help.");
  metrics.OnCollect([&gauge] { gauge.Set(7); });
  const std::string text = metrics.Render();
  EXPECT_NE(text.find("a_total{k=\"v\"} 2"), std::string::npos);
  EXPECT_NE(text.find("a_total{k=\"w\"} 1"), std::string::npos);
  EXPECT_NE(text.find("h_seconds_bucket{le=\"2.0\"} 1"), std::string::npos);
  EXPECT_NE(text.find("g 7"), std::string::npos);
}

TEST(Metrics, TheSameNameAndLabelsAreOneMetric) {
  Metrics metrics;
  EXPECT_EQ(&metrics.Counter("a_total", "Help.", {{"k", "v"}}),
            &metrics.Counter("a_total", "Help.", {{"k", "v"}}));
}

}  // namespace
}  // namespace paymesh::runtime
