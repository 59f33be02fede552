// Mutual TLS, identity and authorisation, with certificates that openssl makes.
#include <grpcpp/channel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "common/http/testing/test_certificates.h"
#include "common/rpc/credentials.h"
#include "common/rpc/testing/test_server.h"
#include "common/runtime/log.h"

namespace paymesh::rpc {
namespace {

using namespace std::chrono_literals;
constexpr char kServer[] = "spiffe://test/service/echo";
constexpr char kFriend[] = "spiffe://test/service/friend";

class Keys final : public ApiKeyAuthenticator {
 public:
  Task<Result<std::string>> Authenticate(std::string key) override {
    if (key == "good") co_return std::string("mer_1");
    co_return Error::Unauthenticated("API_KEY_INVALID", "no such key");
  }
};

Task<Status> SayMerchant(Call& call, const echo::EchoRequest&, echo::EchoResponse* response) {
  response->set_merchant_id(call.principal().merchant_id.value_or("none"));
  response->set_text(call.principal().name);
  co_return Status();
}

TlsFiles Tls(const TestCertificates::Files& files) {
  return {files.certificate, files.key, files.ca, 1s};
}

class Security : public testing::Test {
 protected:
  Security() : server_files_(certificates_.Issue("echo", {kServer})) {
    TestServerOptions options;
    options.handlers.echo = SayMerchant;
    options.credentials = MakeServerCredentials(Tls(server_files_));
    options.identities = {{kFriend, Role::kService, "friend"},
                          {"spiffe://test/service/other", Role::kService, "other"},
                          {"spiffe://test/service/edge", Role::kEdge, "edge"}};
    options.allowed = {"service:friend", "role:edge"};
    options.authenticator = &keys_;
    options.log = &log_;
    server_ = std::make_unique<TestServer>(pool_, options);
  }

  grpc::Status Call(const TestCertificates::Files& files, const std::string& key = "",
                    const std::string& expected = kServer) {
    auto stub =
        echo::EchoService::NewStub(MakeChannel(Tls(files), {server_->target(), expected, false}));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 5s);
    if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
    return stub->Echo(&context, request_, &response_);
  }
  // The certificate that a new connection is shown.
  std::string ServedSerial(const TestCertificates::Files& client) {
    return RunCommand("echo | openssl s_client -connect " + server_->target() + " -cert " +
                      client.certificate + " -key " + client.key +
                      " 2>/dev/null | openssl x509 -noout -serial");
  }

  // The call's line is written soon after its answer.
  bool Logged(const std::string& text) {
    return Eventually([&] {
      std::string lines(8192, ' ');
      const ssize_t size = ::pread(fileno(log_file_.get()), lines.data(), lines.size(), 0);
      return size > 0 && lines.find(text) != std::string::npos;
    });
  }

  TestCertificates certificates_;
  Keys keys_;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log_file_{std::tmpfile(), &std::fclose};
  runtime::Logger log_{{.level = runtime::LogLevel::kDebug, .fd = fileno(log_file_.get())}};
  TestPool pool_;
  TestCertificates::Files server_files_;
  std::unique_ptr<TestServer> server_;
  echo::EchoRequest request_;
  echo::EchoResponse response_;
};

TEST_F(Security, ServesTheServiceThatTheTableAllows) {
  const grpc::Status status = Call(certificates_.Issue("friend", {kFriend}));
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.text(), "friend");
}

TEST_F(Security, RefusesAnotherService) {
  const auto status = Call(certificates_.Issue("other", {"spiffe://test/service/other"}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(Security, RefusesIdentitiesThatAreNotExactlyKnown) {
  for (const char* uri : {"spiffe://test/service/friend-evil", "spiffe://test/service/frien",
                          "spiffe://elsewhere/service/friend"}) {
    EXPECT_EQ(Call(certificates_.Issue("stranger", {uri})).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
  EXPECT_EQ(Call(certificates_.Issue("nameless", {})).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(Security, RefusesACertificateWithTwoUris) {
  const auto two = certificates_.Issue("two", {kFriend, "spiffe://test/service/other"});
  const auto status = Call(two);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(Security, RefusesACertificateOfAForeignAuthorityAndNoneAtAll) {
  EXPECT_EQ(Call(certificates_.IssueForeign("friend", {kFriend})).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  auto stub = echo::EchoService::NewStub(server_->Channel());  // plaintext
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 5s);
  EXPECT_EQ(stub->Echo(&context, echo::EchoRequest(), &response_).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Security, AClientRefusesAServerWithAnotherIdentity) {
  EXPECT_EQ(
      Call(certificates_.Issue("friend", {kFriend}), "", "spiffe://test/service/ech").error_code(),
      grpc::StatusCode::UNAVAILABLE);
}

TEST_F(Security, TheEdgeNeedsAnApiKeyWhichBindsItToOneMerchant) {
  const auto edge = certificates_.Issue("edge", {"spiffe://test/service/edge"});
  EXPECT_EQ(Call(edge).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call(edge, "bad").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Call(edge, "good").ok());
  EXPECT_EQ(response_.merchant_id(), "mer_1");
  EXPECT_TRUE(Call(certificates_.Issue("friend", {kFriend}), "good").ok());
  EXPECT_EQ(response_.merchant_id(), "none");  // a key means nothing for others
}

TEST_F(Security, ACallsLogLineNamesItsRequestAndTheMerchantThatReallyCalls) {
  request_.set_request_id("req-1");
  request_.set_merchant_id("mer_2");
  ASSERT_TRUE(Call(certificates_.Issue("friend", {kFriend})).ok());
  EXPECT_TRUE(Logged(R"("request_id":"req-1","merchant_id":"mer_2"})"));
  request_.set_request_id("req-3");
  ASSERT_TRUE(Call(certificates_.Issue("edge", {"spiffe://test/service/edge"}), "good").ok());
  EXPECT_TRUE(Logged(R"("request_id":"req-3","merchant_id":"mer_1"})"));
}

TEST_F(Security, ReplacedCertificatesAreServedWithoutARestart) {
  const auto client = certificates_.Issue("friend", {kFriend});
  ASSERT_TRUE(Call(client).ok());
  EXPECT_EQ(ServedSerial(client), certificates_.Serial(server_files_));
  certificates_.Issue("echo", {kServer});
  const std::string fresh = certificates_.Serial(server_files_);
  EXPECT_TRUE(Eventually([&] { return ServedSerial(client) == fresh; }));
  EXPECT_TRUE(Call(client).ok());
}

TEST_F(Security, TheProbeSeesATlsListenerAlive) { EXPECT_TRUE(ProbePort(server_->target(), 2s)); }

TEST_F(Security, FilesThatCannotWorkAreRefusedAtTheStart) {
  const auto other = certificates_.Issue("other", {kFriend});
  EXPECT_TRUE(CheckTlsFiles(Tls(server_files_)).ok());
  EXPECT_FALSE(CheckTlsFiles({server_files_.certificate, other.key, server_files_.ca, 1s}).ok());
  EXPECT_FALSE(CheckTlsFiles({"/nowhere.pem", other.key, server_files_.ca, 1s}).ok());
  EXPECT_FALSE(CheckTlsFiles({other.certificate, other.key, "/dev/null", 1s}).ok());
}

}  // namespace
}  // namespace paymesh::rpc
