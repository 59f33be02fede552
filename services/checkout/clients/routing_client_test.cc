// Routing's client against a real gRPC server whose limits are those of the mesh's servers, or
// less.
#include "services/checkout/clients/routing_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <mutex>

#include "common/rpc/server/grpc_server.h"
#include "paymesh/routing/v1/routing_service.grpc.pb.h"

namespace paymesh::checkout {
namespace {
namespace routingpb = ::paymesh::routing::v1;

std::string UnitNumber(int number) {
  std::string digits = std::to_string(number);
  return "caip19/eip155:31337/erc20:0x" + std::string(40 - digits.size(), '0') + digits;
}

runtime::ChainsConfig ChainWithTokens(int count) {
  std::string tokens;
  for (int i = 1; i <= count; ++i) {
    if (i != 1) tokens += ", ";
    tokens += "{asset: \"" + UnitNumber(i).substr(7) + "\", symbol: T" + std::to_string(i) +
              ", decimals: 6, currency: USD, accepted: true}";
  }
  auto parsed = runtime::ParseChains(
      "chains:\n  - chain: eip155:31337\n    name: chain\n    block_time: 1s\n"
      "    finality: {safe_min_depth: 1, finalized_min_depth: 2}\n"
      "    endpoints: [http://127.0.0.1:1]\n    contracts: {vault: \"0x" +
          std::string(40, 'a') + "\", factory: \"0x" + std::string(40, 'b') +
          "\", factory_init_code_hash: \"0x" + std::string(64, '1') +
          "\"}\n    start_block: 0\n    native: {symbol: ETH, decimals: 18}\n    tokens: [" +
          tokens + "]\n",
      "chains.yaml");
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().ToString());
  return *std::move(parsed);
}

// Offers each unit; its decision's id says whose it is.
class Routing final : public routingpb::RoutingService::Service {
 public:
  explicit Routing(int max_receive_bytes) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.SetMaxReceiveMessageSize(max_receive_bytes);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }

  grpc::Status Decide(grpc::ServerContext*, const routingpb::DecideRequest* request,
                      routingpb::DecideResponse* response) override {
    std::lock_guard lock(mutex_);
    ++calls_;
    for (const routingpb::DecisionFacts& facts : request->facts()) {
      routingpb::Decision& decision = *response->add_results()->mutable_decision();
      decision.set_decision_id("dec_" + facts.payment_id());
      for (const std::string& unit : facts.accepted_units()) {
        routingpb::DecisionOption& option = *decision.add_options();
        option.mutable_amount()->set_unit(unit);
        option.mutable_amount()->set_value("1250000");
      }
    }
    return grpc::Status::OK;
  }

  std::shared_ptr<grpc::Channel> Channel() const {
    return grpc::CreateChannel("127.0.0.1:" + std::to_string(port_),
                               grpc::InsecureChannelCredentials());
  }
  int calls() {
    std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  int calls_ = 0;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

std::vector<DecisionFacts> Facts(int members, int units) {
  std::vector<DecisionFacts> all;
  for (int member = 0; member < members; ++member) {
    DecisionFacts facts{.payment_id = "pay_" + std::to_string(member),
                        .merchant_id = "mer_01m82swy97t4e7k1r2ybbgjh80",
                        .price = Amount{*Unit::Parse("iso4217/USD"), U256(125)}};
    for (int i = 1; i <= units; ++i) facts.accepted_units.push_back(*Unit::Parse(UnitNumber(i)));
    all.push_back(std::move(facts));
  }
  return all;
}

using Decided = Result<std::vector<Result<Decision>>>;

Task<void> Ask(Router& router, std::vector<DecisionFacts> facts, std::optional<Decided>& decided) {
  decided = co_await router.Decide(std::move(facts));
}

Decided DecideBy(Routing& routing, std::vector<DecisionFacts> facts) {
  static const runtime::ChainsConfig chains = ChainWithTokens(100);
  static runtime::SystemClock clock;
  static runtime::SystemRandom random;
  trace::Tracer tracer(clock, random);
  const auto client =
      MakeRoutingClient(routing.Channel(), chains, std::chrono::seconds(20), tracer);
  boost::asio::io_context context;
  std::optional<Decided> decided;
  boost::asio::co_spawn(context, Ask(*client, std::move(facts), decided), boost::asio::detached);
  context.run();
  return *std::move(decided);
}

void ExpectEachAnswered(const Decided& decided, int members, std::size_t units) {
  ASSERT_TRUE(decided.ok()) << decided.error().ToString();
  ASSERT_EQ(decided->size(), static_cast<std::size_t>(members));
  for (std::size_t i = 0; i < decided->size(); ++i) {
    ASSERT_TRUE((*decided)[i].ok());
    EXPECT_EQ((*decided)[i]->decision_id, "dec_pay_" + std::to_string(i));
    EXPECT_EQ((*decided)[i]->options.size(), units);
  }
}

TEST(RoutingClient, AsksForASmallBatchInOneCall) {
  Routing routing(rpc::ServerOptions().max_receive_bytes);
  ExpectEachAnswered(DecideBy(routing, Facts(256, 2)), 256, 2);
  EXPECT_EQ(routing.calls(), 1);
}

TEST(RoutingClient, SpreadsABatchOverAsManyCallsAsTheServersLimitWants) {
  Routing routing(rpc::ServerOptions().max_receive_bytes);
  ExpectEachAnswered(DecideBy(routing, Facts(256, 100)), 256, 100);
  EXPECT_GT(routing.calls(), 1);
  EXPECT_LE(routing.calls(), 12);
}

TEST(RoutingClient, HalvesWhatAServerWithALowerLimitRefuses) {
  Routing routing(20 * 1024);
  ExpectEachAnswered(DecideBy(routing, Facts(20, 20)), 20, 20);
  EXPECT_GT(routing.calls(), 1);
}

TEST(RoutingClient, SaysThatOneMemberAloneIsTooLarge) {
  Routing routing(1024);
  const Decided decided = DecideBy(routing, Facts(3, 100));
  ASSERT_FALSE(decided.ok());
  EXPECT_EQ(decided.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(routing.calls(), 0);
}

}  // namespace
}  // namespace paymesh::checkout
