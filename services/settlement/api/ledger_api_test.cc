#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <thread>

#include "common/outbox/hub/hub.h"
#include "common/pg/testing/test_database.h"
#include "common/rpc/server/call_runner.h"
#include "common/rpc/server/grpc_server.h"
#include "common/runtime/run_blocking.h"
#include "migrations/settlement.h"
#include "services/settlement/api/event_service.h"
#include "services/settlement/api/ledger_service.h"
#include "services/settlement/api/pause_service.h"
#include "services/settlement/methods.h"
#include "services/settlement/store/evidence_store.h"
#include "services/settlement/store/ledger_store.h"
#include "services/settlement/workers/reconciler.h"

namespace paymesh::settlement {
namespace {

const std::string kChain = "eip155:31337";
const std::string kUnit = "caip19/eip155:31337/erc20:0x1111111111111111111111111111111111111111";
const std::string kVault = "0x00000000000000000000000000000000000000aa";
const std::string kDeposit = "0x00000000000000000000000000000000000000dd";

using Books = v1::LedgerService::StubInterface;
using Switch = v1::PauseService::StubInterface;
using Events = v1::EventService::StubInterface;

// A chain that says what it is told to say.
class FakeBalances final : public BalanceReader {
 public:
  Task<Result<std::vector<U256>>> Read(std::string, std::uint64_t,
                                       std::vector<BalanceRead> reads) override {
    std::vector<U256> values;
    for (const BalanceRead& read : reads) values.push_back(U256(balances[read.address]));
    co_return values;
  }
  std::map<std::string, std::uint64_t> balances;
};

class LedgerApiTest : public ::testing::Test {
 protected:
  LedgerApiTest() : guard_(context_.get_executor()), thread_([this] { context_.run(); }) {
    rpc::CallRunnerOptions options;
    options.executor = context_.get_executor();
    options.domain = "settlement.paymesh.dev";
    options.authorizer = std::make_shared<const rpc::Authorizer>(
        rpc::Authorizer::Make(Methods(),
                              std::vector<std::string>{"paymesh.settlement.v1.LedgerService",
                                                       "paymesh.settlement.v1.PauseService",
                                                       "paymesh.settlement.v1.EventService",
                                                       "paymesh.settlement.v1.PayoutService"})
            .value());
    options.identities = std::make_shared<const rpc::Identities>(rpc::Identities::Make({}).value());
    options.identify = [this](const grpc::ServerContextBase&) {
      return Result<rpc::Principal>(principal_);
    };
    calls_ = std::make_unique<rpc::CallRunner>(std::move(options));
    hub_ = std::make_unique<outbox::Hub>(database_.database());
    prover_ = std::make_unique<BalanceProver>(database_.database(), balances_, chains_);
    ledger_ = std::make_unique<LedgerServiceApi>(*calls_, database_.database(), *prover_, tokens_);
    pauses_ = std::make_unique<PauseServiceApi>(*calls_, database_.database());
    events_ = std::make_unique<EventServiceApi>(*calls_, *hub_, tokens_);
    rpc::ServerOptions server;
    server.address = "127.0.0.1:0";
    server.credentials = grpc::InsecureServerCredentials();
    server_ = rpc::Server::Start(server, {rpc::Serve<v1::LedgerService>(*ledger_),
                                          rpc::Serve<v1::PauseService>(*pauses_),
                                          rpc::Serve<v1::EventService>(*events_)})
                  .value();
    auto channel = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    books_ = v1::LedgerService::NewStub(channel);
    switch_ = v1::PauseService::NewStub(channel);
    journal_ = v1::EventService::NewStub(channel);
  }
  ~LedgerApiTest() override {
    hub_->Close();
    server_->Shutdown(std::chrono::milliseconds(200));
    guard_.reset();
    thread_.join();
  }

