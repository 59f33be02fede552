#include "services/checkout/service.h"

#include <grpcpp/channel.h>

#include <functional>
#include <string>
#include <utility>

#include "common/host/host.h"
#include "common/outbox/follower/follower.h"
#include "common/outbox/hub/hub.h"
#include "common/outbox/metrics.h"
#include "common/pg/database.h"
#include "common/pg/migrations/schema_check.h"
#include "migrations/checkout.h"
#include "services/checkout/api/event_service.h"
#include "services/checkout/api/merchant_service.h"
#include "services/checkout/api/payment_service.h"
#include "services/checkout/clients/routing_client.h"
#include "services/checkout/clients/settlement_client.h"
#include "services/checkout/clients/watcher_client.h"
#include "services/checkout/store/invariants.h"
#include "services/checkout/usecases/apply_settlement.h"
#include "services/checkout/usecases/apply_transfers.h"
#include "services/checkout/usecases/expire_payments.h"
#include "services/checkout/workers/timers.h"

namespace paymesh::checkout {
namespace {

constexpr const char* kTransferFollower = "checkout<-watcher.transfers";
constexpr const char* kMoneyFollower = "checkout<-settlement.events";

pg::DatabaseOptions DatabaseOptionsOf(runtime::Host& host) {
  pg::DatabaseOptions options;
  options.conninfo = host.config().database_conninfo;
  options.application_name = "checkout";
  options.pool_size = host.config().database_pool_size;
  options.log = [&log = host.log()](std::string_view message) { log.Warn(message); };
  options.tracer = &host.tracer();
  options.metrics = &host.metrics();
  return options;
}

struct Channels {
  std::shared_ptr<grpc::Channel> routing, watcher, settlement;
};

class CheckoutParts final : public runtime::ServiceParts {
 public:
  CheckoutParts(runtime::Host& host, const Config& config, DepositFactory factory,
                const Channels& channels)
      : host_(host),
        config_(config),
        metrics_(host.metrics(), host.chains()),
        database_(DatabaseOptionsOf(host)),
        schema_(database_, CheckoutMigrations(), host.metrics()),
        hub_(database_, HubOptionsOf(host)),
        clock_(host.clock()),
        merchants_(database_, host.clock(), config_.api_key_cache),
        router_(MakeRoutingClient(channels.routing, host.chains(), config_.peer_timeout,
                                  host.tracer())),
        registry_(MakeWatcherClient(channels.watcher, config_.peer_timeout, host.tracer())),
        maintenance_(database_, *registry_, metrics_, config_),
        timers_({.database = database_,
                 .clock = clock_,
                 .maintenance = maintenance_,
                 .config = config_,
                 .log = host.log()}),
        invariants_(database_, host.log(), host.metrics(), host.clock(), Invariants(),
                    config_.audit_interval),
        creator_({.executor = runtime::MakeStrand(host.executor()),
                  .database = database_,
                  .router = *router_,
                  .registry = *registry_,
                  .clock = clock_,
                  .ids = host.ids(),
                  .chains = host.chains(),
                  .factory = factory,
                  .metrics = metrics_,
                  .log = host.log(),
                  .max_batch = config_.max_batch,
                  .batches_in_flight = config_.batches_in_flight}),
        payments_({.calls = host.calls(),
                   .database = database_,
                   .hub = hub_,
                   .creator = creator_,
                   .merchants = merchants_,
                   .chains = host.chains(),
                   .page_tokens = host.page_tokens(),
                   .metrics = metrics_,
                   .config = config_}),
        merchant_api_({.calls = host.calls(),
                       .database = database_,
                       .merchants = merchants_,
                       .ids = host.ids(),
                       .random = host.random(),
                       .chains = host.chains(),
                       .page_tokens = host.page_tokens(),
                       .metrics = metrics_}),
        events_({.calls = host.calls(), .hub = hub_, .page_tokens = host.page_tokens()}),
        transfers_(database_, FollowerOptionsOf(kTransferFollower),
                   MakeTransferSource(channels.watcher), Apply(&ApplyTransfers)),
        money_(database_, FollowerOptionsOf(kMoneyFollower), MakeMoneySource(channels.settlement),
               Apply(&ApplySettlement)) {
    outbox::ExportHeads(host.metrics(), hub_);
    outbox::ExportFollower(host.metrics(), host.clock(), kTransferFollower, transfers_);
    outbox::ExportFollower(host.metrics(), host.clock(), kMoneyFollower, money_);
  }

  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<v1::PaymentService>(payments_),
            rpc::Serve<v1::MerchantService>(merchant_api_), rpc::Serve<v1::EventService>(events_)};
  }

