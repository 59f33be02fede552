#include "common/runtime/exposition.h"

#include <gtest/gtest.h>

#include <atomic>
#include <regex>
#include <thread>

#include "common/runtime/metrics.h"

namespace paymesh::runtime {
namespace {

constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";
constexpr char kOther[] = "4bf92f3577b34da6a3ce929d0e0e4736";

TEST(MetricsFormat, IsTheOneThatTheScraperAsksFor) {
  EXPECT_EQ(MetricsFormatFor(""), MetricsFormat::kText);
  EXPECT_EQ(MetricsFormatFor("text/plain;version=0.0.4"), MetricsFormat::kText);
  EXPECT_EQ(MetricsFormatFor("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            MetricsFormat::kOpenMetrics);
}

TEST(OpenMetrics, NamesACountersFamilyWithoutItsSuffixAndEnds) {
  Metrics metrics;
  metrics.Counter("a_total", "Help \"me\".", {{"k", "v\\\"\n"}}).Increment(2);
  EXPECT_EQ(metrics.Render(MetricsFormat::kOpenMetrics),
            "# HELP a Help \\\"me\\\".\n# TYPE a counter\na_total{k=\"v\\\\\\\"\\n\"} 2\n# EOF\n");
  EXPECT_EQ(metrics.Render(),
            "# HELP a_total Help \"me\".\n# TYPE a_total counter\na_total{k=\"v\\\\\\\"\\n\"} 2\n");
}

TEST(OpenMetrics, GivesABucketTheLastSampledTraceInIt) {
  Metrics metrics;
  TracedHistogram& seconds = metrics.Traced("h_seconds", "Help.", {.05, 1, 10}, {{"k", "v"}});
  seconds.Observe(.02, kOther);
  seconds.Observe(.04, kTrace);
  seconds.Observe(.03);  // not sampled: leaves no exemplar
  seconds.Observe(2);
  seconds.Observe(99, kOther);
  const std::string page = metrics.Render(MetricsFormat::kOpenMetrics);
  const auto has = [&page](const std::string& pattern) {
    return std::regex_search(page, std::regex(pattern));
  };
  EXPECT_TRUE(has("h_seconds_bucket\\{k=\"v\",le=\"0.05\"\\} 3 # \\{trace_id=\"" +
                  std::string(kTrace) + "\"\\} 0.04 [0-9]{10}\\.[0-9]{3}\n"))
      << page;
  EXPECT_TRUE(has("h_seconds_bucket\\{k=\"v\",le=\"1.0\"\\} 3\n")) << page;
  EXPECT_TRUE(has("h_seconds_bucket\\{k=\"v\",le=\"10.0\"\\} 4\n")) << page;
  EXPECT_TRUE(has("le=\"\\+Inf\"\\} 5 # \\{trace_id=\"" + std::string(kOther) + "\"\\} 99 "));
  EXPECT_TRUE(has("h_seconds_count\\{k=\"v\"\\} 5\n"));
  EXPECT_EQ(metrics.Render().find("# {"), std::string::npos) << "the text format has no exemplars";
}

TEST(OpenMetrics, LeavesOutATraceIdThatIsNone) {
  Metrics metrics;
  metrics.Traced("h_seconds", "Help.", {1}).Observe(.5, "short\"} 1");
  EXPECT_EQ(metrics.Render(MetricsFormat::kOpenMetrics).find("short"), std::string::npos);
}

TEST(Bounds, AreWrittenTheSameInBothFormats) {
  Metrics metrics;
  metrics.Histogram("h", "Help.", {.0005, .25, 1, 86'400, 5e6}).Observe(1);
  for (const MetricsFormat format : {MetricsFormat::kText, MetricsFormat::kOpenMetrics}) {
    const std::string page = metrics.Render(format);
    for (const char* bound : {"0.0005", "0.25", "1.0", "86400.0", "5e+06", "+Inf"}) {
      EXPECT_NE(page.find("le=\"" + std::string(bound) + "\""), std::string::npos) << page;
    }
  }
}

TEST(Exemplars, AreWholeHoweverManyWriteThem) {
  Metrics metrics;
  TracedHistogram& seconds = metrics.Traced("h_seconds", "Help.", {1});
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (const char* trace : {kTrace, kOther}) {
    writers.emplace_back([&seconds, &stop, trace] {
      while (!stop) seconds.Observe(trace == kTrace ? .1 : .2, trace);
    });
  }
  // On a busy machine the writers begin late.
  while (!seconds.Last(0)) std::this_thread::yield();
  for (int i = 0; i < 2'000; ++i) {
    const auto last = seconds.Last(0);
    EXPECT_TRUE(last);
    if (!last) break;
    EXPECT_EQ(last->trace_id, last->value == .1 ? kTrace : kOther);
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_FALSE(seconds.Last(1));
}

}  // namespace
}  // namespace paymesh::runtime
