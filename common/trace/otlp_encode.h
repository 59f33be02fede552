// Spans as OTLP's request. Pure; any thread. Internal to common/trace.
#pragma once

#include "common/trace/exporter.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace paymesh::trace {

::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest ToRequest(
    const Spans& spans, const Resource& resource);

}  // namespace paymesh::trace
