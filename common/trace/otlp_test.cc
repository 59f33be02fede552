// Exporting to a real receiver on a free port: what arrives, and what happens when it refuses, is
// slow, hangs or is not there.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>

#include "common/error/status.h"
#include "common/trace/batch_processor.h"
#include "common/trace/otlp_exporter.h"
#include "common/trace/tracing.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace paymesh::trace {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
namespace pb = ::opentelemetry::proto::collector::trace::v1;
namespace tracepb = ::opentelemetry::proto::trace::v1;

// Answers what it is told to, and keeps what it took.
class Receiver final : public pb::TraceService::Service {
 public:
  explicit Receiver(int port = 0) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Receiver() override {
    Let();
    server_->Shutdown(std::chrono::system_clock::now() + 1s);
  }

  grpc::Status Export(grpc::ServerContext* context, const pb::ExportTraceServiceRequest* request,
                      pb::ExportTraceServiceResponse* response) override {
    std::unique_lock lock(mutex_);
    ++attempts_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !hangs_ || context->IsCancelled(); });
    for (const auto& [key, value] : context->client_metadata()) {
      headers_[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
    }
    if (!answers_.empty()) {
      const grpc::Status answer = answers_.front();
      answers_.pop_front();
      if (!answer.ok()) return answer;
    }
    requests_.push_back(*request);
    response->mutable_partial_success()->set_rejected_spans(rejected_);
    return grpc::Status::OK;
  }

  void Answer(grpc::Status status) { answers_.push_back(std::move(status)); }
  void Reject(int spans) { rejected_ = spans; }
  void Hang() {
    std::lock_guard lock(mutex_);
    hangs_ = true;
  }
  void Let() {
    std::lock_guard lock(mutex_);
    hangs_ = false;
    changed_.notify_all();
  }
  bool AwaitAttempts(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return attempts_ >= count; });
  }
  int attempts() {
    std::lock_guard lock(mutex_);
    return attempts_;
  }
  std::vector<pb::ExportTraceServiceRequest> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string header(const std::string& name) {
    std::lock_guard lock(mutex_);
    return headers_[name];
  }
  std::string target() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<pb::ExportTraceServiceRequest> requests_;
  std::map<std::string, std::string> headers_;
  std::deque<grpc::Status> answers_;
  int attempts_ = 0;
  int rejected_ = 0;
  bool hangs_ = false;
};

OtlpOptions To(const std::string& target) {
  OtlpOptions options;
  options.target = target;
  options.tls = false;
  options.first_pause = 1ms;
  return options;
}

