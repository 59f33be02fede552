// Whole commands against a server in this process: what they send, print and exit with.
#include "services/payctl/payctl.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "common/error/status.h"
#include "common/http/testing/test_certificates.h"
#include "common/rpc/credentials.h"
#include "common/rpc/server/health.h"
#include "paymesh/checkout/v1/payment_service.grpc.pb.h"
#include "paymesh/settlement/v1/payout_service.grpc.pb.h"

namespace paymesh::payctl {
namespace {

namespace pb = checkout::v1;
using ::testing::HasSubstr;
using ::testing::Not;

pb::Payment ExamplePayment() {
  pb::Payment payment;
  payment.set_payment_id("pay_1");
  payment.set_merchant_id("mer_1");
  payment.mutable_price()->set_unit("iso4217/EUR");
  payment.mutable_price()->set_value("1250");
  payment.set_state(pb::PAYMENT_STATE_AWAITING_PAYMENT);
  payment.set_revision(1);
  pb::PaymentOption& option = *payment.add_options();
  option.set_chain("eip155:1");
  option.set_symbol("tUSD");
  option.set_decimals(6);
  option.mutable_due()->set_unit(
      "caip19/eip155:1/erc20:0x00000000000000000000000000000000000000aa");
  option.mutable_due()->set_value("13500000");
  option.set_payment_uri("ethereum:0xaa@1/transfer?address=0xbb&uint256=13500000");
  option.set_rank(1);
  return payment;
}

// The caller's common name, from the certificate.
std::string CallerOf(const grpc::ServerContext& context) {
  const auto names = context.auth_context()->FindPropertyValues("x509_common_name");
  return names.empty() ? "" : std::string(names[0].begin(), names[0].end());
}

constexpr char kIdentity[] = "spiffe://paymesh.local/service/";  // and the service's name

class FakeCheckout final : public pb::PaymentService::Service {
 public:
  grpc::Status CreatePayment(grpc::ServerContext*, const pb::CreatePaymentRequest* request,
                             pb::CreatePaymentResponse* reply) override {
    created = *request;
    if (request->price().value() == "0") {
      return rpc::ToGrpc(Error::InvalidField("price.value", "must be above zero"),
                         "checkout.paymesh.dev");
    }
    *reply->mutable_payment() = ExamplePayment();
    return grpc::Status::OK;
  }
  grpc::Status GetPayment(grpc::ServerContext*, const pb::GetPaymentRequest* request,
                          pb::GetPaymentResponse* reply) override {
    if (request->payment_id() != "pay_1") {
      return rpc::ToGrpc(Error::NotFound("PAYMENT_NOT_FOUND", "no such payment"),
                         "checkout.paymesh.dev");
    }
    *reply->mutable_payment() = ExamplePayment();
    return grpc::Status::OK;
  }
  // Three pages of payments, however many are asked for.
  grpc::Status ListPayments(grpc::ServerContext*, const pb::ListPaymentsRequest* request,
                            pb::ListPaymentsResponse* reply) override {
    *reply->add_payments() = ExamplePayment();
    const std::string& token = request->page_token();
    reply->set_next_page_token(token.empty() ? "second" : token == "second" ? "third" : "");
    return grpc::Status::OK;
  }
  // Breaks off once in the middle, as a restarting server does.
  grpc::Status WatchPayment(grpc::ServerContext*, const pb::WatchPaymentRequest* request,
                            grpc::ServerWriter<pb::WatchPaymentResponse>* writer) override {
    pb::WatchPaymentResponse reply;
    *reply.mutable_payment() = ExamplePayment();
    if (request->after_revision() == 0) {
      writer->Write(reply);
      return rpc::ToGrpc(Error::Unavailable("DRAINING", "going away"), "checkout.paymesh.dev");
    }
    reply.mutable_payment()->set_revision(2);
    reply.mutable_payment()->set_state(pb::PAYMENT_STATE_SUCCEEDED);
    writer->Write(reply);
    return grpc::Status::OK;
  }

  pb::CreatePaymentRequest created;
};

class FakeSettlement final : public settlement::v1::PayoutService::Service {
 public:
  grpc::Status ApprovePayout(grpc::ServerContext* context,
                             const settlement::v1::ApprovePayoutRequest* request,
                             settlement::v1::ApprovePayoutResponse* reply) override {
    if (CallerOf(*context) != "anna") {
      return rpc::ToGrpc(Error::PermissionDenied("ROLE_NOT_ALLOWED", "approvers only"),
                         "settlement.paymesh.dev");
    }
    reply->mutable_payout()->set_payout_id(request->payout_id());
    reply->mutable_payout()->set_state(settlement::v1::PAYOUT_STATE_RESERVED);
    return grpc::Status::OK;
  }
};

class PayctlTest : public ::testing::Test {
 protected:
  PayctlTest() {
    server_ = Serve("checkout", checkout_, checkout_port_);
    settlement_server_ = Serve("settlement", settlement_, settlement_port_);
    health_ = *rpc::HealthServer::Start("127.0.0.1:0", {"checkout"});
    WriteMesh();
  }
  ~PayctlTest() override {
    for (grpc::Server* server : {server_.get(), settlement_server_.get()}) {
      server->Shutdown(std::chrono::system_clock::now());
    }
  }

