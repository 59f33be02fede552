#include "common/trace/environment.h"

#include <gtest/gtest.h>

#include <map>

namespace paymesh::trace {
namespace {

using namespace std::chrono_literals;
using Variables = std::map<std::string, std::string>;

Settings Read(const Variables& variables) {
  const Environment environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  return ReadSettings(environment, {{"service.name", "checkout"}, {"service.version", "1"}});
}

std::string Attribute(const Settings& settings, const std::string& key) {
  for (const auto& [name, value] : settings.resource) {
    if (name == key) return value;
  }
  return "";
}

TEST(Environment, WithoutAnyVariableNothingIsExportedAndTheDefaultsAreTheSpecifications) {
  const Settings settings = Read({});
  EXPECT_EQ(settings.destination, Destination::kNone);
  EXPECT_EQ(settings.batch.max_queue, 2'048U);
  EXPECT_EQ(settings.batch.max_batch, 512U);
  EXPECT_EQ(settings.batch.schedule_delay, 5s);
  EXPECT_EQ(settings.batch.export_timeout, 30s);
  EXPECT_EQ(settings.otlp.timeout, 10s);
  EXPECT_EQ(settings.propagation, Propagation::kTraceContext);
  EXPECT_EQ(Attribute(settings, "service.name"), "checkout");
  EXPECT_TRUE(settings.warnings.empty());
}

TEST(Environment, AnEndpointIsEnough) {
  Settings settings = Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317/"}});
  EXPECT_EQ(settings.destination, Destination::kOtlp);
  EXPECT_EQ(settings.otlp.target, "collector:4317");
  EXPECT_FALSE(settings.otlp.tls);
  settings = Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"},
                   {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces"}});
  EXPECT_EQ(settings.otlp.target, "traces:4317");
  EXPECT_TRUE(settings.otlp.tls);
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]"}}).otlp.target, "[::1]:4317");
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:1"}}).otlp.target, "[::1]:1");
  EXPECT_EQ(Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "  "}}).destination, Destination::kNone);
}

TEST(Environment, WithoutASchemeInsecureDecides) {
  const std::string endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
  EXPECT_TRUE(Read({{endpoint, "collector:4317"}}).otlp.tls);
  EXPECT_FALSE(
      Read({{endpoint, "collector:4317"}, {"OTEL_EXPORTER_OTLP_INSECURE", "True"}}).otlp.tls);
  EXPECT_TRUE(
      Read({{endpoint, "https://collector"}, {"OTEL_EXPORTER_OTLP_INSECURE", "true"}}).otlp.tls);
}

TEST(Environment, TheExporterIsChosenByName) {
  const auto destination = [](Variables variables) { return Read(variables).destination; };
  EXPECT_EQ(destination({{"OTEL_TRACES_EXPORTER", "otlp"}}), Destination::kOtlp);
  EXPECT_EQ(Read({{"OTEL_TRACES_EXPORTER", "otlp"}}).otlp.target, "localhost:4317");
  EXPECT_FALSE(Read({{"OTEL_TRACES_EXPORTER", "otlp"}}).otlp.tls);
  EXPECT_EQ(destination({{"OTEL_TRACES_EXPORTER", "console"}}), Destination::kConsole);
  const Variables there = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector"}};
  Variables none = there, disabled = there;
  none["OTEL_TRACES_EXPORTER"] = "none";
  disabled["OTEL_SDK_DISABLED"] = "true";
  EXPECT_EQ(destination(none), Destination::kNone);
  EXPECT_EQ(destination(disabled), Destination::kNone);
}

TEST(Environment, EveryVariableArrives) {
  const Settings settings =
      Read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector"},
            {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
            {"OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=a%2Cb%3D , x-team=pay"},
            {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
            {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
            {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca"},
            {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert"},
            {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key"},
            {"OTEL_BSP_SCHEDULE_DELAY", "100"},
            {"OTEL_BSP_MAX_QUEUE_SIZE", "64"},
            {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32"},
            {"OTEL_BSP_EXPORT_TIMEOUT", "700"},
            {"OTEL_SERVICE_NAME", "till"},
            {"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment=test%20bed"},
            {"OTEL_PROPAGATORS", "baggage"}});
  EXPECT_TRUE(settings.warnings.empty()) << settings.warnings.front();
  EXPECT_EQ(settings.otlp.headers, (std::vector<std::pair<std::string, std::string>>{
                                       {"api-key", "a,b="}, {"x-team", "pay"}}));
  EXPECT_EQ(settings.otlp.timeout, 2500ms);
  EXPECT_TRUE(settings.otlp.gzip);
  EXPECT_EQ(settings.otlp.ca_file + settings.otlp.certificate_file + settings.otlp.key_file,
            "/ca/cert/key");
  EXPECT_EQ(settings.batch.schedule_delay, 100ms);
  EXPECT_EQ(settings.batch.max_queue, 64U);
  EXPECT_EQ(settings.batch.max_batch, 32U);
  EXPECT_EQ(settings.batch.export_timeout, 700ms);
  EXPECT_EQ(Attribute(settings, "service.name"), "till");
  EXPECT_EQ(Attribute(settings, "service.version"), "1");
  EXPECT_EQ(Attribute(settings, "deployment.environment"), "test bed");
  EXPECT_EQ(settings.propagation, Propagation::kNone);
}

TEST(Environment, TheSamplerAndItsArgumentAreRead) {
  const SpanContext none;
  TraceId small, large;
  large.bytes.fill(0xff);
  small.bytes[0] = 1;
  const Sampler sampler =
      Read({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.5"}}).sampler;
  EXPECT_TRUE(sampler.Sample(nullptr, small));
  EXPECT_FALSE(sampler.Sample(nullptr, large));
  EXPECT_FALSE(Read({{"OTEL_TRACES_SAMPLER", "always_off"}}).sampler.Sample(nullptr, small));
}

TEST(Environment, WhatMakesNoSenseIsLeftOutWithAWarningThatShowsNoValue) {
  const Variables wrong = {
      {"OTEL_TRACES_EXPORTER", "zipkin"},         {"OTEL_TRACES_SAMPLER", "sometimes"},
      {"OTEL_TRACES_SAMPLER_ARG", "2"},           {"OTEL_PROPAGATORS", "tracecontext,b3"},
      {"OTEL_SDK_DISABLED", "perhaps"},           {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
      {"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "s3cret"},   {"OTEL_RESOURCE_ATTRIBUTES", "a=%zz"},
      {"OTEL_BSP_MAX_QUEUE_SIZE", "-1"},          {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999"},
      {"OTEL_BSP_SCHEDULE_DELAY", "5s"}};
  for (const auto& [name, value] : wrong) {
    const Settings settings = Read({{name, value}});
    ASSERT_EQ(settings.warnings.size(), 1U) << name;
    EXPECT_NE(settings.warnings[0].find(name + " is ignored"), std::string::npos);
    EXPECT_EQ(settings.warnings[0].find(value), std::string::npos) << settings.warnings[0];
  }
  const Settings settings = Read(wrong);
  EXPECT_EQ(settings.warnings.size(), wrong.size());
  EXPECT_EQ(settings.batch.max_queue, 2'048U);
  EXPECT_EQ(settings.batch.max_batch, 2'048U);
  EXPECT_EQ(settings.otlp.timeout, 10s);
}

}  // namespace
}  // namespace paymesh::trace
