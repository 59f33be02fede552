// Both ends' metrics, over real calls.
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <sstream>

#include "common/rpc/client/client.h"
#include "common/rpc/client/client_metrics.h"
#include "common/rpc/credentials.h"
#include "common/rpc/testing/test_server.h"
#include "common/runtime/run_blocking.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;
using Interface = echo::EchoService::StubInterface::async_interface;
constexpr char kEchoMethod[] = "/paymesh.echotest.v1.EchoService/Echo";
constexpr char kSampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kUnsampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

Task<Status> SayBack(Call&, const echo::EchoRequest& request, echo::EchoResponse* response) {
  if (request.text() == "nothing") co_return Error::NotFound("NOTHING_THERE", "nothing");
  response->set_text(request.text());
  co_return Status();
}

Task<Status> CountUp(Call&, const echo::CountRequest& request,
                     Writer<echo::CountResponse>& writer) {
  for (int i = 1; i <= request.until(); ++i) {
    const bool open = co_await writer.Write(echo::CountResponse());
    if (!open) break;
  }
  co_return Status();
}

class CallMetricsTest : public testing::Test {
 protected:
  CallMetricsTest() { Start({}); }

  void Start(CallLimits limits) {
    server_.reset();
    TestServerOptions options;
    options.handlers.echo = SayBack;
    options.handlers.count = CountUp;
    options.metrics = &served_;
    options.limits = limits;
    server_ = std::make_unique<TestServer>(pool_, options);
  }
  std::shared_ptr<grpc::Channel> Channel() {
    auto metrics = std::make_shared<ClientMetrics>(made_, std::vector<std::string>{kEchoMethod});
    return MakeChannel(grpc::InsecureChannelCredentials(),
                       {.target = server_->target(), .metrics = metrics});
  }
  grpc::StatusCode Echo(const std::string& text, const char* traceparent = kUnsampled) {
    auto stub = echo::EchoService::NewStub(Channel());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 5s);
    context.AddMetadata("traceparent", traceparent);
    echo::EchoRequest request;
    request.set_text(text);
    echo::EchoResponse response;
    return stub->Echo(&context, request, &response).error_code();
  }
  // "7" of the sample `name{...}` whose labels hold all of `labels`; empty without one.
  static std::string Value(runtime::Metrics& metrics, const std::string& name,
                           const std::vector<std::string>& labels) {
    std::istringstream page(metrics.Render());
    for (std::string line; std::getline(page, line);) {
      if (!line.starts_with(name + "{")) continue;
      const bool all = std::all_of(labels.begin(), labels.end(), [&line](const std::string& label) {
        return line.find(label) != std::string::npos;
      });
      if (all) return line.substr(line.rfind(' ') + 1);
    }
    return "";
  }
  static std::vector<std::string> Of(const std::string& method, const std::string& code = "") {
    std::vector<std::string> labels{"grpc_method=\"" + method + "\""};
    if (!code.empty()) labels.push_back("grpc_code=\"" + code + "\"");
    return labels;
  }
  bool Becomes(runtime::Metrics& metrics, const std::string& name,
               const std::vector<std::string>& labels, const std::string& value) {
    return Eventually([&] { return Value(metrics, name, labels) == value; });
  }

  TestPool pool_;
  runtime::Metrics served_;
  runtime::Metrics made_;
  std::unique_ptr<TestServer> server_;
};

TEST_F(CallMetricsTest, AreThereBeforeTheFirstCallForEachMethodAndCode) {
  const auto channel = Channel();
  for (const char* method : {"Echo", "Relay", "Count", "other"}) {
    EXPECT_EQ(Value(served_, "grpc_server_started_total", Of(method)), "0") << method;
    EXPECT_EQ(Value(served_, "grpc_server_handling_seconds_count", Of(method)), "0");
    for (const char* code : {"OK", "Canceled", "Unavailable", "Unauthenticated"}) {
      EXPECT_EQ(Value(served_, "grpc_server_handled_total", Of(method, code)), "0") << code;
    }
  }
  EXPECT_EQ(Value(made_, "grpc_client_started_total", Of("Echo")), "0");
  EXPECT_EQ(Value(made_, "grpc_client_handled_total", Of("Echo", "Internal")), "0");
}

TEST_F(CallMetricsTest, CountAUnaryCallOnBothSides) {
  EXPECT_EQ(Echo("hello"), grpc::StatusCode::OK);
  EXPECT_EQ(Echo("nothing"), grpc::StatusCode::NOT_FOUND);
  for (const auto& [side, metrics] :
       {std::pair{"grpc_server_", &served_}, std::pair{"grpc_client_", &made_}}) {
    const std::string prefix = side;
    EXPECT_TRUE(Becomes(*metrics, prefix + "handled_total", Of("Echo", "OK"), "1")) << side;
    EXPECT_TRUE(Becomes(*metrics, prefix + "handled_total", Of("Echo", "NotFound"), "1"));
    EXPECT_EQ(Value(*metrics, prefix + "started_total", Of("Echo")), "2") << side;
    EXPECT_EQ(Value(*metrics, prefix + "handling_seconds_count", Of("Echo")), "2") << side;
  }
  EXPECT_EQ(Value(served_, "grpc_server_msg_received_total", Of("Echo")), "2");
  EXPECT_EQ(Value(served_, "grpc_server_msg_sent_total", Of("Echo")), "1");
  EXPECT_EQ(Value(made_, "grpc_client_msg_sent_total", Of("Echo")), "2");
  EXPECT_EQ(Value(made_, "grpc_client_msg_received_total", Of("Echo")), "1");
}

