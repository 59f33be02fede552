// Trace context in and out of calls, and the spans of both sides, with real servers.
#include "common/rpc/tracing.h"

#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

#include "common/rpc/client/client.h"
#include "common/rpc/testing/test_server.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;
using Interface = echo::EchoService::StubInterface::async_interface;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kSampled = "00-" + kTrace + "-" + kSpan + "-01";
const std::string kUnsampled = "00-" + kTrace + "-" + kSpan + "-00";
const std::string kName = "paymesh.echotest.v1.EchoService/Echo";

class Kept final : public trace::Sink {
 public:
  void Take(std::unique_ptr<trace::SpanData> span) override {
    std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
  }
  // Those of one kind, once there are `count` of them.
  std::vector<trace::SpanData> Of(trace::Kind kind, std::size_t count) {
    std::vector<trace::SpanData> found;
    EXPECT_TRUE(Eventually([&] {
      std::lock_guard lock(mutex_);
      found.clear();
      for (const auto& span : spans_) {
        if (span->kind == kind) found.push_back(*span);
      }
      return found.size() >= count;
    }));
    return found;
  }
  std::size_t size() {
    std::lock_guard lock(mutex_);
    return spans_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<trace::SpanData>> spans_;
};

std::string Attribute(const trace::SpanData& span, const std::string& name) {
  for (const auto& [key, value] : span.attributes) {
    if (key != name) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  }
  return "";
}

Task<Status> Forward(echo::EchoService::Stub& peer, Call& call, echo::EchoResponse* response) {
  auto asked = CallUnary(*peer.async(), &Interface::Echo, echo::EchoRequest(), {.parent = &call});
  Result<echo::EchoResponse> answer = co_await std::move(asked);
  if (!answer.ok()) co_return answer.error();
  *response = *std::move(answer);
  co_return Status();
}

// A server that asks a second one, which answers with the traceparent and tracestate that it saw.
struct Chain {
  explicit Chain(trace::Tracer* tracer, runtime::Logger* log = nullptr) {
    EchoHandlers last;
    last.echo = [this](Call& call, const echo::EchoRequest&, echo::EchoResponse* response) {
      return Answer(call, response);
    };
    peer =
        std::make_unique<TestServer>(pool, TestServerOptions{.handlers = last, .tracer = tracer});
    stub = echo::EchoService::NewStub(peer->Channel());
    EchoHandlers first;
    first.echo = [this](Call& call, const echo::EchoRequest&, echo::EchoResponse* response) {
      return Forward(*stub, call, response);
    };
    server = std::make_unique<TestServer>(
        pool, TestServerOptions{.handlers = first, .log = log, .tracer = tracer});
  }
  Task<Status> Answer(Call& call, echo::EchoResponse* response) {
    if (failure) co_return *failure;
    response->set_text(std::string(call.Metadata("traceparent").value_or("")) + " " +
                       std::string(call.Metadata("tracestate").value_or("")));
    co_return Status();
  }
  grpc::Status Ask(const std::map<std::string, std::string>& headers,
                   std::string* heard = nullptr) {
    auto client = echo::EchoService::NewStub(server->Channel());
    grpc::ClientContext context;
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
    echo::EchoResponse response;
    const grpc::Status status = client->Echo(&context, echo::EchoRequest(), &response);
    if (heard != nullptr) *heard = response.text();
    return status;
  }