Spans OneSpan() {
  auto span = std::make_unique<SpanData>();
  span->context = *ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  span->context.state = "vendor=1";
  span->parent = SpanId{{1, 2, 3, 4, 5, 6, 7, 8}};
  span->name = "checkout.v1.PaymentService/CreatePayment";
  span->kind = Kind::kServer;
  span->start = Time(1'700'000'000'000'001us);
  span->end = Time(1'700'000'000'500'002us);
  span->outcome = Outcome::kError;
  span->message = "no";
  span->attributes = {{"rpc.system", std::string("grpc")},
                      {"rpc.grpc.status_code", std::int64_t{14}},
                      {"retried", true}};
  span->events.push_back({Time(1'700'000'000'100'000us), "retried"});
  span->links.push_back(
      *ParseTraceparent("00-11111111111111111111111111111111-2222222222222222-01"));
  Spans spans;
  spans.push_back(std::move(span));
  return spans;
}

struct Exporting {
  explicit Exporting(const OtlpOptions& options)
      : exporter(*MakeOtlpExporter(options, {{"service.name", "checkout"}}, random)) {}
  Result<std::size_t> Send(std::chrono::milliseconds limit = 5s) {
    return exporter->Export(OneSpan(), steady_clock::now() + limit);
  }
  runtime::SystemRandom random;
  std::unique_ptr<Exporter> exporter;
};

TEST(Otlp, ASpanArrivesWithAllThatItHas) {
  Receiver receiver;
  OtlpOptions options = To(receiver.target());
  options.headers = {{"api-key", "secret"}};
  options.gzip = true;
  Exporting exporting(options);
  ASSERT_TRUE(exporting.Send().ok());
  EXPECT_EQ(receiver.header("api-key"), "secret");
  const auto requests = receiver.requests();
  ASSERT_EQ(requests.size(), 1U);
  const tracepb::ResourceSpans& ours = requests[0].resource_spans(0);
  EXPECT_EQ(ours.resource().attributes(0).key(), "service.name");
  EXPECT_EQ(ours.resource().attributes(0).value().string_value(), "checkout");
  const tracepb::Span& span = ours.scope_spans(0).spans(0);
  EXPECT_EQ(span.trace_id().size(), 16U);
  EXPECT_EQ(span.span_id().size(), 8U);
  EXPECT_EQ(span.parent_span_id(), "\1\2\3\4\5\6\7\10");
  EXPECT_EQ(span.trace_state(), "vendor=1");
  EXPECT_EQ(span.flags(), 1U);
  EXPECT_EQ(span.kind(), tracepb::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(span.start_time_unix_nano(), 1'700'000'000'000'001'000U);
  EXPECT_EQ(span.end_time_unix_nano() - span.start_time_unix_nano(), 500'001'000U);
  EXPECT_EQ(span.status().code(), tracepb::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(span.attributes(1).value().int_value(), 14);
  EXPECT_TRUE(span.attributes(2).value().bool_value());
  EXPECT_EQ(span.events(0).name(), "retried");
  EXPECT_EQ(span.links(0).span_id(), "\x22\x22\x22\x22\x22\x22\x22\x22");
}

TEST(Otlp, WhatMayBeSentAgainIsSentAgain) {
  Receiver receiver;
  receiver.Answer({grpc::StatusCode::UNAVAILABLE, "later"});
  receiver.Answer({grpc::StatusCode::DEADLINE_EXCEEDED, "later"});
  receiver.Answer(rpc::ToGrpc(
      [] {
        Error full = Error::ResourceExhausted("FULL", "wait a little");
        full.retry_after = 1ms;
        return full;
      }(),
      "test"));
  Exporting exporting(To(receiver.target()));
  EXPECT_TRUE(exporting.Send().ok());
  EXPECT_EQ(receiver.attempts(), 4);
}

TEST(Otlp, WhatMayNotBeSentAgainIsNot) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::UNAUTHENTICATED,
        grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::UNIMPLEMENTED}) {
    Receiver receiver;
    receiver.Answer({code, "no"});
    Exporting exporting(To(receiver.target()));
    EXPECT_FALSE(exporting.Send().ok());
    EXPECT_EQ(receiver.attempts(), 1) << code;
  }
}

TEST(Otlp, RefusedSpansAreCounted) {
  Receiver receiver;
  receiver.Reject(1);
  Exporting exporting(To(receiver.target()));
  EXPECT_EQ(exporting.Send().value(), 1U);
}

TEST(Otlp, AReceiverThatIsNotThereCostsTheBudgetAndNoMore) {
  std::string target;
  { target = Receiver().target(); }
  Exporting exporting(To(target));
  const auto begun = steady_clock::now();
  EXPECT_FALSE(exporting.Send(300ms).ok());
  EXPECT_LT(steady_clock::now() - begun, 3s);
}

TEST(Otlp, AReceiverThatComesBackIsFound) {
  int port = 0;
  {
    Receiver gone;
    port = std::stoi(gone.target().substr(gone.target().rfind(':') + 1));
  }
  Exporting exporting(To("127.0.0.1:" + std::to_string(port)));
  EXPECT_FALSE(exporting.Send(100ms).ok());
  Receiver back(port);
  EXPECT_TRUE(exporting.Send(20s).ok());
}

TEST(Otlp, AHangingReceiverIsLeftAtOnceWhenCancelled) {
  Receiver receiver;
  receiver.Hang();
  Exporting exporting(To(receiver.target()));
  std::thread canceller([&] {
    EXPECT_TRUE(receiver.AwaitAttempts(1));
    exporting.exporter->Cancel();
  });
  const auto begun = steady_clock::now();
  EXPECT_FALSE(exporting.Send(60s).ok());
  EXPECT_LT(steady_clock::now() - begun, 20s);
  canceller.join();
  EXPECT_FALSE(exporting.Send(60s).ok()) << "and it stays so";
}

TEST(Otlp, FilesThatCannotBeReadAreSaid) {
  OtlpOptions options = To("localhost:1");
  options.tls = true;
  options.ca_file = "/nowhere/ca.pem";
  runtime::SystemRandom random;
  const auto exporter = MakeOtlpExporter(options, {}, random);
  ASSERT_FALSE(exporter.ok());
  EXPECT_NE(exporter.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

// From a span to the receiver, as a service has it.
struct Process {
  explicit Process(const std::string& target, Settings settings = {}) {
    settings.destination = Destination::kOtlp;
    settings.otlp = To(target);
    tracing = std::make_unique<Tracing>(settings, clock, random, log, metrics);
  }
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  runtime::Logger log{{.level = runtime::LogLevel::kError}};
  runtime::Metrics metrics;
  std::unique_ptr<Tracing> tracing;
};

bool Shows(runtime::Metrics& metrics, const std::string& line) {
  return metrics.Render().find(line + "\n") != std::string::npos;
}

TEST(Tracing, WhatWasRecordedJustBeforeTheEndArrives) {
  Receiver receiver;
  Process process(receiver.target());
  { const Span span = process.tracing->tracer().Start("last words"); }
  process.tracing->Shutdown(5s);
  ASSERT_EQ(receiver.requests().size(), 1U);
  EXPECT_EQ(receiver.requests()[0].resource_spans(0).scope_spans(0).spans(0).name(), "last words");
  EXPECT_TRUE(Shows(process.metrics, "otel_bsp_spans_exported_total 1"));
  EXPECT_TRUE(Shows(process.metrics, "otel_bsp_spans_dropped_total{reason=\"queue_full\"} 0"));
}

TEST(Tracing, AHangingReceiverCostsSpansAndNoTime) {
  Receiver receiver;
  receiver.Hang();
  Settings settings;
  settings.batch = {.max_queue = 100, .max_batch = 10, .schedule_delay = 1ms};
  Process process(receiver.target(), settings);
  Tracer& tracer = process.tracing->tracer();
  { const Span span = tracer.Start("first"); }
  ASSERT_TRUE(receiver.AwaitAttempts(1));
  const auto begun = steady_clock::now();
  for (int i = 0; i < 1'000; ++i) const Span span = tracer.Start("more");
  EXPECT_LT(steady_clock::now() - begun, 2s);
  EXPECT_TRUE(Shows(process.metrics, "otel_bsp_spans_dropped_total{reason=\"queue_full\"} 900"));
  const auto stopped = steady_clock::now();
  process.tracing->Shutdown(200ms);
  EXPECT_LT(steady_clock::now() - stopped, 5s);
  EXPECT_TRUE(Shows(process.metrics, "otel_bsp_spans_dropped_total{reason=\"export_failed\"} 101"));
}

TEST(Tracing, ASlowReceiverGetsEverything) {
  Receiver receiver;
  receiver.Hang();
  Settings settings;
  settings.batch = {.max_batch = 10, .schedule_delay = 1ms};
  Process process(receiver.target(), settings);
  for (int i = 0; i < 100; ++i) const Span span = process.tracing->tracer().Start("patient");
  ASSERT_TRUE(receiver.AwaitAttempts(1));
  receiver.Let();
  process.tracing->Shutdown(20s);
  int arrived = 0;
  for (const auto& request : receiver.requests()) {
    arrived += request.resource_spans(0).scope_spans(0).spans_size();
  }
  EXPECT_EQ(arrived, 100);
}

}  // namespace
}  // namespace paymesh::trace
