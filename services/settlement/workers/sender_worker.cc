#include "services/settlement/workers/sender_worker.h"

#include <array>
#include <utility>

#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/workers/gauge_value.h"

namespace paymesh::settlement {
namespace {

constexpr std::string_view kOldest = R"(
  SELECT count(*) AS open, coalesce(extract(epoch FROM clock_timestamp() - min(create_time)),
    0)::bigint AS age
  FROM chain_transaction
  WHERE chain = $1 AND wallet = $2 AND state IN ('DRAFT', 'SIGNED', 'BROADCAST'))";

struct Pending {
  std::int64_t open = 0;
  std::int64_t age = 0;
};

}  // namespace

Result<FundingResult> BookFunding(pg::Transaction& tx, const WalletKey& key,
                                  const NativeBalance& balance) {
  FundingResult result;
  const std::optional<WalletRow> wallet = FindWallet(tx, key);
  if (!wallet || HasUnsettledBlock(tx, key, balance.block_number)) return result;
  // A block that is older than the last one looked at would undo what was booked since.
  if (wallet->funding_block && *wallet->funding_block >= balance.block_number) return result;
  result.looked = true;
  const U256 spent = GasSpent(tx, key, balance.block_number);
  const auto held = CheckedAdd(balance.wei, spent);
  if (!held) return Error::Internal("an impossible balance");
  result.booked = SaturatingSub(*held, wallet->booked_funding);
  result.missing = SaturatingSub(wallet->booked_funding, *held);
  if (result.booked.IsZero()) return result;
  PayoutEvidence evidence;
  evidence.chain = key.chain;
  evidence.block_number = balance.block_number;
  evidence.block_hash = balance.block_hash;
  RETURN_IF_ERROR(PostGasFunding(tx, key.address, result.booked, evidence));
  RecordFunding(tx, key, result.booked, balance.block_number);
  return result;
}

std::string_view SignatureOutcome(std::string_view reason) {
  if (reason.empty()) return "ok";
  if (reason == "SIGNER_THROTTLED") return "throttled";
  if (reason == "SIGNER_UNAVAILABLE") return "unavailable";
  if (reason == "SIGNER_BAD_ANSWER") return "bad_answer";
  if (reason == "SIGNER_REFUSED") return "refused";
  if (reason == "SIGNER_WRONG_KEY") return "wrong_key";
  return "failed";
}

struct SenderWorker::Gauges {
  Gauges(runtime::Metrics& metrics, const WalletKey& wallet)
      : labels{{"chain", wallet.chain}},
        gap(metrics.Gauge("settlement_signer_nonce_gap",
                          "Nonces between the chain's next and our lowest open slot.", labels)),
        balance(metrics.Gauge("settlement_signer_balance_native",
                              "Native coin of the operator wallet at a final block, in wei.",
                              labels)),
        minimum(metrics.Gauge("settlement_signer_balance_min_native",
                              "Below this balance somebody must add gas, in wei.", labels)),
        missing(metrics.Gauge("settlement_signer_unexplained_native",
                              "Wei that the books say are there and the chain does not; must be 0.",
                              labels)),
        oldest(metrics.Gauge("settlement_pending_tx_oldest_age_seconds",
                             "Age of the oldest transaction that is not mined.", labels)),
        open(metrics.Gauge("settlement_pending_tx", "Transactions that are not mined.", labels)),
        leader(metrics.Gauge("settlement_sender_leader", "1 where this replica sends.", labels)) {}

  const runtime::Metrics::Labels labels;
  prometheus::Gauge& gap;
  prometheus::Gauge& balance;
  prometheus::Gauge& minimum;
  prometheus::Gauge& missing;
  prometheus::Gauge& oldest;
  prometheus::Gauge& open;
  prometheus::Gauge& leader;
};

SenderWorker::SenderWorker(SenderWorkerOptions options, SenderOptions sender,
                           pg::Database& database, SenderStore& store, pg::LeaseKeeper& lease,
                           std::unique_ptr<SenderChain> chain,
                           std::unique_ptr<WalletBalance> balance, Signer& signer,
                           runtime::Logger& log, runtime::Metrics& metrics)
    : options_(std::move(options)),
      database_(database),
      lease_(lease),
      chain_(std::move(chain)),
      balance_(std::move(balance)),
      log_(log),
      metrics_(metrics),
      gauges_(std::make_unique<Gauges>(metrics, options_.wallet)),
      sender_(std::move(sender), store, *chain_, signer, MakeObserver()) {
  gauges_->minimum.Set(GaugeValue(options_.min_balance));
}

