// The contract's PayoutService over a real server and a real database.
#include "services/settlement/api/payout_service.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <set>
#include <thread>

#include "common/pg/testing/test_database.h"
#include "common/rpc/server/grpc_server.h"
#include "migrations/settlement.h"
#include "services/settlement/domain/ledger.h"
#include "services/settlement/methods.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/store/pause_store.h"

namespace paymesh::settlement {
namespace {

const std::string kService = "paymesh.settlement.v1.PayoutService";
const std::string kChain = "eip155:31337";
const std::string kToken = "0x1111111111111111111111111111111111111111";
const std::string kUnit = "caip19/eip155:31337/erc20:" + kToken;
const std::string kVault = "0x00000000000000000000000000000000000000aa";
const std::string kWallet = "0x00000000000000000000000000000000000000bb";
const std::string kDeposit = "0x00000000000000000000000000000000000000dd";
const std::string kTo = "0x00000000000000000000000000000000000000e1";

runtime::ChainsConfig Chains() {
  runtime::ChainConfig chain{.chain = ChainId::Parse(kChain).value()};
  chain.vault = kVault;
  chain.tokens.push_back({.asset = AssetId::Parse("eip155:31337/erc20:" + kToken).value(),
                          .symbol = "tUSD",
                          .decimals = 6,
                          .currency = "USD",
                          .accepted = true});
  return {{chain}, ""};
}

PayoutServiceOptions Options() {
  PayoutServiceOptions options;
  options.cooling_off = std::chrono::hours(24);
  options.forbidden.contracts = {evm::Address::Parse(kVault).value(),
                                 evm::Address::Parse(kToken).value()};
  options.forbidden.wallets = {evm::Address::Parse(kWallet).value()};
  return options;
}

// A vault that says what it is told to say.
class FakeVaults final : public VaultRecord {
 public:
  Task<Result<VaultWord>> Paid(std::string, std::string) override { co_return word; }
  VaultWord word{kVault, false, 8, "0xb8"};
};

// The rows of the one service that is linked into this test.
rpc::MethodTable PayoutMethods() {
  rpc::MethodTable rows = Methods();
  std::erase_if(rows, [](const rpc::MethodRule& rule) {
    return rule.method.find(kService + "/") == std::string::npos;
  });
  return rows;
}

class PayoutApi : public testing::Test {
 protected:
  PayoutApi()
      : guard_(context_.get_executor()),
        thread_([this] { context_.run(); }),
        database_(SettlementMigrations()),
        chains_(Chains()),
        ids_(clock_, random_) {
    rpc::CallRunnerOptions options;
    options.executor = context_.get_executor();
    options.domain = "settlement.paymesh.dev";
    options.authorizer = std::make_shared<const rpc::Authorizer>(
        rpc::Authorizer::Make(PayoutMethods(), std::vector<std::string>{kService}).value());
    options.identities = std::make_shared<const rpc::Identities>(rpc::Identities::Make({}).value());
    options.identify = [this](const grpc::ServerContextBase&) {
      return Result<rpc::Principal>(principal_);
    };
    calls_ = std::make_unique<rpc::CallRunner>(std::move(options));
    service_ = std::make_unique<PayoutService>(*calls_, database_.database(), chains_, clock_, ids_,
                                               pages_, vaults_, Options());
    rpc::ServerOptions server;
    server.address = "127.0.0.1:0";
    server.credentials = grpc::InsecureServerCredentials();
    server_ = rpc::Server::Start(server, {rpc::Serve<v1::PayoutService>(*service_)}).value();
    stub_ = v1::PayoutService::NewStub(
        grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
    database_.Exec(
        "INSERT INTO deposit (payment_id, merchant_id, address, revision, state, terms)"
        " VALUES ('pay_x', 'mer_1', '" +
        kDeposit + "', 1, 'SUCCEEDED', '')");
  }
  ~PayoutApi() override {
    server_->Shutdown(std::chrono::milliseconds(200));
    guard_.reset();
    thread_.join();
  }

  void As(const std::string& name, rpc::Role role) {
    principal_ = {"spiffe://paymesh.local/person/" + name, role, name, std::nullopt};
  }
  void AsOperator() { As("olivia", rpc::Role::kOperator); }
  void AsApprover() { As("anna", rpc::Role::kApprover); }

  template <class Response, class Request>
  grpc::Status Call(grpc::Status (v1::PayoutService::Stub::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub_.get()->*method)(&context, request, response);
  }

  grpc::Status Propose(const std::string& address, std::string* id = nullptr) {
    AsOperator();
    v1::CreatePayoutDestinationRequest request;
    request.set_request_id("propose-" + address + std::to_string(++requests_));
    request.set_merchant_id("mer_1");
    request.set_unit(kUnit);
    request.set_address(address);
    v1::CreatePayoutDestinationResponse response;
    auto status = Call(&v1::PayoutService::Stub::CreatePayoutDestination, request, &response);
    if (id != nullptr) *id = response.destination().destination_id();
    return status;
  }
  grpc::Status ApproveDestination(const std::string& id) {
    v1::ApprovePayoutDestinationRequest request;
    request.set_request_id("approve-" + std::to_string(++requests_));
    request.set_destination_id(id);
    v1::ApprovePayoutDestinationResponse response;
    return Call(&v1::PayoutService::Stub::ApprovePayoutDestination, request, &response);
  }
  std::string UsableDestination() {
    std::string id;
    EXPECT_TRUE(Propose(kTo, &id).ok());
    AsApprover();
    EXPECT_TRUE(ApproveDestination(id).ok());
    clock_.Advance(std::chrono::hours(24));
    return id;
  }
  void Earn(const std::string& payment_id, std::uint64_t amount) {
    auto post = [&](pg::Transaction& tx) -> Status {
      JournalDraft draft;
      draft.rule = "P4";
      draft.event_id = draft.payment_id = payment_id;
      draft.legs = Move(AccountKey{AccountCode::kDeposits, kChain, kUnit},
                        AccountKey{AccountCode::kMerchantAvailable, "mer_1", kUnit}, U256(amount));
      const auto posted = Post(tx, std::span(&draft, 1));
      if (!posted.ok()) return posted.error();
      SetPaymentNet(tx, {payment_id, "mer_1", kUnit, U256(amount), clock_.Now()});
      return {};
    };
    ASSERT_TRUE(database_.database().TransactBlocking({}, post).ok());
  }
  v1::CreatePayoutRequest Ask(const std::string& destination, const std::string& value) {
    v1::CreatePayoutRequest request;
    request.set_request_id("ask-" + std::to_string(++requests_));
    request.set_merchant_id("mer_1");
    request.set_destination_id(destination);
    request.mutable_amount()->set_unit(kUnit);
    request.mutable_amount()->set_value(value);
    return request;
  }
  grpc::Status Create(const v1::CreatePayoutRequest& request, v1::Payout* payout) {
    AsOperator();
    v1::CreatePayoutResponse response;
    auto status = Call(&v1::PayoutService::Stub::CreatePayout, request, &response);
    *payout = response.payout();
    return status;
  }
  grpc::Status Approve(const std::string& id, v1::Payout* payout) {
    v1::ApprovePayoutRequest request;
    request.set_request_id("yes-" + std::to_string(++requests_));
    request.set_payout_id(id);
    v1::ApprovePayoutResponse response;
    auto status = Call(&v1::PayoutService::Stub::ApprovePayout, request, &response);
    *payout = response.payout();
    return status;
  }
  std::string Available() {
    return database_.Query("SELECT credits - debits FROM ledger_account WHERE code = 2110");
  }

  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
  pg::TestDatabase database_;
  const runtime::ChainsConfig chains_;
  runtime::FakeClock clock_;
  runtime::SystemRandom random_;
  runtime::IdSource ids_;
  rpc::PageTokens pages_{"0123456789abcdef"};
  rpc::Principal principal_;
  FakeVaults vaults_;
  std::unique_ptr<rpc::CallRunner> calls_;
  std::unique_ptr<PayoutService> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::PayoutService::Stub> stub_;
  int requests_ = 0;
};

TEST_F(PayoutApi, TakesNoAddressOfItsOwn) {
  for (const std::string& address :
       {std::string("0x0000000000000000000000000000000000000000"), kVault, kToken, kWallet,
        kDeposit, std::string("0x12"), std::string()}) {
    EXPECT_EQ(Propose(address).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << address;
  }
  EXPECT_TRUE(Propose(kTo).ok());
}

TEST_F(PayoutApi, NeedsTwoPeopleForADestination) {
  std::string id;
  ASSERT_TRUE(Propose(kTo, &id).ok());
  EXPECT_EQ(ApproveDestination(id).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  As("olivia", rpc::Role::kApprover);  // the same person in another role
  EXPECT_EQ(ApproveDestination(id).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  AsApprover();
  EXPECT_TRUE(ApproveDestination(id).ok());
  EXPECT_EQ(ApproveDestination(id).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ApproveDestination("dst_none").error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(PayoutApi, WaitsForTheCoolingOff) {
  std::string id;
  ASSERT_TRUE(Propose(kTo, &id).ok());
  Earn("pay_1", 100);
  v1::Payout payout;
  EXPECT_NE(Create(Ask(id, "10"), &payout).error_message().find("second person"),
            std::string::npos);
  AsApprover();
  ASSERT_TRUE(ApproveDestination(id).ok());
  EXPECT_NE(Create(Ask(id, "10"), &payout).error_message().find("usable from"), std::string::npos);
  clock_.Advance(std::chrono::hours(24));
  EXPECT_TRUE(Create(Ask(id, "10"), &payout).ok());
}

TEST_F(PayoutApi, ReservesWhenASecondPersonApproves) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  clock_.Advance(std::chrono::seconds(1));
  Earn("pay_2", 60);
  v1::Payout payout;
  ASSERT_TRUE(Create(Ask(destination, "100"), &payout).ok());
  EXPECT_EQ(payout.state(), v1::PAYOUT_STATE_AWAITING_APPROVAL);
  EXPECT_EQ(Available(), "120");
  v1::Payout approved;
  EXPECT_EQ(Approve(payout.payout_id(), &approved).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  AsApprover();
  ASSERT_TRUE(Approve(payout.payout_id(), &approved).ok());
  EXPECT_EQ(approved.state(), v1::PAYOUT_STATE_RESERVED);
  ASSERT_EQ(approved.lines_size(), 2);
  EXPECT_EQ(approved.lines(0).payment_id(), "pay_1");
  EXPECT_EQ(approved.lines(1).amount().value(), "40");
  EXPECT_EQ(approved.approver(), "anna");
  EXPECT_EQ(Available(), "20");
  EXPECT_EQ(Approve(payout.payout_id(), &approved).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(PayoutApi, GivesTheMoneyBackWhenCancelled) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  v1::Payout payout;
  ASSERT_TRUE(Create(Ask(destination, "60"), &payout).ok());
  AsApprover();
  ASSERT_TRUE(Approve(payout.payout_id(), &payout).ok());
  AsOperator();
  v1::CancelPayoutRequest request;
  request.set_request_id("no");
  request.set_payout_id(payout.payout_id());
  request.set_reason("a mistake");
  v1::CancelPayoutResponse response;
  ASSERT_TRUE(Call(&v1::PayoutService::Stub::CancelPayout, request, &response).ok());
  EXPECT_EQ(response.payout().state(), v1::PAYOUT_STATE_CANCELED);
  EXPECT_EQ(Available(), "60");
  request.set_request_id("no-again");
  EXPECT_EQ(Call(&v1::PayoutService::Stub::CancelPayout, request, &response).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  // The payment can be paid out by another payout.
  ASSERT_TRUE(Create(Ask(destination, "60"), &payout).ok());
  AsApprover();
  ASSERT_TRUE(Approve(payout.payout_id(), &payout).ok());
  EXPECT_EQ(payout.lines_size(), 1);
}

TEST_F(PayoutApi, EndsByTheVaultsWordWhatAFinalTransactionLeftOpen) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  v1::Payout payout;
  ASSERT_TRUE(Create(Ask(destination, "60"), &payout).ok());
  AsApprover();
  ASSERT_TRUE(Approve(payout.payout_id(), &payout).ok());
  v1::ResolvePayoutRequest request;
  request.set_request_id("end");
  request.set_payout_id(payout.payout_id());
  v1::ResolvePayoutResponse response;
  const auto resolve = [&] {
    return Call(&v1::PayoutService::Stub::ResolvePayout, request, &response).error_code();
  };
  EXPECT_EQ(resolve(), grpc::StatusCode::INVALID_ARGUMENT) << "a reason must be given";
  request.set_reason("read the receipt");
  EXPECT_EQ(resolve(), grpc::StatusCode::FAILED_PRECONDITION) << "it goes on by itself";
  database_.Exec(
      "UPDATE payout SET state = 'SUBMITTED';"
      "INSERT INTO sender_wallet (chain, address, initial_nonce, next_nonce, create_time) VALUES "
      "('" +
      kChain + "', '" + kWallet +
      "', 0, 1, now());"
      "INSERT INTO chain_transaction (chain_transaction_id, chain, wallet, nonce, purpose, state,"
      " to_address, call_data, gas_limit, epoch, included_hash, block_number, block_hash, success,"
      " gas_cost, create_time, update_time, revision) VALUES ('ctx_1', '" +
      kChain + "', '" + kWallet + "', 0, 'PAYOUT', 'FINALIZED', '" + kVault +
      "', '', 1, 1, '0x1', 7, '0xb7', true, 0, now(),"
      " now(), 1);"
      "INSERT INTO chain_transaction_item (chain_transaction_id, position, payout_id, outcome)"
      " VALUES ('ctx_1', 0, '" +
      payout.payout_id() + "', 'MISSING')");
  AsOperator();
  EXPECT_EQ(resolve(), grpc::StatusCode::PERMISSION_DENIED);
  AsApprover();
  EXPECT_EQ(resolve(), grpc::StatusCode::OK);
  EXPECT_EQ(response.payout().state(), v1::PAYOUT_STATE_FAILED);
  EXPECT_EQ(Available(), "60");
  EXPECT_EQ(database_.Query("SELECT actor || ' ' || action FROM audit ORDER BY seq DESC LIMIT 1"),
            "anna ResolvePayout");
  EXPECT_EQ(resolve(), grpc::StatusCode::OK) << "the first answer again";
}

TEST_F(PayoutApi, AnswersARepeatedRequestAsTheFirstTime) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  const v1::CreatePayoutRequest request = Ask(destination, "10");
  v1::Payout first, second;
  ASSERT_TRUE(Create(request, &first).ok());
  ASSERT_TRUE(Create(request, &second).ok());
  EXPECT_EQ(first.payout_id(), second.payout_id());
  v1::CreatePayoutRequest other = request;
  other.mutable_amount()->set_value("11");
  EXPECT_EQ(Create(other, &second).error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(database_.Query("SELECT count(*) FROM payout"), "1");
}

TEST_F(PayoutApi, RefusesWhatIsNotThereOrPaused) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  v1::Payout payout;
  EXPECT_EQ(Create(Ask(destination, "61"), &payout).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  for (const char* value : {"0", "-1", "1.5", "", "1e3", "01"}) {
    EXPECT_EQ(Create(Ask(destination, value), &payout).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << value;
  }
  database_.Exec(
      "INSERT INTO pause (kind, value, by_watcher, reason, creator)"
      " VALUES ('merchant', 'mer_1', false, 'a question', 'olivia')");
  const auto status = Create(Ask(destination, "10"), &payout);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_NE(status.error_message().find("paused"), std::string::npos);
}

TEST_F(PayoutApi, ListsInPages) {
  const std::string destination = UsableDestination();
  Earn("pay_1", 60);
  v1::Payout payout;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Create(Ask(destination, "10"), &payout).ok());
  v1::ListPayoutsRequest request;
  request.set_page_size(2);
  request.set_merchant_id("mer_1");
  std::set<std::string> seen;
  int pages = 0;
  do {
    v1::ListPayoutsResponse response;
    ASSERT_TRUE(Call(&v1::PayoutService::Stub::ListPayouts, request, &response).ok());
    for (const v1::Payout& one : response.payouts()) seen.insert(one.payout_id());
    request.set_page_token(response.next_page_token());
    ++pages;
  } while (!request.page_token().empty() && pages < 10);
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(pages, 3);
  request.set_page_token("nonsense");
  v1::ListPayoutsResponse response;
  EXPECT_EQ(Call(&v1::PayoutService::Stub::ListPayouts, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace paymesh::settlement