  void PostArrival(const std::string& event, std::uint64_t amount) {
    JournalDraft draft;
    draft.rule = "P1";
    draft.event_id = event;
    draft.payment_id = "pay_1";
    draft.merchant_id = "mer_1";
    draft.legs = Move({AccountCode::kDeposits, kChain, kUnit},
                      {AccountCode::kMerchantUnconfirmed, "mer_1", kUnit}, U256(amount));
    draft.block = BlockEvidence{kChain, 7, "0xb7", Time(std::chrono::seconds(5))};
    Evidence evidence;
    evidence.transfer_id = event;
    evidence.revision = 1;
    evidence.transaction_hash = "0x" + event;
    evidence.unit = kUnit;
    evidence.amount = U256(amount);
    evidence.from_address = "0xee";
    evidence.to_address = kDeposit;
    evidence.block = *draft.block;
    auto post = [&](pg::Transaction& tx) -> Status {
      UpsertEvidence(tx, {evidence});
      PutProgress(tx, {.chain = kChain,
                       .block_number = 9,
                       .block_hash = "0xb9",
                       .finalized_number = 8,
                       .finalized_hash = "0xb8"});
      ASSIGN_OR_RETURN(const auto posted, Post(tx, std::span(&draft, 1)));
      AppendMoneyEvent(tx, {.payment_id = "pay_1",
                            .merchant_id = "mer_1",
                            .stage = MoneyStage::kPosted,
                            .unit = kUnit,
                            .amount = U256(amount),
                            .journal_id = posted.front().journal_id});
      return {};
    };
    const Status status = database_.database().TransactBlocking({}, post);
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  template <class Request, class Response, class Stub>
  grpc::Status Ask(Stub& stub,
                   grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return (stub.*method)(&context, request, response);
  }

  pg::TestDatabase database_{SettlementMigrations()};
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
  rpc::Principal principal_{"spiffe://paymesh.local/person/olivia", rpc::Role::kOperator, "olivia"};
  rpc::PageTokens tokens_{"0123456789abcdef"};
  runtime::ChainsConfig chains_ =
      runtime::ParseChains(
          "chains:\n  - {chain: 'eip155:31337', name: anvil, block_time: 1s,"
          " finality: {safe_min_depth: 1, finalized_min_depth: 2},"
          " endpoints: ['http://127.0.0.1:1'], contracts: {vault: '" +
              kVault +
              "'},"
              " native: {symbol: ETH, decimals: 18},"
              " tokens: [{asset: 'eip155:31337/erc20:0x1111111111111111111111111111111111111111', "
              "symbol: tUSD,"
              " decimals: 6, currency: USD, accepted: true}]}\n",
          "chains.yaml")
          .value();
  FakeBalances balances_;
  std::unique_ptr<rpc::CallRunner> calls_;
  std::unique_ptr<outbox::Hub> hub_;
  std::unique_ptr<BalanceProver> prover_;
  std::unique_ptr<LedgerServiceApi> ledger_;
  std::unique_ptr<PauseServiceApi> pauses_;
  std::unique_ptr<EventServiceApi> events_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<Books> books_;
  std::unique_ptr<Switch> switch_;
  std::unique_ptr<Events> journal_;
};

TEST_F(LedgerApiTest, ShowsJournalsAndAccounts) {
  PostArrival("trf_1", 100);
  PostArrival("trf_2", 23);
  v1::ListJournalsRequest list;
  list.set_page_size(1);
  list.set_payment_id("pay_1");
  v1::ListJournalsResponse page;
  ASSERT_TRUE(Ask(*books_, &Books::ListJournals, list, &page).ok());
  ASSERT_EQ(page.journals_size(), 1);
  EXPECT_EQ(page.journals(0).event_id(), "trf_2");
  EXPECT_EQ(page.journals(0).block().number(), 7u);
  list.set_page_token(page.next_page_token());
  v1::ListJournalsResponse second;
  ASSERT_TRUE(Ask(*books_, &Books::ListJournals, list, &second).ok());
  EXPECT_EQ(second.journals(0).event_id(), "trf_1");
  list.set_merchant_id("mer_2");
  EXPECT_EQ(Ask(*books_, &Books::ListJournals, list, &second).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT)
      << "a token of another list";

  v1::GetAccountRequest get;
  get.set_account_id("2050:merchant_unconfirmed:mer_1:" + kUnit);
  v1::GetAccountResponse account;
  ASSERT_TRUE(Ask(*books_, &Books::GetAccount, get, &account).ok());
  EXPECT_EQ(account.account().balance().value(), "123");
  EXPECT_FALSE(account.account().negative());
  EXPECT_EQ(account.account().leg_count(), 2);
  get.set_account_id("2050:none");
  EXPECT_EQ(Ask(*books_, &Books::GetAccount, get, &account).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::GetJournalRequest one;
  one.set_journal_id(page.journals(0).journal_id());
  v1::GetJournalResponse journal;
  ASSERT_TRUE(Ask(*books_, &Books::GetJournal, one, &journal).ok());
  EXPECT_EQ(journal.journal().legs_size(), 2);
}

TEST_F(LedgerApiTest, HoldsTheBooksAgainstTheChain) {
  PostArrival("trf_1", 100);
  balances_.balances[kDeposit] = 100;
  v1::ProveBalancesRequest request;
  v1::ProveBalancesResponse proof;
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &proof).ok());
  EXPECT_TRUE(proof.proven());
  ASSERT_EQ(proof.proofs_size(), 1);
  EXPECT_EQ(proof.proofs(0).kind(), "deposits");
  EXPECT_EQ(proof.proofs(0).on_chain().value(), "100");
  EXPECT_EQ(proof.proofs(0).block().number(), 8u);
  balances_.balances[kDeposit] = 99;
  v1::ProveBalancesResponse differs;
  request.set_chain(kChain);
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &differs).ok());
  EXPECT_FALSE(differs.proven());
  request.set_chain("eip155:5");
  EXPECT_EQ(Ask(*books_, &Books::ProveBalances, request, &differs).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(LedgerApiTest, LooksAtDepositsOfWhichTheEvidenceKnowsNothing) {
  PostArrival("trf_1", 100);
  balances_.balances[kDeposit] = 100;
  database_.Exec(
      "INSERT INTO deposit (payment_id, merchant_id, address, revision, state, terms)"
      " VALUES ('pay_overlooked', 'mer_1', '0xde', 1, 'CREATED', '')");
  v1::ProveBalancesRequest request;
  v1::ProveBalancesResponse proof;
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &proof).ok());
  EXPECT_TRUE(proof.proven());
  balances_.balances["0xde"] = 7;
  v1::ProveBalancesResponse differs;
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &differs).ok());
  EXPECT_FALSE(differs.proven());
  ASSERT_EQ(differs.proofs_size(), 1);
  EXPECT_EQ(differs.proofs(0).on_chain().value(), "107");
}

