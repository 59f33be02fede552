#include "common/runtime/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace paymesh::runtime {
namespace {

constexpr std::string_view kTotal = "_total";

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

// A bound as OpenMetrics' canonical numbers: always with a point, or an exponent.
std::string Bound(double value) {
  if (std::isinf(value)) return "+Inf";
  char text[40];
  const bool plain = value == 0 || (std::abs(value) >= 1e-4 && std::abs(value) < 1e6);
  const auto end = std::to_chars(text, text + sizeof text, value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string bound(text, end.ptr);
  if (plain && bound.find('.') == std::string::npos) bound += ".0";
  return bound;
}

enum class Quote { kYes, kNo };
void AppendEscaped(std::string& out, std::string_view text, Quote quote) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (c == '"' && quote == Quote::kYes)) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
}

class Page {
 public:
  Page(MetricsFormat format, const FindExemplars& find) : format_(format), find_(find) {}

  void Add(const prometheus::MetricFamily& family) {
    Head(family);
    for (const prometheus::ClientMetric& metric : family.metric) {
      const std::string labels = SeriesLabels(metric.label);
      switch (family.type) {
        case prometheus::MetricType::Counter:
          Sample(family.name, labels, Number(metric.counter.value));
          break;
        case prometheus::MetricType::Gauge:
          Sample(family.name, labels, Number(metric.gauge.value));
          break;
        case prometheus::MetricType::Histogram:
          AddHistogram(family.name, labels, metric.histogram);
          break;
        default:  // the registry makes nothing else
          break;
      }
    }
  }

  std::string Finish() {
    if (format_ == MetricsFormat::kOpenMetrics) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  void Head(const prometheus::MetricFamily& family) {
    std::string_view name = family.name;
    const bool counter = family.type == prometheus::MetricType::Counter;
    // There a counter's family is named without the suffix that its sample has.
    if (counter && format_ == MetricsFormat::kOpenMetrics && name.ends_with(kTotal)) {
      name.remove_suffix(kTotal.size());
    }
    out_.append("# HELP ").append(name).append(" ");
    AppendEscaped(out_, family.help, format_ == MetricsFormat::kText ? Quote::kNo : Quote::kYes);
    out_.append("\n# TYPE ")
        .append(name)
        .append(counter                                            ? " counter\n"
                : family.type == prometheus::MetricType::Histogram ? " histogram\n"
                                                                   : " gauge\n");
  }

  void Sample(std::string_view name, std::string_view labels, std::string_view value) {
    out_ += name;
    if (!labels.empty()) out_.append("{").append(labels).append("}");
    out_.append(" ").append(value).append("\n");
  }

  void AddHistogram(const std::string& name, const std::string& labels,
                    const prometheus::ClientMetric::Histogram& histogram) {
    const TracedHistogram* traced =
        format_ == MetricsFormat::kOpenMetrics && find_ ? find_(name, labels) : nullptr;
    const std::string prefix = labels.empty() ? "le=\"" : labels + ",le=\"";
    for (std::size_t i = 0; i < histogram.bucket.size(); ++i) {
      const auto& bucket = histogram.bucket[i];
      std::string value = std::to_string(bucket.cumulative_count);
      if (traced != nullptr) AppendExemplar(value, traced->Last(i));
      Sample(name + "_bucket", prefix + Bound(bucket.upper_bound) + "\"", value);
    }
    Sample(name + "_sum", labels, Number(histogram.sample_sum));
    Sample(name + "_count", labels, std::to_string(histogram.sample_count));
  }

  static void AppendExemplar(std::string& out, const std::optional<Exemplar>& exemplar) {
    if (!exemplar) return;
    char time[32];
    const auto end =
        std::to_chars(time, time + sizeof time, exemplar->timestamp, std::chars_format::fixed, 3);
    out.append(" # {trace_id=\"");
    AppendEscaped(out, exemplar->trace_id, Quote::kYes);
    out.append("\"} ").append(Number(exemplar->value)).append(" ").append(time, end.ptr);
  }

  const MetricsFormat format_;
  const FindExemplars& find_;
  std::string out_;
};

}  // namespace

MetricsFormat MetricsFormatFor(std::string_view accept) {
  return accept.find("application/openmetrics-text") == std::string_view::npos
             ? MetricsFormat::kText
             : MetricsFormat::kOpenMetrics;
}

std::string_view ContentType(MetricsFormat format) {
  return format == MetricsFormat::kText
             ? "text/plain; version=0.0.4; charset=utf-8"
             : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

std::string SeriesLabels(const std::vector<prometheus::ClientMetric::Label>& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text.append(name).append("=\"");
    AppendEscaped(text, value, Quote::kYes);
    text += '"';
  }
  return text;
}

std::string RenderMetrics(const std::vector<prometheus::MetricFamily>& families,
                          MetricsFormat format, const FindExemplars& find) {
  Page page(format, find);
  for (const prometheus::MetricFamily& family : families) page.Add(family);
  return page.Finish();
}

}  // namespace paymesh::runtime
