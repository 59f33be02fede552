#include "services/checkout/testing/mesh.h"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

#include "common/error/status.h"
#include "common/host/host.h"
#include "common/host/worker_group.h"
#include "common/pg/testing/test_database.h"
#include "common/rpc/server/authorization.h"
#include "common/rpc/server/call_runner.h"
#include "migrations/checkout.h"
#include "services/checkout/api/methods.h"
#include "services/checkout/convert.h"
#include "services/checkout/service.h"

namespace paymesh::checkout::testing {
namespace {

constexpr const char* kChains = R"yaml(
chains:
  - chain: eip155:31337
    name: a
    block_time: 1s
    finality: {safe_min_depth: 1, finalized_min_depth: 2}
    endpoints: [http://127.0.0.1:1]
    contracts:
      vault: "0x00000000000000000000000000000000000000aa"
      factory: "0x00000000000000000000000000000000000000bb"
      factory_init_code_hash: "0x1111111111111111111111111111111111111111111111111111111111111111"
    start_block: 0
    native: {symbol: ETH, decimals: 18}
    tokens:
      - {asset: "eip155:31337/erc20:0x1111111111111111111111111111111111111111", symbol: tUSD,
        decimals: 6, currency: USD, accepted: true}
      - {asset: "eip155:31337/erc20:0x9999999999999999999999999999999999999999", symbol: tOLD,
        decimals: 6, currency: USD, accepted: false}
  - chain: eip155:31338
    name: b
    block_time: 1s
    finality: {safe_min_depth: 1, finalized_min_depth: 2}
    endpoints: [http://127.0.0.1:1]
    contracts:
      vault: "0x00000000000000000000000000000000000000aa"
      factory: "0x00000000000000000000000000000000000000bb"
      factory_init_code_hash: "0x1111111111111111111111111111111111111111111111111111111111111111"
    start_block: 0
    native: {symbol: ETH, decimals: 18}
    tokens:
      - {asset: "eip155:31338/erc20:0x1111111111111111111111111111111111111111", symbol: tUSD,
        decimals: 6, currency: USD, accepted: true}
)yaml";

// Who calls, from the header that Mesh::As writes.
Result<rpc::Principal> Identify(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("test-caller");
  const std::string who =
      found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
  rpc::Principal principal;
  principal.spiffe_id = "spiffe://test/" + who;
  if (who.starts_with("service:")) {
    principal.role = rpc::Role::kService;
    principal.name = who.substr(8);
    return principal;
  }
  const std::optional<rpc::Role> role = rpc::ParseRole(who);
  if (!role) return Error::PermissionDenied("IDENTITY_UNKNOWN", "who are you?");
  principal.role = *role;
  principal.name = who;
  return principal;
}

class TestHost final : public runtime::Host {
 public:
  explicit TestHost(runtime::CommonConfig config)
      : config_(std::move(config)),
        chains_(runtime::ParseChains(kChains, "chains.yaml").value()),
        guard_(context_.get_executor()),
        ids_(clock_, random_),
        log_({.service = "checkout", .level = runtime::LogLevel::kError}),
        calls_({.executor = context_.get_executor(),
                .domain = "checkout.paymesh.dev",
                .identities =
                    std::make_shared<const rpc::Identities>(rpc::Identities::Make({}).value()),
                .authorizer = nullptr,
                .authenticator = [this] { return authenticator; },
                .log = &log_,
                .metrics = &metrics_,
                .identify = Identify}) {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  ~TestHost() override { Join(); }
  void Join() {
    guard_.reset();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const runtime::CommonConfig& config() const override { return config_; }
  const runtime::ChainsConfig& chains() const override { return chains_; }
  runtime::Executor executor() override { return context_.get_executor(); }
  const runtime::Clock& clock() const override { return clock_; }
  runtime::RandomSource& random() override { return random_; }
  runtime::IdSource& ids() override { return ids_; }
  runtime::Logger& log() override { return log_; }
  runtime::Metrics& metrics() override { return metrics_; }
  trace::Tracer& tracer() override { return tracer_; }
  rpc::CallRunner& calls() override { return calls_; }
  const rpc::PageTokens& page_tokens() const override { return page_tokens_; }
  Result<std::shared_ptr<grpc::Channel>> Peer(const std::string& name) override {
    return grpc::CreateChannel(config_.peers.at(name).target, grpc::InsecureChannelCredentials());
  }

  rpc::ApiKeyAuthenticator* authenticator = nullptr;

 private:
  const runtime::CommonConfig config_;
  const runtime::ChainsConfig chains_;
  boost::asio::io_context context_{2};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  runtime::SystemClock clock_;
  runtime::SystemRandom random_;
  runtime::IdSource ids_;
  runtime::Logger log_;
  runtime::Metrics metrics_;
  trace::Tracer tracer_{clock_, random_};
  rpc::PageTokens page_tokens_{"a key for the tests of checkout"};
  rpc::CallRunner calls_;
  std::vector<std::thread> threads_;
};

std::unique_ptr<grpc::Server> Serve(const std::vector<grpc::Service*>& services, int* port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  return builder.BuildAndStart();
}

std::string NextRequestId() {
  static std::atomic<int> next{0};
  return "request-" + std::to_string(++next);
}

}  // namespace

struct Mesh::Impl {
  FakeRouting routing;
  FakeWatcher watcher;
  FakeSettlement settlement;
  pg::TestDatabase database{CheckoutMigrations()};
  std::unique_ptr<grpc::Server> peers;
  std::unique_ptr<TestHost> host;
  std::unique_ptr<runtime::ServiceParts> parts;
  std::unique_ptr<runtime::WorkerGroup> workers;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<pb::PaymentService::Stub> payments;
  std::unique_ptr<pb::MerchantService::Stub> merchants;
  std::unique_ptr<pb::EventService::Stub> events;
  std::int64_t transfer_revision = 0;
};

Mesh::Mesh() : impl_(std::make_unique<Impl>()) {
  int peer_port = 0;
  impl_->peers = Serve({&impl_->routing, &impl_->watcher, &impl_->settlement}, &peer_port);
  runtime::CommonConfig common;
  common.database_conninfo = impl_->database.conninfo();
  common.database_pool_size = 4;
  const std::string target = "127.0.0.1:" + std::to_string(peer_port);
  for (const char* peer : {"routing", "watcher", "settlement"}) {
    common.peers[peer] = {.target = target, .spiffe_id = ""};
  }
  impl_->host = std::make_unique<TestHost>(std::move(common));
  Config config;
  config.expiry_interval = std::chrono::milliseconds(50);
  config.registration_interval = std::chrono::milliseconds(50);
  config.api_key_cache = std::chrono::milliseconds(200);
  impl_->parts = Build(*impl_->host, config).value();
  impl_->host->authenticator = impl_->parts->Authenticator();
  std::vector<std::string> names;
  std::vector<grpc::Service*> services;
  for (const rpc::ServedService& served : impl_->parts->Services()) {
    names.push_back(served.name);
    services.push_back(served.service);
  }
  auto authorizer = rpc::Authorizer::Make(Methods(), names);
  EXPECT_TRUE(authorizer.ok()) << (authorizer.ok() ? "" : authorizer.error().ToString());
  impl_->host->calls().SetAuthorizer(
      std::make_shared<const rpc::Authorizer>(*std::move(authorizer)));
  impl_->workers = std::make_unique<runtime::WorkerGroup>(
      impl_->host->executor(), [](const std::string& name, const std::string& why) {
        ADD_FAILURE() << name << " died: " << why;
      });
  for (runtime::Worker& worker : impl_->parts->Workers()) {
    impl_->workers->Start(std::move(worker.name), std::move(worker.run));
  }
  int port = 0;
  impl_->server = Serve(services, &port);
  const auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  impl_->payments = pb::PaymentService::NewStub(channel);
  impl_->merchants = pb::MerchantService::NewStub(channel);
  impl_->events = pb::EventService::NewStub(channel);
}

Mesh::~Mesh() {
  impl_->host->calls().CancelStreams();
  impl_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  impl_->workers->Stop(std::chrono::seconds(5));
  impl_->parts->Stop();
  impl_->watcher.journal.Close();
  impl_->settlement.journal.Close();
  impl_->host->Join();
  impl_->server.reset();
  impl_->workers.reset();
  impl_->parts.reset();
  impl_->peers->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
}

FakeRouting& Mesh::routing() { return impl_->routing; }
FakeWatcher& Mesh::watcher() { return impl_->watcher; }
FakeSettlement& Mesh::settlement() { return impl_->settlement; }
pg::TestDatabase& Mesh::database() { return impl_->database; }
pb::PaymentService::Stub& Mesh::payments() { return *impl_->payments; }
pb::MerchantService::Stub& Mesh::merchants() { return *impl_->merchants; }
pb::EventService::Stub& Mesh::events() { return *impl_->events; }

void Mesh::As(grpc::ClientContext& context, const std::string& who, const std::string& key) {
  context.AddMetadata("test-caller", who);
  if (!key.empty()) context.AddMetadata("authorization", "Bearer " + key);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
}

std::string Mesh::MakeMerchant() {
  grpc::ClientContext context;
  As(context, "operator");
  pb::CreateMerchantRequest request;
  request.set_request_id(NextRequestId());
  request.set_display_name("A shop");
  request.add_accepted_units(kUsdA);
  request.add_accepted_units(kUsdB);
  request.mutable_fee_plan()->set_basis_points(100);
  pb::CreateMerchantResponse response;
  const grpc::Status status = impl_->merchants->CreateMerchant(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.merchant().merchant_id();
}

std::string Mesh::MakeKey(const std::string& merchant_id) {
  grpc::ClientContext context;
  As(context, "operator");
  pb::CreateApiKeyRequest request;
  request.set_request_id(NextRequestId());
  request.set_merchant_id(merchant_id);
  pb::CreateApiKeyResponse response;
  const grpc::Status status = impl_->merchants->CreateApiKey(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.secret();
}

pb::CreatePaymentRequest Mesh::NewPayment(const std::string& merchant_id,
                                          const std::string& cents) {
  pb::CreatePaymentRequest request;
  request.set_request_id(NextRequestId());
  request.set_merchant_id(merchant_id);
  request.mutable_price()->set_unit("iso4217/USD");
  request.mutable_price()->set_value(cents);
  return request;
}

pb::Payment Mesh::CreatePayment(const std::string& merchant_id, const std::string& cents) {
  // The first call may come before the first look at the database's clock.
  for (int attempt = 0; attempt < 100; ++attempt) {
    grpc::ClientContext context;
    As(context, "operator");
    pb::CreatePaymentResponse response;
    const grpc::Status status =
        impl_->payments->CreatePayment(&context, NewPayment(merchant_id, cents), &response);
    if (status.ok()) return response.payment();
    if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
      ADD_FAILURE() << status.error_message();
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ADD_FAILURE() << "CreatePayment stays UNAVAILABLE";
  return {};
}

pb::Payment Mesh::Get(const std::string& payment_id) {
  grpc::ClientContext context;
  As(context, "operator");
  pb::GetPaymentRequest request;
  request.set_payment_id(payment_id);
  pb::GetPaymentResponse response;
  const grpc::Status status = impl_->payments->GetPayment(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.payment();
}

pb::Payment Mesh::Await(const std::string& payment_id,
                        std::function<bool(const pb::Payment&)> holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    pb::Payment payment = Get(payment_id);
    if (holds(payment)) return payment;
    if (std::chrono::steady_clock::now() > end) {
      ADD_FAILURE() << "never came: " << payment.DebugString();
      return payment;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void Mesh::Transfer(const pb::Payment& payment, const std::string& id, const std::string& value,
                    watcher::v1::TransferState state, const std::string& unit) {
  watcher::v1::TransferEvent event;
  auto& transfer = *event.mutable_transfer();
  transfer.set_transfer_id("trf_" + id);
  transfer.set_chain(unit.substr(7, 12));
  transfer.set_transaction_hash("0x" + std::string(64 - id.size(), '0') + id);
  transfer.mutable_amount()->set_unit(unit);
  transfer.mutable_amount()->set_value(value);
  transfer.set_from_address("0x" + std::string(40, 'e'));
  transfer.set_to_address(payment.deposit_address());
  transfer.mutable_block()->set_number(10);
  transfer.mutable_block()->set_hash("0xb10c");
  *transfer.mutable_block()->mutable_time() = payment.create_time();
  transfer.set_state(state);
  transfer.set_revision(++impl_->transfer_revision);
  impl_->watcher.journal.Append(std::move(event));
}

void Mesh::Checkpoint(std::chrono::seconds from_now) {
  const auto time = std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now() + from_now);
  for (const char* chain : {"eip155:31337", "eip155:31338"}) {
    watcher::v1::TransferEvent event;
    event.mutable_checkpoint()->set_chain(chain);
    event.mutable_checkpoint()->mutable_block()->set_number(20);
    *event.mutable_checkpoint()->mutable_block()->mutable_time() = ToProto(time);
    impl_->watcher.journal.Append(std::move(event));
  }
}

std::string ReasonOf(const grpc::Status& status) {
  return status.ok() ? "" : rpc::FromGrpc(status).reason;
}

std::string FieldOf(const grpc::Status& status) {
  if (status.ok()) return "";
  const Error error = rpc::FromGrpc(status);
  return error.violations.empty() ? "" : error.violations[0].field;
}

}  // namespace paymesh::checkout::testing