  std::unique_ptr<grpc::Server> Serve(const std::string& name, grpc::Service& service, int& port) {
    const auto files = certificates_.Issue(name, {kIdentity + name});
    grpc::ServerBuilder builder;
    builder.AddListeningPort(
        "127.0.0.1:0",
        rpc::MakeServerCredentials(
            {.certificate = files.certificate, .key = files.key, .ca = files.ca}),
        &port);
    builder.RegisterService(&service);
    return builder.BuildAndStart();
  }

  void WriteMesh() {
    const auto client = [this](const std::string& name) {
      const std::string identity = "spiffe://paymesh.local/person/" + name;
      const auto files = certificates_.Issue(name, {identity});
      return R"({"identity": ")" + identity + R"(", "certificate": ")" + files.certificate +
             R"(", "key": ")" + files.key + R"("})";
    };
    std::filesystem::create_directories(certificates_.directory() + "/.local");
    std::ofstream(certificates_.directory() + "/.local/mesh.json")
        << R"({"services": {"checkout": {"grpc": "127.0.0.1:)" << checkout_port_
        << R"(", "health": "127.0.0.1:)" << health_->port() << R"(", "identity": ")" << kIdentity
        << R"(checkout"}, "settlement": {"grpc": "127.0.0.1:)" << settlement_port_
        << R"(", "health": "", "identity": ")" << kIdentity << R"(settlement"}}, "ca": ")"
        << certificates_.directory() << R"(/ca.pem", "clients": {"operator": )" << client("olivia")
        << R"(, "approver": )" << client("anna") << "}}";
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunPayctl(arguments, {.out = out_, .err = err_, .directory = certificates_.directory()});
  }

  rpc::TestCertificates certificates_;
  FakeCheckout checkout_;
  FakeSettlement settlement_;
  int checkout_port_ = 0, settlement_port_ = 0;
  std::unique_ptr<grpc::Server> server_, settlement_server_;
  std::unique_ptr<rpc::HealthServer> health_;
  std::ostringstream out_, err_;
};

TEST_F(PayctlTest, CreatesAPaymentAndTellsTheRequestIdOnStderr) {
  ASSERT_EQ(Run({"payments", "create", "--merchant", "mer_1", "--price", "12.50", "--currency",
                 "EUR", "--metadata", "table=7", "--ttl", "15m", "--qr"}),
            0)
      << err_.str();
  EXPECT_EQ(checkout_.created.price().value(), "1250");
  EXPECT_EQ(checkout_.created.time_to_live().seconds(), 900);
  EXPECT_EQ(checkout_.created.metadata().at("table"), "7");
  EXPECT_THAT(err_.str(), HasSubstr("request id: " + checkout_.created.request_id()));
  EXPECT_THAT(err_.str(), HasSubstr("█"));
  EXPECT_THAT(out_.str(), HasSubstr("12.50 EUR"));
  EXPECT_THAT(out_.str(), HasSubstr("13.500000 tUSD on eip155:1"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("█")));
}

TEST_F(PayctlTest, RepeatsAGivenRequestId) {
  ASSERT_EQ(
      Run({"payments", "create", "--unit", "iso4217/EUR", "--value", "5", "--request-id", "mine"}),
      0);
  EXPECT_EQ(checkout_.created.request_id(), "mine");
}

