// The text of a metrics page, in Prometheus' format 0.0.4 or as OpenMetrics 1.0, of what
// prometheus-cpp's registry collected (it has no OpenMetrics of its own). No I/O; any thread.
//
// Bucket bounds are written as OpenMetrics wants them ("1.0", not "1") in both formats: a bound is
// a label, and a scraper that changes the format must not see other series.
#pragma once

#include <prometheus/metric_family.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/runtime/exemplars.h"

namespace paymesh::runtime {

enum class MetricsFormat { kText, kOpenMetrics };

// What a scraper that sends this Accept header gets: OpenMetrics when it names it.
MetricsFormat MetricsFormatFor(std::string_view accept);
std::string_view ContentType(MetricsFormat format);

// The histogram behind a series, by its family's name and its labels as SeriesLabels renders them;
// null for one without exemplars. Exemplars are part of OpenMetrics only.
using FindExemplars =
    std::function<const TracedHistogram*(const std::string& name, const std::string& labels)>;

std::string RenderMetrics(const std::vector<prometheus::MetricFamily>& families,
                          MetricsFormat format, const FindExemplars& find);

// `k="v",l="w"`, escaped.
std::string SeriesLabels(const std::vector<prometheus::ClientMetric::Label>& labels);

}  // namespace paymesh::runtime