TEST_F(LedgerApiTest, ShowsATokenThatOnlyTheChainKnows) {
  database_.Exec(
      "INSERT INTO deposit (payment_id, merchant_id, address, revision, state, terms)"
      " VALUES ('pay_overlooked', 'mer_1', '0xde', 1, 'CREATED', '');"
      "INSERT INTO chain_progress (chain, finalized_number, finalized_hash) VALUES ('" +
      kChain + "', 8, '0xb8')");
  v1::ProveBalancesRequest request;
  v1::ProveBalancesResponse proof;
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &proof).ok());
  EXPECT_TRUE(proof.proven());
  EXPECT_EQ(proof.proofs_size(), 0);
  balances_.balances["0xde"] = 7;
  v1::ProveBalancesResponse differs;
  ASSERT_TRUE(Ask(*books_, &Books::ProveBalances, request, &differs).ok());
  EXPECT_FALSE(differs.proven());
  ASSERT_EQ(differs.proofs_size(), 1);
  EXPECT_EQ(differs.proofs(0).book().value(), "0");
}

TEST_F(LedgerApiTest, ShowsADifferenceBetweenBooksAndChainUntilItIsGone) {
  runtime::Metrics metrics;
  runtime::Logger log;
  Reconciler reconciler(*prover_, chains_, metrics, log);
  const auto difference = [&] {
    runtime::RunBlocking(reconciler.Once());
    const std::string page = metrics.Render();
    const std::string series =
        "settlement_reconciliation_difference_minor_units{account=\"deposits\",chain=\"" +
        std::string(kChain) + "\",symbol=\"tUSD\"} ";
    const std::size_t at = page.find(series);
    return at == std::string::npos ? -1 : std::stoi(page.substr(at + series.size()));
  };
  PostArrival("trf_1", 100);
  balances_.balances[kDeposit] = 97;
  EXPECT_EQ(difference(), 3);
  balances_.balances[kDeposit] = 104;
  EXPECT_EQ(difference(), 4);
  balances_.balances[kDeposit] = 100;
  EXPECT_EQ(difference(), 0);
}

