#include "services/settlement/money_out.h"

#include <unistd.h>

#include <utility>

#include "common/outbox/follower/follower.h"
#include "common/outbox/metrics.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/run_blocking.h"
#include "services/settlement/api/payout_service.h"
#include "services/settlement/store/invariants.h"
#include "services/settlement/store/payout_invariants.h"
#include "services/settlement/store/sender_store.h"
#include "services/settlement/workers/chain_transaction_follower.h"
#include "services/settlement/workers/keystore_signer.h"
#include "services/settlement/workers/kms_signer.h"
#include "services/settlement/workers/payout_scheduler.h"
#include "services/settlement/workers/sender_worker.h"

namespace paymesh::settlement {
namespace {

using std::chrono::milliseconds;

std::string LeaseName(const WalletKey& wallet) {
  return "sender:" + wallet.chain + ":" + wallet.address;
}

// What one chain's sending is made of.
struct ChainSender {
  ChainSender(runtime::Host& host, pg::Database& database, const MoneyOutConfig& config,
              const runtime::ChainConfig& chain, std::shared_ptr<grpc::Channel> watcher,
              Signer& signer, const std::string& holder);

  WalletKey wallet;
  PgSenderStore store;
  pg::LeaseKeeper lease;
  SenderWorker worker;
};

evm::Address AddressOr(const std::string& text) {
  return text.empty() ? evm::Address() : evm::Address::Parse(text).value();
}

SenderStoreOptions StoreOptions(const MoneyOutConfig& config, const WalletKey& wallet,
                                const runtime::ChainConfig& chain) {
  SenderStoreOptions options;
  options.wallet = wallet;
  options.lease = LeaseName(wallet);
  options.vault = AddressOr(chain.vault);
  options.max_open_slots = static_cast<std::size_t>(config.max_open_slots) * 2;
  options.max_sweep_batch = static_cast<std::size_t>(config.max_sweep_batch);
  options.min_sweep = config.min_sweep;
  options.park_for = config.park_for;
  return options;
}

pg::LeaseOptions LeaseOf(const MoneyOutConfig& config, const WalletKey& wallet,
                         const std::string& holder, runtime::Logger& log) {
  pg::LeaseOptions options;
  options.name = LeaseName(wallet);
  options.holder = holder;
  options.ttl = config.lease_ttl;
  options.log = [&log](std::string_view text) { log.Info(text); };
  return options;
}

SenderWorkerOptions WorkerOptions(const MoneyOutConfig& config, const WalletKey& wallet) {
  SenderWorkerOptions options;
  options.wallet = wallet;
  options.lease = LeaseName(wallet);
  options.poll_interval = config.poll_interval;
  options.funding_interval = config.funding_interval;
  options.min_balance = config.min_balance;
  return options;
}

SenderOptions SenderOptionsOf(const MoneyOutConfig& config, const runtime::ChainConfig& chain) {
  SenderOptions options;
  options.chain_id = chain.chain.number();
  options.vault = AddressOr(chain.vault);
  options.factory = AddressOr(chain.factory);
  options.gas = config.gas;
  options.policy = config.policy;
  options.max_open_slots = static_cast<std::size_t>(config.max_open_slots);
  options.max_pay_batch = static_cast<std::size_t>(config.max_pay_batch);
  options.sweeps = config.sweeps;
  options.foreign_grace = config.foreign_grace;
  return options;
}

SenderChainOptions ChainOptions(const runtime::ChainConfig& chain, const Signer& signer) {
  SenderChainOptions options;
  options.chain = chain.chain.ToString();
  options.vault = AddressOr(chain.vault);
  options.wallet = signer.address();
  return options;
}

ChainSender::ChainSender(runtime::Host& host, pg::Database& database, const MoneyOutConfig& config,
                         const runtime::ChainConfig& chain, std::shared_ptr<grpc::Channel> watcher,
                         Signer& signer, const std::string& holder)
    : wallet{chain.chain.ToString(), signer.address().ToHex()},
      store(database, host.ids(), StoreOptions(config, wallet, chain)),
      lease(database, LeaseOf(config, wallet, holder, host.log())),
      worker(WorkerOptions(config, wallet), SenderOptionsOf(config, chain), database, store, lease,
             MakeSenderChain(watcher, ChainOptions(chain, signer)),
             MakeWalletBalance(watcher, ChainOptions(chain, signer)), signer, host.log(),
             host.metrics()) {}

ForbiddenAddresses Forbidden(const runtime::ChainsConfig& chains, const Signer& signer) {
  ForbiddenAddresses forbidden;
  forbidden.wallets.insert(signer.address());
  for (const runtime::ChainConfig& chain : chains.chains) {
    forbidden.contracts.insert(AddressOr(chain.vault));
    forbidden.contracts.insert(AddressOr(chain.factory));
    for (const runtime::TokenConfig& token : chain.tokens) {
      forbidden.contracts.insert(evm::Address::Of(token.asset));
    }
  }
  return forbidden;
}

std::map<std::string, evm::Address> Vaults(const runtime::ChainsConfig& chains) {
  std::map<std::string, evm::Address> vaults;
  for (const runtime::ChainConfig& chain : chains.chains) {
    if (!chain.vault.empty()) vaults.emplace(chain.chain.ToString(), AddressOr(chain.vault));
  }
  return vaults;
}

std::vector<FateContext> Contexts(runtime::Host& host) {
  std::vector<FateContext> contexts;
  for (const runtime::ChainConfig& chain : host.chains().chains) {
    const std::string id = chain.chain.ToString();
    contexts.push_back(
        {id, AddressOr(chain.vault), AddressOr(chain.factory),
         [&host, id](FateAlarm alarm, const std::string& subject) {
           host.metrics()
               .Counter("settlement_transaction_alarms_total",
                        "What the chain did that a person must look at.",
                        {{"chain", id}, {"alarm", std::string(FateAlarmName(alarm))}})
               .Increment();
           host.log().Error("a person must look at a transaction",
                            {{"chain", id}, {"alarm", FateAlarmName(alarm)}, {"subject", subject}});
         }});
  }
  return contexts;
}

outbox::FollowerOptions FollowerOptionsOf(runtime::Host& host) {
  outbox::FollowerOptions options;
  options.name = kTransactionsCursor;
  options.log = [&host](std::string_view message) { host.log().Warn(message); };
  return options;
}

Task<void> CountInvariants(runtime::Host& host, pg::Database& database, milliseconds interval) {
  for (;;) {
    const Time start = host.clock().Now();
    auto count = [](pg::Transaction& tx) -> Result<std::vector<PayoutInvariant>> {
      return CountPayoutViolations(tx);
    };
    auto counting = database.Transact({.name = "payout invariants",
                                       .idempotent = true,
                                       .isolation = pg::Isolation::kRepeatableRead,
                                       .access = pg::Access::kReadOnly},
                                      count);
    Result<std::vector<PayoutInvariant>> counts = co_await std::move(counting);
    if (counts.ok()) {
      for (const PayoutInvariant& counted : *counts) {
        host.metrics()
            .Gauge("invariant_violations", "Rows that contradict an invariant; must be 0",
                   {{"id", counted.id}})
            .Set(static_cast<double>(counted.violations));
        if (counted.violations == 0) continue;
        host.log().Error("an invariant is violated",
                         {{"invariant", counted.id}, {"violations", counted.violations}});
      }
    } else {
      host.log().Warn("the invariants were not counted", {{"err", counts.error().ToString()}});
    }
    co_await runtime::SleepFor(PauseAfterCount(interval, host.clock().Now() - start));
  }
}

Result<std::unique_ptr<Signer>> OpenSigner(runtime::Host& host, const MoneyOutConfig& config) {
  if (!config.kms) {
    ASSIGN_OR_RETURN(std::unique_ptr<Signer> keystore,
                     KeystoreSigner::Open(config.keystore_file, config.password_file));
    return keystore;
  }
  KmsSignerOptions options;
  options.key.key_id = config.kms->key_id;
  options.key.requests_per_second = config.kms->requests_per_second;
  options.endpoint = config.kms->endpoint;
  options.region = config.kms->region;
  const auto region = config.aws_environment.find("AWS_REGION");
  if (options.region.empty() && region != config.aws_environment.end()) {
    options.region = region->second;
  }
  if (options.region.empty()) {
    return Error::FailedPrecondition("AWS_NO_REGION", "neither signer.kms.region nor AWS_REGION");
  }
  auto opening = KmsSigner::Open(options, config.aws_environment, host.clock(), host.random());
  ASSIGN_OR_RETURN(
      std::unique_ptr<Signer> kms,
      runtime::StartOn(runtime::MakeStrand(host.executor()), std::move(opening)).get());
  host.log().Info("the wallet's key is in KMS",
                  {{"key_id", options.key.key_id}, {"wallet", kms->address().ToHex()}});
  return kms;
}

}  // namespace

struct MoneyOut::Parts {
  Parts(runtime::Host& the_host, pg::Database& db, const MoneyOutConfig& options,
        std::unique_ptr<Signer> key, std::shared_ptr<grpc::Channel> watcher)
      : host(the_host),
        database(db),
        config(options),
        signer(std::move(key)),
        wallet(signer->address().ToHex()),
        vaults(MakeVaultRecord(watcher, Vaults(host.chains()))),
        service(host.calls(), database, host.chains(), host.clock(), host.ids(), host.page_tokens(),
                *vaults,
                {config.destination_cooling_off, config.manual_payout_approval,
                 Forbidden(host.chains(), *signer)}),
        scheduler(database, host.clock(), host.ids(), host.log(), config.plan_interval),
        follower(database, FollowerOptionsOf(host), TransactionsSource(watcher),
                 ApplyTransactions(Contexts(host))) {
    outbox::ExportFollower(host.metrics(), host.clock(), kTransactionsCursor, follower);
    const std::string holder = host.ids().Next("set") + "@" + std::to_string(::getpid());
    for (const runtime::ChainConfig& chain : host.chains().chains) {
      if (chain.vault.empty() || chain.factory.empty()) continue;  // nothing to pay from
      senders.push_back(
          std::make_unique<ChainSender>(host, database, config, chain, watcher, *signer, holder));
      // The lease's own name holds the wallet's address.
      pg::ExportLease(host.metrics(), "sender:" + chain.chain.ToString(), senders.back()->lease);
    }
  }

