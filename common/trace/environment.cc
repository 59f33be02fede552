#include "common/trace/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

namespace paymesh::trace {
namespace {

using std::chrono::milliseconds;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = Trimmed(text.substr(0, comma));
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// %41 is A. Nothing for a broken escape.
std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    unsigned value = 0;
    const char* const end = text.data() + i + 3;
    const auto [stop, error] = std::from_chars(text.data() + i + 1, end, value, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

// What one reading needs: the variables and where to complain.
class Reader {
 public:
  Reader(const Environment& environment, std::vector<std::string>& warnings)
      : environment_(environment), warnings_(warnings) {}

  // Empty is as good as absent.
  std::string Text(const std::string& name) const {
    const char* value = environment_(name.c_str());
    return value == nullptr ? "" : std::string(Trimmed(value));
  }
  // The variable for traces alone goes before the one for all signals.
  std::string Otlp(const std::string& name) const {
    std::string traces = Text("OTEL_EXPORTER_OTLP_TRACES_" + name);
    return traces.empty() ? Text("OTEL_EXPORTER_OTLP_" + name) : traces;
  }
  bool Flag(const std::string& name, const std::string& value) {
    const std::string lower = Lower(value);
    if (!lower.empty() && lower != "true" && lower != "false") Warn(name, "true or false");
    return lower == "true";
  }
  // `least` for what is absent or no number from there up.
  std::size_t Number(const std::string& name, const std::string& value, std::size_t least,
                     std::size_t absent) {
    if (value.empty()) return absent;
    std::size_t number = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (error == std::errc() && stop == end && number >= least && number <= kMost) return number;
    Warn(name, "a whole number from " + std::to_string(least));
    return absent;
  }
  milliseconds Duration(const std::string& name, const std::string& value, milliseconds absent) {
    const auto fallback = static_cast<std::size_t>(absent.count());
    return milliseconds(static_cast<std::int64_t>(Number(name, value, 1, fallback)));
  }
  // key1=value1,key2=value2, values percent-encoded.
  Pairs KeyValues(const std::string& name, const std::string& value) {
    Pairs pairs;
    for (const std::string_view part : Split(value)) {
      const std::size_t equals = part.find('=');
      const std::string_view key = Trimmed(part.substr(0, equals));
      std::optional<std::string> decoded;
      if (equals != std::string_view::npos) {
        decoded = PercentDecoded(Trimmed(part.substr(equals + 1)));
      }
      if (key.empty() || !decoded) {
        Warn(name, "key=value, key=value ...");
        return {};
      }
      pairs.emplace_back(std::string(key), *std::move(decoded));
    }
    return pairs;
  }
  // The value may be a secret, so it is not shown.
  void Warn(const std::string& name, const std::string& wanted) {
    warnings_.push_back(name + " is ignored: it must be " + wanted);
  }

 private:
  static constexpr std::size_t kMost = 1'000'000'000;
  const Environment& environment_;
  std::vector<std::string>& warnings_;
};

void Put(Resource& resource, std::string key, std::string value) {
  const auto same = [&](const auto& pair) { return pair.first == key; };
  const auto found = std::find_if(resource.begin(), resource.end(), same);
  if (found != resource.end()) {
    found->second = std::move(value);
  } else {
    resource.emplace_back(std::move(key), std::move(value));
  }
}

Resource ReadResource(Reader& reader, Resource resource) {
  const std::string name = "OTEL_RESOURCE_ATTRIBUTES";
  for (auto& [key, value] : reader.KeyValues(name, reader.Text(name))) {
    Put(resource, std::move(key), std::move(value));
  }
  if (std::string service = reader.Text("OTEL_SERVICE_NAME"); !service.empty()) {
    Put(resource, "service.name", std::move(service));
  }
  return resource;
}

Sampler ReadSampler(Reader& reader) {
  const std::string name = Lower(reader.Text("OTEL_TRACES_SAMPLER"));
  const std::string argument = reader.Text("OTEL_TRACES_SAMPLER_ARG");
  double ratio = 1;
  if (!argument.empty()) {
    char* end = nullptr;
    ratio = std::strtod(argument.c_str(), &end);
    if (*end != '\0' || !(ratio >= 0 && ratio <= 1)) {
      reader.Warn("OTEL_TRACES_SAMPLER_ARG", "a ratio from 0 to 1");
      ratio = 1;
    }
  }
  if (name.empty()) return {};
  const std::optional<Sampler> sampler = Sampler::Named(name, ratio);
  if (!sampler) {
    reader.Warn("OTEL_TRACES_SAMPLER",
                "always_on, always_off, traceidratio or parentbased_ and one of these");
  }
  return sampler.value_or(Sampler());
}

// Baggage is nobody's business here, so it is accepted and left alone.
Propagation ReadPropagation(Reader& reader) {
  const std::string text = reader.Text("OTEL_PROPAGATORS");
  if (text.empty()) return Propagation::kTraceContext;
  Propagation propagation = Propagation::kNone;
  for (const std::string_view name : Split(text)) {
    if (name == "tracecontext") propagation = Propagation::kTraceContext;
    if (name != "tracecontext" && name != "baggage" && name != "none") {
      reader.Warn("OTEL_PROPAGATORS", "of tracecontext, baggage and none");
    }
  }
  return propagation;
}

BatchOptions ReadBatch(Reader& reader) {
  BatchOptions batch;
  const auto number = [&](const std::string& name, std::size_t absent) {
    return reader.Number(name, reader.Text(name), 1, absent);
  };
  const auto duration = [&](const std::string& name, milliseconds absent) {
    return reader.Duration(name, reader.Text(name), absent);
  };
  batch.max_queue = number("OTEL_BSP_MAX_QUEUE_SIZE", batch.max_queue);
  batch.max_batch = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", batch.max_batch);
  batch.schedule_delay = duration("OTEL_BSP_SCHEDULE_DELAY", batch.schedule_delay);
  batch.export_timeout = duration("OTEL_BSP_EXPORT_TIMEOUT", batch.export_timeout);
  if (batch.max_batch > batch.max_queue) {
    reader.Warn("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "at most OTEL_BSP_MAX_QUEUE_SIZE");
    batch.max_batch = batch.max_queue;
  }
  return batch;
}

// http://host:port is plaintext, https://host:port TLS; for host:port OTEL_..._INSECURE decides.
void ReadEndpoint(Reader& reader, std::string_view endpoint, OtlpOptions& otlp) {
  otlp.tls = !reader.Flag("OTEL_EXPORTER_OTLP_INSECURE", reader.Otlp("INSECURE"));
  if (endpoint.empty()) {
    otlp.tls = false;  // the specification's http://localhost:4317
    return;
  }
  constexpr std::string_view kSchemeEnd = "://";
  const std::size_t scheme = endpoint.find(kSchemeEnd);
  if (scheme != std::string_view::npos) {
    otlp.tls = Lower(endpoint.substr(0, scheme)) != "http";
    endpoint.remove_prefix(scheme + kSchemeEnd.size());
  }
  std::string target(endpoint.substr(0, endpoint.find('/')));
  const std::size_t colon = target.rfind(':');
  const std::size_t bracket = target.rfind(']');
  const bool port = colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  otlp.target = target + (port ? "" : ":4317");
}

OtlpOptions ReadOtlp(Reader& reader) {
  OtlpOptions otlp;
  ReadEndpoint(reader, reader.Otlp("ENDPOINT"), otlp);
  otlp.ca_file = reader.Otlp("CERTIFICATE");
  otlp.certificate_file = reader.Otlp("CLIENT_CERTIFICATE");
  otlp.key_file = reader.Otlp("CLIENT_KEY");
  otlp.timeout =
      reader.Duration("OTEL_EXPORTER_OTLP_TIMEOUT", reader.Otlp("TIMEOUT"), otlp.timeout);
  for (auto& [key, value] :
       reader.KeyValues("OTEL_EXPORTER_OTLP_HEADERS", reader.Otlp("HEADERS"))) {
    otlp.headers.emplace_back(Lower(key), std::move(value));
  }
  const std::string compression = Lower(reader.Otlp("COMPRESSION"));
  otlp.gzip = compression == "gzip";
  if (!compression.empty() && compression != "gzip" && compression != "none") {
    reader.Warn("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none");
  }
  const std::string protocol = Lower(reader.Otlp("PROTOCOL"));
  if (!protocol.empty() && protocol != "grpc") {
    reader.Warn("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc, the only one spoken here");
  }
  return otlp;
}

Destination ReadDestination(Reader& reader) {
  if (reader.Flag("OTEL_SDK_DISABLED", reader.Text("OTEL_SDK_DISABLED"))) {
    return Destination::kNone;
  }
  const std::string name = Lower(reader.Text("OTEL_TRACES_EXPORTER"));
  if (name == "otlp") return Destination::kOtlp;
  if (name == "console") return Destination::kConsole;
  if (name == "none") return Destination::kNone;
  if (!name.empty()) reader.Warn("OTEL_TRACES_EXPORTER", "otlp, console or none");
  return reader.Otlp("ENDPOINT").empty() ? Destination::kNone : Destination::kOtlp;
}

}  // namespace

Settings ReadSettings(const Environment& environment, Resource defaults) {
  Settings settings;
  Reader reader(environment, settings.warnings);
  settings.destination = ReadDestination(reader);
  settings.sampler = ReadSampler(reader);
  settings.propagation = ReadPropagation(reader);
  settings.batch = ReadBatch(reader);
  settings.otlp = ReadOtlp(reader);
  settings.resource = ReadResource(reader, std::move(defaults));
  return settings;
}

}  // namespace paymesh::trace