TEST_F(LedgerApiTest, PausesAndResumesOnceForARequest) {
  v1::PausePayoutsRequest pause;
  pause.set_request_id("r1");
  pause.mutable_scope()->set_merchant_id("mer_1");
  pause.set_reason("looks odd");
  v1::PausePayoutsResponse paused;
  ASSERT_TRUE(Ask(*switch_, &Switch::PausePayouts, pause, &paused).ok());
  EXPECT_EQ(paused.pause().creator(), "olivia");
  v1::PausePayoutsResponse again;
  ASSERT_TRUE(Ask(*switch_, &Switch::PausePayouts, pause, &again).ok());
  EXPECT_EQ(paused.SerializeAsString(), again.SerializeAsString());
  pause.set_reason("other");
  EXPECT_EQ(Ask(*switch_, &Switch::PausePayouts, pause, &again).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  v1::ListPausesResponse list;
  ASSERT_TRUE(Ask(*switch_, &Switch::ListPauses, v1::ListPausesRequest(), &list).ok());
  EXPECT_EQ(list.pauses_size(), 1);
  v1::ResumePayoutsRequest resume;
  resume.set_request_id("r2");
  *resume.mutable_scope() = pause.scope();
  resume.set_reason("fine");
  v1::ResumePayoutsResponse resumed;
  ASSERT_TRUE(Ask(*switch_, &Switch::ResumePayouts, resume, &resumed).ok());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM pause"), "0");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM audit"), "2");
  pause.mutable_scope()->set_chain("no chain");
  pause.set_request_id("r3");
  EXPECT_EQ(Ask(*switch_, &Switch::PausePayouts, pause, &again).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(LedgerApiTest, LetsOnlyOperatorsPause) {
  principal_ = {"spiffe://paymesh.local/service/routing", rpc::Role::kService, "routing"};
  v1::PausePayoutsRequest pause;
  v1::PausePayoutsResponse paused;
  EXPECT_EQ(Ask(*switch_, &Switch::PausePayouts, pause, &paused).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(LedgerApiTest, StreamsItsEventsAndListsThem) {
  PostArrival("trf_1", 100);
  v1::ListEventsRequest request;
  request.set_payment_id("pay_1");
  v1::ListEventsResponse list;
  ASSERT_TRUE(Ask(*journal_, &Events::ListEvents, request, &list).ok());
  ASSERT_EQ(list.events_size(), 1);
  EXPECT_EQ(list.events(0).type(), "payment.posted");
  EXPECT_EQ(list.events(0).event_id(), "evt_1");

  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  auto stream = journal_->StreamEvents(&context, v1::StreamEventsRequest());
  v1::StreamEventsResponse run;
  ASSERT_TRUE(stream->Read(&run));
  EXPECT_EQ(run.events(0).payment_money().amount().value(), "100");
  PostArrival("trf_2", 5);
  ASSERT_TRUE(stream->Read(&run));
  EXPECT_EQ(run.events(0).position(), 2);
  context.TryCancel();
}

}  // namespace
}  // namespace paymesh::settlement