Task<int> ReadAll(echo::EchoService::Stub& stub) {
  echo::CountRequest request;
  request.set_until(5);
  auto stream = OpenStream(*stub.async(), &Interface::Count, std::move(request), {.timeout = 0ms});
  int read = 0;
  for (;;) {
    auto next = co_await stream.Read();
    if (!next.ok() || !*next) co_return read;
    ++read;
  }
}

TEST_F(CallMetricsTest, CountTheMessagesOfAStream) {
  auto stub = echo::EchoService::NewStub(Channel());
  EXPECT_EQ(runtime::RunBlocking(ReadAll(*stub)), 5);
  EXPECT_TRUE(Becomes(served_, "grpc_server_handled_total", Of("Count", "OK"), "1"));
  EXPECT_TRUE(Becomes(made_, "grpc_client_handled_total", Of("Count", "OK"), "1"));
  EXPECT_EQ(Value(served_, "grpc_server_msg_received_total", Of("Count")), "1");
  EXPECT_EQ(Value(served_, "grpc_server_msg_sent_total", Of("Count")), "5");
  EXPECT_EQ(Value(made_, "grpc_client_msg_received_total", Of("Count")), "5");
  EXPECT_NE(Value(made_, "grpc_client_started_total", {"grpc_type=\"server_stream\""}), "");
}

TEST_F(CallMetricsTest, AClientCountsACallThatNobodyAnswered) {
  const auto channel = Channel();
  server_.reset();
  auto stub = echo::EchoService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 5s);
  echo::EchoResponse response;
  EXPECT_EQ(stub->Echo(&context, {}, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Becomes(made_, "grpc_client_handled_total", Of("Echo", "Unavailable"), "1"));
}

TEST_F(CallMetricsTest, OnlySampledCallsLeaveAnExemplarOnBothSides) {
  EXPECT_EQ(Echo("hello", kUnsampled), grpc::StatusCode::OK);
  EXPECT_EQ(Echo("hello", kSampled), grpc::StatusCode::OK);
  EXPECT_TRUE(Becomes(served_, "grpc_server_handled_total", Of("Echo", "OK"), "2"));
  for (runtime::Metrics* metrics : {&served_, &made_}) {
    const std::string page = metrics->Render(runtime::MetricsFormat::kOpenMetrics);
    EXPECT_NE(page.find("# {trace_id=\"0af7651916cd43dd8448eb211c80319c\"}"), std::string::npos);
    EXPECT_EQ(page.find("4bf92f3577b34da6a3ce929d0e0e4736"), std::string::npos);
  }
}

TEST_F(CallMetricsTest, CallsOfMethodsThatDoNotExistAreOther) {
  const auto channel = Channel();
  for (const char* path : {"/paymesh.echotest.v1.EchoService/Shout", "/no.such.Service/Method",
                           "/paymesh.echotest.v1.EchoService/0xdeadbeef"}) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 5s);
    std::promise<grpc::Status> done;
    const grpc::Slice anything("anything");
    grpc::ByteBuffer request(&anything, 1), response;
    stub.UnaryCall(&context, path, {}, &request, &response,
                   [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(response.Length(), 0U);
  }
  EXPECT_EQ(Value(served_, "grpc_server_started_total", Of("other")), "3");
  EXPECT_EQ(Value(served_, "grpc_server_handled_total", Of("other", "Unimplemented")), "3");
  EXPECT_EQ(Value(made_, "grpc_client_handled_total", Of("other", "Unimplemented")), "3");
  for (runtime::Metrics* metrics : {&served_, &made_}) {
    EXPECT_EQ(metrics->Render().find("0xdeadbeef"), std::string::npos);
    EXPECT_EQ(metrics->Render().find("no.such"), std::string::npos);
  }
}

TEST_F(CallMetricsTest, TheServerTellsAClientsFurtherAttempts) {
  Start({.max_unary_in_flight = 0});
  EXPECT_EQ(Echo("hello"), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Value(served_, "grpc_server_started_total", Of("Echo")), "3");
  EXPECT_EQ(Value(served_, "grpc_server_retries_total", Of("Echo")), "2");
  EXPECT_EQ(Value(made_, "grpc_client_started_total", Of("Echo")), "1");
}

TEST(CallBuckets, HoldEachObjectivesThreshold) {
  const auto& buckets = runtime::Metrics::CallBuckets();
  for (const double threshold : {.05, .25, 1.}) {
    EXPECT_EQ(std::count(buckets.begin(), buckets.end(), threshold), 1) << threshold;
  }
}

}  // namespace
}  // namespace paymesh::rpc
