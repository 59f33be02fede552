// routing: decides in which tokens on which chains a payment may be made. See README.md.
#include "common/host/host.h"
#include "common/outbox/follower/follower.h"
#include "common/outbox/metrics.h"
#include "common/pg/migrations/migrations.h"
#include "common/pg/migrations/schema_check.h"
#include "migrations/routing.h"
#include "services/routing/api/routing_service.h"
#include "services/routing/config.h"
#include "services/routing/decider.h"
#include "services/routing/workers/market_worker.h"
#include "services/routing/workers/outcome_follower.h"

namespace paymesh::routing {
namespace {

class Parts final : public runtime::ServiceParts {
 public:
  Parts(runtime::Host& host, const Config& config, std::shared_ptr<grpc::Channel> watcher,
        std::shared_ptr<grpc::Channel> checkout)
      : database_(
            {.conninfo = host.config().database_conninfo,
             .application_name = "routing",
             .pool_size = host.config().database_pool_size,
             .log = [&log = host.log()](std::string_view text) { log.Warn(std::string(text)); },
             .tracer = &host.tracer(),
             .metrics = &host.metrics()}),
        schema_(database_, RoutingMigrations(), host.metrics()),
        decider_(database_, market_, config, host.clock(), host.ids(), host.executor(),
                 host.metrics()),
        service_(host.calls(), decider_),
        market_worker_(std::move(watcher), config, market_, host.clock(), host.log(),
                       host.metrics()),
        follower_(MakeOutcomeFollower(database_, std::move(checkout), host.log())),
        log_(host.log()) {
    outbox::ExportFollower(host.metrics(), host.clock(), kOutcomeFollower, *follower_);
    unexplained_ = &host.metrics().Gauge("invariant_violations", "Rows that break an invariant.",
                                         {{"id", "routing_unexplained_decision"}});
  }

  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<pb::RoutingService>(service_)};
  }
  std::vector<runtime::Worker> Workers() override {
    return {{"market", [this] { return market_worker_.Run(); }},
            {"checkout.events", [this] { return follower_->Run(); }},
            {"invariants", [this] { return CheckInvariants(); }}};
  }
  Task<Status> CheckReady() override { return schema_.Run(); }
  void Stop() override {
    decider_.Close();
    database_.Close();
  }

 private:
  Task<void> CheckInvariants() {
    for (;;) {
      auto work = [](pg::Transaction& tx) -> Result<std::int64_t> { return CountUnexplained(tx); };
      pg::TransactOptions options{.name = "invariants", .access = pg::Access::kReadOnly};
      Result<std::int64_t> count = co_await database_.Transact(options, work);
      if (count.ok()) unexplained_->Set(static_cast<double>(*count));
      co_await runtime::SleepFor(std::chrono::minutes(1));
    }
  }

  pg::Database database_;
  pg::SchemaCheck schema_;
  Market market_;
  Decider decider_;
  RoutingService service_;
  MarketWorker market_worker_;
  std::unique_ptr<outbox::Follower> follower_;
  runtime::Logger& log_;
  prometheus::Gauge* unexplained_ = nullptr;
};

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config) {
  ASSIGN_OR_RETURN(auto watcher, host.Peer("watcher"));
  ASSIGN_OR_RETURN(auto checkout, host.Peer("checkout"));
  return std::unique_ptr<runtime::ServiceParts>(
      std::make_unique<Parts>(host, config, std::move(watcher), std::move(checkout)));
}

}  // namespace
}  // namespace paymesh::routing

int main(int argc, char** argv) {
  using namespace paymesh;
  routing::Config config;
  runtime::ServiceSpec spec;
  spec.name = "routing";
  spec.methods = routing::Methods();
  spec.calls = routing::Calls();
  spec.read_config = [&](const runtime::ConfigNode& root) { config = routing::ReadConfig(root); };
  spec.build = [&](runtime::Host& host) { return routing::Build(host, config); };
  spec.migrate = [](runtime::Host& host) -> Status {
    auto report = pg::Migrate(host.config().database_conninfo, RoutingMigrations());
    if (!report.ok()) return report.error();
    return {};
  };
  return runtime::RunService(argc, argv, std::move(spec));
}