  std::vector<runtime::Worker> Workers() override {
    std::vector<runtime::Worker> workers = timers_.Workers();
    workers.push_back({"transfers", [this] { return transfers_.Run(); }});
    workers.push_back({"money", [this] { return money_.Run(); }});
    workers.push_back({"invariants", [this] { return invariants_.Run(); }});
    return workers;
  }

  Task<Status> CheckReady() override { return schema_.Run(); }

  rpc::ApiKeyAuthenticator* Authenticator() override { return &merchants_; }

  void Stop() override {
    creator_.Close();
    hub_.Close();
    database_.Close();
  }

 private:
  static outbox::HubOptions HubOptionsOf(runtime::Host& host) {
    outbox::HubOptions options;
    options.log = [&log = host.log()](std::string_view message) { log.Warn(message); };
    return options;
  }

  outbox::FollowerOptions FollowerOptionsOf(const char* name) {
    outbox::FollowerOptions options;
    options.name = name;
    options.log = [this, name](std::string_view message) {
      host_.log().Warn(message, {{"follower", name}});
    };
    return options;
  }

  // Metrics are told before the commit: a transaction that is run again counts twice, which is rare
  // and harms nothing but a rate.
  using ApplyFn = Status (*)(pg::Transaction&, const Rules&, const std::vector<outbox::Entry>&,
                             const OnChanges&);
  outbox::ApplyEntries Apply(ApplyFn apply) {
    OnChanges told = [this](const std::vector<Change>& changes) { metrics_.Changed(changes); };
    return [this, apply, told](pg::Transaction& tx, const std::vector<outbox::Entry>& entries) {
      return apply(tx, config_.rules, entries, told);
    };
  }

  runtime::Host& host_;
  const Config config_;
  CheckoutMetrics metrics_;
  pg::Database database_;
  pg::SchemaCheck schema_;
  outbox::Hub hub_;
  DatabaseClock clock_;
  MerchantDirectory merchants_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<AddressRegistry> registry_;
  PaymentMaintenance maintenance_;
  Timers timers_;
  pg::InvariantWorker invariants_;
  PaymentCreator creator_;
  PaymentServiceApi payments_;
  MerchantServiceApi merchant_api_;
  EventServiceApi events_;
  outbox::Follower transfers_;
  outbox::Follower money_;
};

}  // namespace

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config) {
  ASSIGN_OR_RETURN(const DepositFactory factory, DepositFactory::FromChains(host.chains()));
  Channels channels;
  ASSIGN_OR_RETURN(channels.routing, host.Peer("routing"));
  ASSIGN_OR_RETURN(channels.watcher, host.Peer("watcher"));
  ASSIGN_OR_RETURN(channels.settlement, host.Peer("settlement"));
  std::unique_ptr<runtime::ServiceParts> parts =
      std::make_unique<CheckoutParts>(host, config, factory, channels);
  return parts;
}

Status MigrateDatabase(runtime::Host& host) {
  ASSIGN_OR_RETURN(const pg::MigrationReport report,
                   pg::Migrate(host.config().database_conninfo, CheckoutMigrations()));
  host.log().Info("the schema is up to date",
                  {{"version", report.version}, {"applied", report.applied.size()}});
  return {};
}

}  // namespace paymesh::checkout
