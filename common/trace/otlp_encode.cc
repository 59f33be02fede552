#include "common/trace/otlp_encode.h"

namespace paymesh::trace {
namespace {

namespace commonpb = ::opentelemetry::proto::common::v1;
namespace tracepb = ::opentelemetry::proto::trace::v1;
namespace collectorpb = ::opentelemetry::proto::collector::trace::v1;

constexpr char kScope[] = "paymesh";

template <std::size_t N>
std::string Bytes(const Id<N>& id) {
  return std::string(reinterpret_cast<const char*>(id.bytes.data()), N);
}

std::uint64_t Nanoseconds(Time time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

std::uint32_t Flags(const SpanContext& context) { return context.sampled ? 1U : 0U; }

tracepb::Span::SpanKind ToProto(Kind kind) {
  switch (kind) {
    case Kind::kServer:
      return tracepb::Span::SPAN_KIND_SERVER;
    case Kind::kClient:
      return tracepb::Span::SPAN_KIND_CLIENT;
    case Kind::kProducer:
      return tracepb::Span::SPAN_KIND_PRODUCER;
    case Kind::kConsumer:
      return tracepb::Span::SPAN_KIND_CONSUMER;
    default:
      return tracepb::Span::SPAN_KIND_INTERNAL;
  }
}

struct ValueWriter {
  commonpb::AnyValue& out;
  void operator()(const std::string& value) const { out.set_string_value(value); }
  void operator()(std::int64_t value) const { out.set_int_value(value); }
  void operator()(bool value) const { out.set_bool_value(value); }
};

void WriteStatus(const SpanData& span, tracepb::Status& out) {
  out.set_message(span.message);
  out.set_code(span.outcome == Outcome::kError ? tracepb::Status::STATUS_CODE_ERROR
                                               : tracepb::Status::STATUS_CODE_OK);
}

void Write(const SpanData& span, tracepb::Span& out) {
  out.set_trace_id(Bytes(span.context.trace_id));
  out.set_span_id(Bytes(span.context.span_id));
  out.set_trace_state(span.context.state);
  if (!span.parent.IsZero()) out.set_parent_span_id(Bytes(span.parent));
  out.set_flags(Flags(span.context));
  out.set_name(span.name);
  out.set_kind(ToProto(span.kind));
  out.set_start_time_unix_nano(Nanoseconds(span.start));
  out.set_end_time_unix_nano(Nanoseconds(span.end));
  for (const auto& [key, value] : span.attributes) {
    commonpb::KeyValue& attribute = *out.add_attributes();
    attribute.set_key(std::string(key));
    std::visit(ValueWriter{*attribute.mutable_value()}, value);
  }
  for (const Event& event : span.events) {
    tracepb::Span::Event& written = *out.add_events();
    written.set_time_unix_nano(Nanoseconds(event.time));
    written.set_name(event.name);
  }
  for (const SpanContext& link : span.links) {
    tracepb::Span::Link& written = *out.add_links();
    written.set_trace_id(Bytes(link.trace_id));
    written.set_span_id(Bytes(link.span_id));
    written.set_trace_state(link.state);
    written.set_flags(Flags(link));
  }
  out.set_dropped_attributes_count(span.dropped_attributes);
  out.set_dropped_events_count(span.dropped_events);
  out.set_dropped_links_count(span.dropped_links);
  if (span.outcome != Outcome::kUnset) WriteStatus(span, *out.mutable_status());
}

}  // namespace

collectorpb::ExportTraceServiceRequest ToRequest(const Spans& spans, const Resource& resource) {
  collectorpb::ExportTraceServiceRequest request;
  tracepb::ResourceSpans& ours = *request.add_resource_spans();
  for (const auto& [key, value] : resource) {
    commonpb::KeyValue& attribute = *ours.mutable_resource()->add_attributes();
    attribute.set_key(key);
    attribute.mutable_value()->set_string_value(value);
  }
  tracepb::ScopeSpans& scope = *ours.add_scope_spans();
  scope.mutable_scope()->set_name(kScope);
  for (const auto& span : spans) Write(*span, *scope.add_spans());
  return request;
}

}  // namespace paymesh::trace
