#include "services/routing/service.h"

#include <grpcpp/channel.h>

#include <string>
#include <utility>

#include "common/host/host.h"
#include "common/outbox/follower/follower.h"
#include "common/outbox/metrics.h"
#include "common/pg/database.h"
#include "common/pg/migrations/migrations.h"
#include "common/pg/migrations/schema_check.h"
#include "migrations/routing.h"
#include "services/routing/api/routing_service.h"
#include "services/routing/clients/checkout_client.h"
#include "services/routing/clients/watcher_client.h"
#include "services/routing/store/invariants.h"
#include "services/routing/usecases/decide.h"
#include "services/routing/usecases/record_outcomes.h"
#include "services/routing/workers/market_worker.h"

namespace paymesh::routing {
namespace {

constexpr std::chrono::minutes kInvariantsInterval{1};

constexpr const char* kOutcomeFollower = "routing<-checkout.events";

pg::DatabaseOptions DatabaseOptionsOf(runtime::Host& host) {
  return {.conninfo = host.config().database_conninfo,
          .application_name = "routing",
          .pool_size = host.config().database_pool_size,
          .log = [&log = host.log()](std::string_view text) { log.Warn(std::string(text)); },
          .tracer = &host.tracer(),
          .metrics = &host.metrics()};
}

outbox::FollowerOptions FollowerOptionsOf(runtime::Host& host) {
  outbox::FollowerOptions options;
  options.name = kOutcomeFollower;
  options.log = [&log = host.log()](std::string_view text) { log.Warn(std::string(text)); };
  return options;
}

struct Channels {
  std::shared_ptr<grpc::Channel> watcher, checkout;
};

class RoutingParts final : public runtime::ServiceParts {
 public:
  RoutingParts(runtime::Host& host, const Config& config, const Channels& channels)
      : config_(config),
        database_(DatabaseOptionsOf(host)),
        schema_(database_, RoutingMigrations(), host.metrics()),
        decider_(database_, market_, config_, host.clock(), host.ids(), host.executor(),
                 host.metrics()),
        service_(host.calls(), decider_),
        watcher_(MakeWatcherClient(channels.watcher, host.clock())),
        market_worker_(*watcher_, config_, market_, host.clock(), host.log(), host.metrics()),
        outcomes_(database_, FollowerOptionsOf(host), MakePaymentSource(channels.checkout),
                  &RecordOutcomes),
        invariants_(database_, host.log(), host.metrics(), host.clock(), Invariants(),
                    kInvariantsInterval) {
    outbox::ExportFollower(host.metrics(), host.clock(), kOutcomeFollower, outcomes_);
  }

  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<pb::RoutingService>(service_)};
  }
  std::vector<runtime::Worker> Workers() override {
    return {{"market", [this] { return market_worker_.Run(); }},
            {"checkout.events", [this] { return outcomes_.Run(); }},
            {"invariants", [this] { return invariants_.Run(); }}};
  }
  Task<Status> CheckReady() override { return schema_.Run(); }
  void Stop() override {
    decider_.Close();
    database_.Close();
  }

 private:
  const Config config_;
  pg::Database database_;
  pg::SchemaCheck schema_;
  Market market_;
  Decider decider_;
  RoutingService service_;
  std::unique_ptr<MarketSource> watcher_;
  MarketWorker market_worker_;
  outbox::Follower outcomes_;
  pg::InvariantWorker invariants_;
};

}  // namespace

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config) {
  Channels channels;
  ASSIGN_OR_RETURN(channels.watcher, host.Peer("watcher"));
  ASSIGN_OR_RETURN(channels.checkout, host.Peer("checkout"));
  std::unique_ptr<runtime::ServiceParts> parts =
      std::make_unique<RoutingParts>(host, config, channels);
  return parts;
}

Status MigrateDatabase(runtime::Host& host) {
  const Result<pg::MigrationReport> report =
      pg::Migrate(host.config().database_conninfo, RoutingMigrations());
  return report.ok() ? Status() : Status(report.error());
}

}  // namespace paymesh::routing