SenderWorker::~SenderWorker() = default;

SenderObserver SenderWorker::MakeObserver() {
  SenderObserver observer;
  observer.alarm = [this](Alarm alarm, const std::string& slot_id) {
    runtime::Metrics::Labels labels = gauges_->labels;
    labels["alarm"] = std::string(AlarmName(alarm));
    metrics_
        .Counter("settlement_sender_alarms_total", "Turns that found a slot in trouble.", labels)
        .Increment();
    log_.Warn("a chain transaction does not go on",
              {{"chain_transaction_id", slot_id}, {"alarm", AlarmName(alarm)}});
  };
  observer.lost = [this](const std::string& slot_id, const std::string& reason) {
    metrics_
        .Counter("settlement_foreign_nonces_total", "Nonces of the wallet that somebody else used.",
                 gauges_->labels)
        .Increment();
    log_.Error("the operator wallet's key was used by somebody else; the chain is paused",
               {{"chain_transaction_id", slot_id}, {"reason", reason}});
  };
  observer.signed_by_signer = [this](std::string_view reason) {
    runtime::Metrics::Labels labels = gauges_->labels;
    labels["outcome"] = std::string(SignatureOutcome(reason));
    metrics_.Counter("settlement_signature_requests_total", "Signatures asked for.", labels)
        .Increment();
  };
  observer.replied = [this](Reply reply) {
    runtime::Metrics::Labels labels = gauges_->labels;
    labels["outcome"] = std::string(ReplyName(reply));
    metrics_.Counter("settlement_broadcasts_total", "Broadcasts, by what was answered.", labels)
        .Increment();
  };
  observer.failed = [this](const std::string& what, const Error& error) {
    log_.Warn("the sender could not ask the watcher", {{"what", what}, {"err", error.ToString()}});
  };
  observer.gap = [this](std::uint64_t gap) { gauges_->gap.Set(static_cast<double>(gap)); };
  return observer;
}

Task<bool> SenderWorker::OneTurn(std::int64_t epoch) {
  Result<bool> done = co_await sender_.Turn(epoch);
  if (done.ok()) co_return *done;
  // Somebody else's change between a look and a write is everyday; the next turn sees it.
  const std::string& reason = done.error().reason;
  if (reason == "SLOT_CHANGED" || reason == "PAUSED" || reason == "LEASE_LOST") {
    log_.Info("the sender starts over", {{"chain", options_.wallet.chain}, {"reason", reason}});
  } else {
    log_.Warn("the sender's turn failed",
              {{"chain", options_.wallet.chain}, {"err", done.error().ToString()}});
  }
  co_return false;
}

Task<void> SenderWorker::Run() {
  for (;;) {
    const std::optional<std::int64_t> epoch = lease_.epoch();
    gauges_->leader.Set(epoch ? 1 : 0);
    bool again = false;
    if (epoch) again = co_await OneTurn(*epoch);
    if (!again) co_await runtime::SleepFor(options_.poll_interval);
  }
}

Task<void> SenderWorker::RunFunding() {
  for (;;) {
    const std::optional<std::int64_t> epoch = lease_.epoch();
    if (epoch) {
      Result<NativeBalance> balance = co_await balance_->AtFinal();
      if (balance.ok()) {
        gauges_->balance.Set(GaugeValue(balance->wei));
        auto book = [key = options_.wallet, lease = options_.lease, held = *balance,
                     number = *epoch](pg::Transaction& tx) -> Result<FundingResult> {
          RETURN_IF_ERROR(pg::RequireLease(tx, lease, number));
          return BookFunding(tx, key, held);
        };
        auto booking = database_.Transact({.name = "book funding"}, std::move(book));
        Result<FundingResult> result = co_await std::move(booking);
        if (result.ok() && result->looked) gauges_->missing.Set(GaugeValue(result->missing));
      }
    }
    auto look = [key = options_.wallet](pg::Transaction& tx) -> Result<Pending> {
      const pg::Rows rows = tx.Execute(kOldest, key.chain, key.address);
      return Pending{rows.front().Get<std::int64_t>("open"), rows.front().Get<std::int64_t>("age")};
    };
    auto looking = database_.Transact(
        {.name = "backlog", .idempotent = true, .access = pg::Access::kReadOnly}, std::move(look));
    Result<Pending> backlog = co_await std::move(looking);
    if (backlog.ok()) {
      gauges_->open.Set(static_cast<double>(backlog->open));
      gauges_->oldest.Set(static_cast<double>(backlog->age));
    }
    co_await runtime::SleepFor(options_.funding_interval);
  }
}

}  // namespace paymesh::settlement