  TestPool pool;
  std::optional<Error> failure;
  std::unique_ptr<TestServer> peer;
  std::unique_ptr<echo::EchoService::Stub> stub;
  std::unique_ptr<TestServer> server;
};

struct Recorder {
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  Kept kept;
  trace::Tracer tracer{clock, random, {.sink = &kept}};
};

TEST(Tracing, OneTraceGoesFromTheCallerThroughBothServers) {
  Recorder recorder;
  Chain chain(&recorder.tracer);
  std::string heard;
  ASSERT_TRUE(chain.Ask({{"traceparent", kSampled}, {"tracestate", "a=1,b=2"}}, &heard).ok());
  const auto servers = recorder.kept.Of(trace::Kind::kServer, 2);
  const auto clients = recorder.kept.Of(trace::Kind::kClient, 1);
  const trace::SpanData& last = servers[0];
  const trace::SpanData& first = servers[1];
  EXPECT_EQ(first.parent.Hex(), kSpan);
  EXPECT_EQ(clients[0].parent, first.context.span_id);
  EXPECT_EQ(last.parent, clients[0].context.span_id);
  EXPECT_EQ(heard, clients[0].context.ToTraceparent() + " a=1,b=2");
  for (const trace::SpanData& span : {first, last, clients[0]}) {
    EXPECT_EQ(span.context.trace_id.Hex(), kTrace);
    EXPECT_EQ(span.name, kName);
    EXPECT_EQ(Attribute(span, "rpc.system"), "grpc");
    EXPECT_EQ(Attribute(span, "rpc.service"), "paymesh.echotest.v1.EchoService");
    EXPECT_EQ(Attribute(span, "rpc.method"), "Echo");
    EXPECT_EQ(Attribute(span, "rpc.grpc.status_code"), "0");
    EXPECT_EQ(span.outcome, trace::Outcome::kUnset);
  }
}

TEST(Tracing, WhatTheCallerDoesNotRecordNobodyDoes) {
  Recorder recorder;
  Chain chain(&recorder.tracer);
  std::string heard;
  ASSERT_TRUE(chain.Ask({{"traceparent", kUnsampled}}, &heard).ok());
  EXPECT_EQ(heard.substr(0, 36), "00-" + kTrace + "-");
  EXPECT_EQ(heard.substr(52, 3), "-00");
  EXPECT_EQ(recorder.kept.size(), 0U);
}

TEST(Tracing, WithoutATracerTheContextGoesOnAsItCame) {
  Chain chain(nullptr);
  std::string heard;
  ASSERT_TRUE(chain.Ask({{"traceparent", kSampled}, {"tracestate", "a=1"}}, &heard).ok());
  EXPECT_EQ(heard, kSampled + " a=1");
}

TEST(Tracing, AnUnusableContextBeginsATraceOfItsOwn) {
  Recorder recorder;
  Chain chain(&recorder.tracer);
  ASSERT_TRUE(chain.Ask({{"traceparent", "00-garbage"}, {"tracestate", "a=1"}}).ok());
  const trace::SpanData first = recorder.kept.Of(trace::Kind::kServer, 2)[1];
  EXPECT_TRUE(first.parent.IsZero());
  EXPECT_EQ(first.context.state, "");
}

TEST(Tracing, WithoutPropagationNothingGoesInOrOut) {
  Recorder recorder;
  trace::Tracer alone(recorder.clock, recorder.random,
                      {.sink = &recorder.kept, .propagation = trace::Propagation::kNone});
  Chain chain(&alone);
  std::string heard;
  ASSERT_TRUE(chain.Ask({{"traceparent", kSampled}}, &heard).ok());
  EXPECT_EQ(heard, " ");
  for (const trace::SpanData& span : recorder.kept.Of(trace::Kind::kServer, 2)) {
    EXPECT_NE(span.context.trace_id.Hex(), kTrace);
  }
}

TEST(Tracing, AServerIsToBlameForItsOwnFailuresAndAClientSeesThemAll) {
  struct Row {
    Error error;
    int code;
    trace::Outcome server;
  };
  for (const Row& row :
       {Row{Error::FailedPrecondition("NO_OPTION", "0xsecret"), 9, trace::Outcome::kUnset},
        Row{Error::Internal("0xsecret"), 13, trace::Outcome::kError},
        Row{Error::Unavailable("BUSY", "0xsecret"), 14, trace::Outcome::kError}}) {
    Recorder recorder;
    Chain chain(&recorder.tracer);
    chain.failure = row.error;
    EXPECT_FALSE(chain.Ask({{"traceparent", kSampled}}).ok());
    const trace::SpanData server = recorder.kept.Of(trace::Kind::kServer, 2)[0];
    const trace::SpanData client = recorder.kept.Of(trace::Kind::kClient, 1)[0];
    EXPECT_EQ(server.outcome, row.server) << row.code;
    EXPECT_EQ(client.outcome, trace::Outcome::kError);
    EXPECT_EQ(Attribute(server, "rpc.grpc.status_code"), std::to_string(row.code));
    EXPECT_EQ(Attribute(client, "error.type"), row.error.reason);
    // The reason, never the message: that may say what is nobody's business.
    EXPECT_EQ(server.message.find("secret"), std::string::npos);
  }
}

TEST(Tracing, ACallForSeveralIsBelowTheFirstAndLinkedToTheOthers) {
  Recorder recorder;
  Chain chain(&recorder.tracer);
  const std::vector<trace::SpanContext> causes = {
      *trace::ParseTraceparent(kSampled),
      *trace::ParseTraceparent("00-11111111111111111111111111111111-2222222222222222-01")};
  const CallOptions options{.tracer = &recorder.tracer, .causes = causes};
  auto call = CallUnary(*chain.stub->async(), &Interface::Echo, echo::EchoRequest(), options);
  const Result<echo::EchoResponse> answer = runtime::RunBlocking(std::move(call));
  ASSERT_TRUE(answer.ok());
  const trace::SpanData client = recorder.kept.Of(trace::Kind::kClient, 1)[0];
  EXPECT_EQ(client.parent.Hex(), kSpan);
  ASSERT_EQ(client.links.size(), 1U);
  EXPECT_EQ(client.links[0].span_id.Hex(), "2222222222222222");
  EXPECT_EQ(answer->text(), client.context.ToTraceparent() + " ");
}

TEST(Tracing, TheAccessLogNamesTraceAndSpan) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Recorder recorder;
  {
    runtime::Logger log({.level = runtime::LogLevel::kDebug, .fd = ends[1]});
    Chain chain(&recorder.tracer, &log);
    ASSERT_TRUE(chain.Ask({{"traceparent", kSampled}}).ok());
  }
  std::string line(4'096, '\0');
  line.resize(static_cast<std::size_t>(::read(ends[0], line.data(), line.size())));
  const trace::SpanData first = recorder.kept.Of(trace::Kind::kServer, 2)[1];
  EXPECT_NE(line.find("\"trace_id\":\"" + kTrace + "\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"span_id\":\"" + first.context.span_id.Hex() + "\""), std::string::npos);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace paymesh::rpc
