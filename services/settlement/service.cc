#include "services/settlement/service.h"

#include <grpcpp/channel.h>

#include <set>
#include <utility>

#include "common/host/host.h"
#include "common/outbox/hub/hub.h"
#include "common/outbox/metrics.h"
#include "common/pg/migrations/migrations.h"
#include "common/pg/migrations/schema_check.h"
#include "common/rpc/client/client.h"
#include "migrations/settlement.h"
#include "paymesh/watcher/v1/transfer_service.grpc.pb.h"
#include "services/settlement/api/event_service.h"
#include "services/settlement/api/ledger_service.h"
#include "services/settlement/api/pause_service.h"
#include "services/settlement/ledger_metrics.h"
#include "services/settlement/money_out.h"
#include "services/settlement/store/invariants.h"
#include "services/settlement/workers/peer_streams.h"
#include "services/settlement/workers/reconciler.h"

namespace paymesh::settlement {
namespace {

namespace watcher_pb = paymesh::watcher::v1;

PostingOptions PostingOptionsOf(const runtime::ChainsConfig& chains) {
  PostingOptions options;
  for (const runtime::ChainConfig& chain : chains.chains) {
    if (!chain.vault.empty()) options.vaults[chain.chain.ToString()] = chain.vault;
    if (!chain.factory.empty()) {
      options.factories.emplace(chain.factory, chain.factory_init_code_hash);
    }
  }
  return options;
}

struct Peers {
  std::shared_ptr<grpc::Channel> watcher;
  std::shared_ptr<grpc::Channel> checkout;
};

class Parts final : public runtime::ServiceParts {
 public:
  Parts(runtime::Host& host, const Config& config, const Peers& peers)
      : config_(config),
        log_(host.log()),
        clock_(host.clock()),
        database_(DatabaseOptionsOf(host)),
        schema_(database_, SettlementMigrations(), host.metrics()),
        hub_(database_, {.log = [this](std::string_view text) { log_.Warn(text); }}),
        metrics_(host.metrics(), host.log()),
        applier_(PostingOptionsOf(host.chains()), metrics_),
        reader_(WatcherBalances(peers.watcher)),
        prover_(database_, *reader_, host.chains()),
        reconciler_(prover_, host.chains(), host.metrics(), host.log()),
        ledger_(host.calls(), database_, prover_, host.page_tokens()),
        pauses_(host.calls(), database_),
        events_(host.calls(), hub_, host.page_tokens()),
        transfers_(database_, FollowerOf(kTransfersCursor), TransfersSource(peers.watcher),
                   Counted(&PostingApplier::ApplyTransfers)),
        payments_(database_, FollowerOf(kPaymentsCursor), PaymentsSource(peers.checkout),
                  Counted(&PostingApplier::ApplyPayments)),
        watched_(watcher_pb::TransferService::NewStub(peers.watcher)) {
    for (const auto& [chain, vault] : PostingOptionsOf(host.chains()).vaults) {
      vaults_.insert(vault);
    }
    outbox::ExportHeads(host.metrics(), hub_);
    outbox::ExportFollower(host.metrics(), host.clock(), kTransfersCursor, transfers_);
    outbox::ExportFollower(host.metrics(), host.clock(), kPaymentsCursor, payments_);
  }

  // Opens the signer, so it may fail.
  Status StartMoneyOut(runtime::Host& host) {
    ASSIGN_OR_RETURN(money_out_, MoneyOut::Make(host, database_, config_.money_out));
    return {};
  }

  std::vector<rpc::ServedService> Services() override {
    return {rpc::Serve<v1::LedgerService>(ledger_), rpc::Serve<v1::PauseService>(pauses_),
            rpc::Serve<v1::EventService>(events_), money_out_->Service()};
  }
  std::vector<runtime::Worker> Workers() override {
    std::vector<runtime::Worker> workers = money_out_->Workers();
    workers.push_back({"watcher.transfers", [this] { return transfers_.Run(); }});
    workers.push_back({"checkout.events", [this] { return payments_.Run(); }});
    workers.push_back({"watch_vaults", [this] { return WatchVaults(); }});
    workers.push_back({"invariants", [this] { return WatchInvariants(); }});
    workers.push_back({"reconciliation",
                       [this] { return reconciler_.Run(config_.money_out.invariants_interval); }});
    return workers;
  }
  Task<Status> CheckReady() override { return schema_.Run(); }
  void Stop() override {
    hub_.Close();
    money_out_->Stop();
    database_.Close();
  }

