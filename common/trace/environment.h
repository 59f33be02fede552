// OpenTelemetry's environment variables, read once at start and in one place. A value that makes no
// sense is left out with a warning, as the specification wants: telemetry stops no service.
//
// Where no variable names an endpoint, nothing is exported, although the specification would try
// localhost: a process that nobody told of a collector should not knock at a port for ever, and the
// first sign of a forgotten setting should not be a full queue. OTEL_TRACES_EXPORTER=otlp asks for
// localhost. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/trace/batch_processor.h"
#include "common/trace/otlp_exporter.h"
#include "common/trace/sampler.h"
#include "common/trace/tracer.h"

namespace paymesh::trace {

// A variable's value, or null. getenv in programs, a map in tests.
using Environment = std::function<const char*(const char* name)>;

enum class Destination { kNone, kOtlp, kConsole };

struct Settings {
  Destination destination = Destination::kNone;
  Sampler sampler = {};
  Propagation propagation = Propagation::kTraceContext;
  BatchOptions batch = {};
  OtlpOptions otlp = {};
  Resource resource = {};
  std::vector<std::string> warnings = {};  // for the log; without secrets
};

// What the program itself knows of its resource, and the environment may overrule.
//   OTEL_SDK_DISABLED, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_PROPAGATORS,
//   OTEL_TRACES_EXPORTER, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG,
//   OTEL_BSP_{SCHEDULE_DELAY,MAX_QUEUE_SIZE,MAX_EXPORT_BATCH_SIZE,EXPORT_TIMEOUT}, and each of
//   OTEL_EXPORTER_OTLP_{ENDPOINT,PROTOCOL,HEADERS,TIMEOUT,COMPRESSION,CERTIFICATE,
//   CLIENT_CERTIFICATE,CLIENT_KEY,INSECURE}, before which OTEL_EXPORTER_OTLP_TRACES_... goes
Settings ReadSettings(const Environment& environment, Resource defaults);

}  // namespace paymesh::trace