TEST_F(PayctlTest, RefusesABadAmountBeforeAskingAnybody) {
  EXPECT_EQ(Run({"payments", "create", "--price", "12.505", "--currency", "EUR"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("EUR has 2 decimals"));
  EXPECT_EQ(checkout_.created.request_id(), "");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(PayctlTest, ShowsTheServersFieldViolations) {
  EXPECT_EQ(Run({"payments", "create", "--unit", "iso4217/EUR", "--value", "0"}), 2);
  EXPECT_THAT(err_.str(), HasSubstr("error: INVALID_FIELD"));
  EXPECT_THAT(err_.str(), HasSubstr("  price.value: must be above zero"));
}

TEST_F(PayctlTest, ExitsWithThreeForWhatIsNotThere) {
  EXPECT_EQ(Run({"payments", "get", "pay_2"}), 3);
  EXPECT_THAT(err_.str(), HasSubstr("PAYMENT_NOT_FOUND"));
  EXPECT_EQ(out_.str(), "");
}

TEST_F(PayctlTest, PrintsJsonWithTheContractsNames) {
  ASSERT_EQ(Run({"payments", "get", "pay_1", "--output", "json"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("\"payment_id\": \"pay_1\""));
  EXPECT_THAT(out_.str(), HasSubstr("\"state\": \"PAYMENT_STATE_AWAITING_PAYMENT\""));
}

TEST_F(PayctlTest, FollowsPagesUntilTheLimit) {
  ASSERT_EQ(Run({"-o", "csv", "payments", "list"}), 0);
  const std::string all = out_.str();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 4);  // a header and three
  EXPECT_THAT(all, HasSubstr("pay_1,mer_1,1250 iso4217/EUR,AWAITING_PAYMENT"));
  ASSERT_EQ(Run({"-o", "csv", "payments", "list", "--limit", "2"}), 0);
  const std::string two = out_.str();
  EXPECT_EQ(std::count(two.begin(), two.end(), '\n'), 3);
  EXPECT_THAT(err_.str(), HasSubstr("there is more"));
}

TEST_F(PayctlTest, WatchesAcrossARestartUntilThePaymentIsClosed) {
  ASSERT_EQ(Run({"payments", "watch", "pay_1", "-o", "json"}), 0) << err_.str();
  const std::string lines = out_.str();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
  EXPECT_THAT(lines, HasSubstr("PAYMENT_STATE_SUCCEEDED"));
  EXPECT_THAT(err_.str(), HasSubstr("opening it again"));
}

TEST_F(PayctlTest, ApprovesWithTheApproversCertificateUnlessToldOtherwise) {
  EXPECT_EQ(Run({"payouts", "approve", "pot_1"}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("RESERVED"));
  EXPECT_EQ(Run({"payouts", "approve", "pot_1", "--as", "operator"}), 4);
  EXPECT_THAT(err_.str(), HasSubstr("ROLE_NOT_ALLOWED"));
  EXPECT_EQ(Run({"payouts", "approve", "pot_1", "--as", "stranger"}), 2);
}

TEST_F(PayctlTest, RefusesAServerThatIsSomebodyElse) {
  const std::string wrong = "checkout=127.0.0.1:" + std::to_string(settlement_port_);
  EXPECT_EQ(Run({"payments", "get", "pay_1", "--address", wrong, "--timeout", "3s"}), 6);
}

TEST_F(PayctlTest, TakesAServersIdentityFromTheCommandLineOnceForEachService) {
  const std::string wrong = "checkout=127.0.0.1:" + std::to_string(settlement_port_);
  EXPECT_EQ(Run({"payments", "get", "pay_1", "--address", wrong, "--timeout", "3s", "--identity",
                 "checkout=" + std::string(kIdentity) + "settlement"}),
            1);  // it is who we say, and has no such method
  EXPECT_THAT(err_.str(), HasSubstr("UNIMPLEMENTED"));
  EXPECT_EQ(Run({"payments", "get", "pay_1", "--timeout", "3s", "--identity",
                 "checkout=spiffe://paymesh.local/ns/pay/sa/paymesh-checkout"}),
            6);
  EXPECT_EQ(Run({"payments", "get", "pay_1", "--identity", "checkout"}), 2);
}

TEST_F(PayctlTest, ExitsWithSixWhenNobodyAnswers) {
  EXPECT_EQ(
      Run({"payments", "get", "pay_1", "--address", "checkout=127.0.0.1:1", "--timeout", "2s"}), 6);
  EXPECT_THAT(err_.str(), HasSubstr("hint: "));
}

TEST_F(PayctlTest, TellsWhoIsNotReady) {
  EXPECT_EQ(Run({"health", "--timeout", "2s"}), 6);
  EXPECT_THAT(out_.str(), HasSubstr("NOT_SERVING"));
  EXPECT_THAT(err_.str(), HasSubstr("not ready: checkout, settlement"));
  health_->SetReady(true);
  EXPECT_EQ(Run({"health", "--timeout", "2s"}), 6);
  EXPECT_THAT(err_.str(), HasSubstr("not ready: settlement"));
}

TEST_F(PayctlTest, ExitsWithTwoForAnUnknownCommandAndWithZeroForHelp) {
  EXPECT_EQ(Run({"payments", "steal"}), 2);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("payouts"));
  EXPECT_EQ(Run({}), 2);
}

}  // namespace
}  // namespace paymesh::payctl
