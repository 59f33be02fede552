#include "services/watcher/service.h"

#include <unistd.h>

#include <vector>

#include "common/http/client.h"
#include "common/outbox/hub/hub.h"
#include "common/outbox/metrics.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/pg/migrations/schema_check.h"
#include "migrations/watcher.h"
#include "services/watcher/api/chain_service.h"
#include "services/watcher/api/transaction_service.h"
#include "services/watcher/api/transfer_service.h"
#include "services/watcher/reasons.h"
#include "services/watcher/store/invariants.h"
#include "services/watcher/usecases/resume_chain.h"
#include "services/watcher/workers/chain_follower.h"

namespace paymesh::watcher {
namespace {

pg::DatabaseOptions DatabaseOptionsOf(const runtime::CommonConfig& config) {
  pg::DatabaseOptions options;
  options.conninfo = config.database_conninfo;
  options.application_name = "watcher";
  options.pool_size = config.database_pool_size;
  return options;
}

pg::DatabaseOptions DatabaseOptionsOf(runtime::Host& host) {
  pg::DatabaseOptions options = DatabaseOptionsOf(host.config());
  options.tracer = &host.tracer();
  options.metrics = &host.metrics();
  return options;
}

// One chain's way to its nodes, its lease and its follower.
struct FollowedChain {
  FollowedChain(pg::Database& database, http::Client& http, runtime::Host& host,
                const Config& config, const runtime::ChainConfig& chain, const std::string& holder)
      : node(http, host.metrics(),
             {chain.chain.ToString(), chain.endpoints, config.node_timeout, config.max_batch}),
        lease(database, LeaseOptionsOf(config, chain, holder, host.log())),
        follower(database, node, lease, host.log(), host.metrics(), host.clock(),
                 FollowerOptionsOf(config, chain)) {}

  static pg::LeaseOptions LeaseOptionsOf(const Config& config, const runtime::ChainConfig& chain,
                                         const std::string& holder, runtime::Logger& log) {
    pg::LeaseOptions options;
    options.name = LeaseName(chain.chain.ToString());
    options.holder = holder;
    options.ttl = config.lease_ttl;
    options.log = [&log](std::string_view text) { log.Info(text); };
    return options;
  }
  static FollowerOptions FollowerOptionsOf(const Config& config,
                                           const runtime::ChainConfig& chain) {
    FollowerOptions options{.chain = chain};
    options.match = config.match;
    options.poll_interval = config.poll_interval;
    options.unreachable_after = config.unreachable_after;
    options.max_step_blocks = config.max_step_blocks;
    options.missing_tag_factor = config.missing_tag_factor;
    options.retained_blocks = config.retained_blocks;
    options.lookback_blocks = config.lookback_blocks;
    return options;
  }

  NodeClient node;
  pg::LeaseKeeper lease;
  ChainFollower follower;
};

class Parts final : public runtime::ServiceParts {
 public:
  Parts(runtime::Host& host, const Config& config)
      : database_(DatabaseOptionsOf(host)),
        schema_(database_, WatcherMigrations(), host.metrics()),
        hub_(database_),
        invariants_(database_, host.log(), host.metrics(), host.clock(), Invariants(),
                    config.invariants_interval) {
    const std::string holder = host.ids().Next("wat") + "@" + std::to_string(::getpid());
    for (const runtime::ChainConfig& chain : host.chains().chains) {
      followed_.push_back(
          std::make_unique<FollowedChain>(database_, http_, host, config, chain, holder));
      chains_.Add(chain.chain.ToString(), {chain, &followed_.back()->node});
      pg::ExportLease(host.metrics(), LeaseName(chain.chain.ToString()), followed_.back()->lease);
    }
    outbox::ExportHeads(host.metrics(), hub_);
    transfers_ = std::make_unique<TransferServiceImpl>(host.calls(), database_, hub_,
                                                       host.page_tokens(), host.executor());
    chain_service_ =
        std::make_unique<ChainServiceImpl>(host.calls(), database_, chains_, host.clock());
    transactions_ =
        std::make_unique<TransactionServiceImpl>(host.calls(), database_, hub_, chains_);
  }

  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<pb::TransferService>(*transfers_),
            rpc::Serve<pb::ChainService>(*chain_service_),
            rpc::Serve<pb::TransactionService>(*transactions_)};
  }

  std::vector<runtime::Worker> Workers() override {
    std::vector<runtime::Worker> workers;
    for (const auto& followed : followed_) {
      FollowedChain* chain = followed.get();
      workers.push_back({"lease", [chain] { return chain->lease.Run(); }});
      workers.push_back({"follower", [chain] { return chain->follower.Run(); }});
    }
    workers.push_back({"invariants", [this] { return invariants_.Run(); }});
    return workers;
  }

  Task<Status> CheckReady() override { return schema_.Run(); }

  void Stop() override {
    transfers_->Close();
    hub_.Close();
    for (const auto& followed : followed_) followed->lease.Release();
    database_.Close();
  }

 private:
  pg::Database database_;
  pg::SchemaCheck schema_;
  outbox::Hub hub_;
  http::Client http_{NodeHttpOptions()};
  pg::InvariantWorker invariants_;
  std::vector<std::unique_ptr<FollowedChain>> followed_;
  Chains chains_;
  std::unique_ptr<TransferServiceImpl> transfers_;
  std::unique_ptr<ChainServiceImpl> chain_service_;
  std::unique_ptr<TransactionServiceImpl> transactions_;
};

}  // namespace

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config) {
  if (host.chains().chains.empty()) {
    return Error::FailedPrecondition(std::string(reasons::kNoChains),
                                     "chains_file names no chain to follow");
  }
  for (const runtime::ChainConfig& chain : host.chains().chains) {
    if (chain.endpoints.empty()) {
      return Error::FailedPrecondition(std::string(reasons::kNoEndpoint),
                                       "chain " + chain.chain.ToString() + " has no endpoint");
    }
  }
  return std::unique_ptr<runtime::ServiceParts>(std::make_unique<Parts>(host, config));
}

Status MigrateSchema(runtime::Host& host) {
  const auto report = pg::Migrate(host.config().database_conninfo, WatcherMigrations());
  return report.ok() ? Status() : Status(report.error());
}

Status ResumeHaltedChain(const runtime::CommonConfig& config, const std::string& chain,
                         const std::string& actor) {
  pg::Database database(DatabaseOptionsOf(config));
  auto resume = [&](pg::Transaction& tx) { return ResumeChain(tx, chain, actor); };
  return database.TransactBlocking({.name = "resume_chain"}, resume);
}

}  // namespace paymesh::watcher