  runtime::Host& host;
  pg::Database& database;
  const MoneyOutConfig config;
  const std::unique_ptr<Signer> signer;
  const std::string wallet;
  const std::unique_ptr<VaultRecord> vaults;
  PayoutService service;
  PayoutScheduler scheduler;
  outbox::Follower follower;
  std::vector<std::unique_ptr<ChainSender>> senders;
};

Result<std::unique_ptr<MoneyOut>> MoneyOut::Make(runtime::Host& host, pg::Database& database,
                                                 const MoneyOutConfig& config) {
  ASSIGN_OR_RETURN(std::unique_ptr<Signer> signer, OpenSigner(host, config));
  ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> watcher, host.Peer("watcher"));
  auto parts = std::make_unique<Parts>(host, database, config, std::move(signer), watcher);
  return std::unique_ptr<MoneyOut>(new MoneyOut(std::move(parts)));
}

MoneyOut::MoneyOut(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MoneyOut::~MoneyOut() = default;

const std::string& MoneyOut::wallet() const { return parts_->wallet; }

rpc::ServedService MoneyOut::Service() { return rpc::Serve<v1::PayoutService>(parts_->service); }

void MoneyOut::Stop() {
  for (const std::unique_ptr<ChainSender>& sender : parts_->senders) sender->lease.Release();
}

std::vector<runtime::Worker> MoneyOut::Workers() {
  Parts& parts = *parts_;
  std::vector<runtime::Worker> workers;
  workers.push_back({"payout plans", [&parts] { return parts.scheduler.Run(); }});
  workers.push_back({kTransactionsCursor, [&parts] { return parts.follower.Run(); }});
  workers.push_back({"payout invariants", [&parts] {
                       return CountInvariants(parts.host, parts.database,
                                              parts.config.invariants_interval);
                     }});
  for (const std::unique_ptr<ChainSender>& sender : parts.senders) {
    ChainSender& one = *sender;
    const std::string& chain = one.wallet.chain;
    workers.push_back({"sender lease " + chain, [&one] { return one.lease.Run(); }});
    workers.push_back({"sender " + chain, [&one] { return one.worker.Run(); }});
    workers.push_back({"sender funding " + chain, [&one] { return one.worker.RunFunding(); }});
  }
  return workers;
}

}  // namespace paymesh::settlement