 private:
  pg::DatabaseOptions DatabaseOptionsOf(runtime::Host& host) {
    pg::DatabaseOptions options;
    options.conninfo = host.config().database_conninfo;
    options.application_name = "settlement";
    options.pool_size = host.config().database_pool_size;
    options.metrics = &host.metrics();
    options.log = [this](std::string_view text) { log_.Warn(text); };
    options.tracer = &host.tracer();
    return options;
  }
  outbox::FollowerOptions FollowerOf(const char* name) {
    outbox::FollowerOptions options;
    options.name = name;
    options.log = [this](std::string_view text) { log_.Warn(text); };
    return options;
  }
  using Apply = Status (PostingApplier::*)(pg::Transaction&,
                                           const std::vector<outbox::Entry>&) const;
  outbox::ApplyEntries Counted(Apply apply) {
    return [this, apply](pg::Transaction& tx, const std::vector<outbox::Entry>& entries) {
      Status status = (applier_.*apply)(tx, entries);
      if (!status.ok()) metrics_.Failed(status.error());
      return status;
    };
  }

  // The watcher keeps what it was told for ever; telling it at each start is enough.
  Task<void> WatchVaults() {
    watcher_pb::WatchAddressesRequest request;
    for (const std::string& vault : vaults_) request.add_addresses(vault);
    using Async = watcher_pb::TransferService::StubInterface::async_interface;
    std::chrono::milliseconds pause{200};
    while (request.addresses_size() > 0) {
      rpc::CallOptions options{.timeout = std::chrono::seconds(5)};
      auto call = rpc::CallUnary(*watched_->async(), &Async::WatchAddresses, request, options);
      const Result<watcher_pb::WatchAddressesResponse> answer = co_await std::move(call);
      if (answer.ok()) break;
      log_.Warn("the vaults are not watched yet", {{"err", answer.error().ToString()}});
      co_await runtime::SleepFor(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds(10'000));
    }
    for (;;) co_await runtime::SleepFor(std::chrono::hours(24));
  }

  Task<void> WatchInvariants() {
    for (;;) {
      const Time start = clock_.Now();
      const pg::TransactOptions options{.name = "invariants",
                                        .isolation = pg::Isolation::kRepeatableRead,
                                        .access = pg::Access::kReadOnly};
      auto work = [](pg::Transaction& tx) -> Result<std::vector<InvariantCount>> {
        return CheckInvariants(tx);
      };
      auto run = database_.Transact(options, work);
      const Result<std::vector<InvariantCount>> counts = co_await std::move(run);
      if (counts.ok()) {
        for (const InvariantCount& one : *counts) metrics_.Invariant(one.id, one.violations);
      } else {
        log_.Warn("the invariants could not be checked", {{"err", counts.error().ToString()}});
      }
      co_await runtime::SleepFor(
          PauseAfterCount(config_.money_out.invariants_interval, clock_.Now() - start));
    }
  }

  const Config config_;
  runtime::Logger& log_;
  const runtime::Clock& clock_;
  pg::Database database_;
  pg::SchemaCheck schema_;
  outbox::Hub hub_;
  LedgerMetrics metrics_;
  PostingApplier applier_;
  std::unique_ptr<BalanceReader> reader_;
  BalanceProver prover_;
  Reconciler reconciler_;
  LedgerServiceApi ledger_;
  PauseServiceApi pauses_;
  EventServiceApi events_;
  outbox::Follower transfers_;
  outbox::Follower payments_;
  std::unique_ptr<watcher_pb::TransferService::StubInterface> watched_;
  std::set<std::string> vaults_;
  std::unique_ptr<MoneyOut> money_out_;
};

}  // namespace

Result<std::unique_ptr<runtime::ServiceParts>> Build(runtime::Host& host, const Config& config) {
  Peers peers;
  ASSIGN_OR_RETURN(peers.watcher, host.Peer("watcher"));
  ASSIGN_OR_RETURN(peers.checkout, host.Peer("checkout"));
  auto parts = std::make_unique<Parts>(host, config, peers);
  RETURN_IF_ERROR(parts->StartMoneyOut(host));
  return std::unique_ptr<runtime::ServiceParts>(std::move(parts));
}

Status MigrateDatabase(runtime::Host& host) {
  const auto report = pg::Migrate(host.config().database_conninfo, SettlementMigrations());
  if (!report.ok()) return report.error();
  return {};
}

}  // namespace paymesh::settlement
