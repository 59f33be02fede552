#include "services/settlement/workers/reconciler.h"

#include "services/settlement/workers/gauge_value.h"

namespace paymesh::settlement {

Reconciler::Reconciler(BalanceProver& prover, const runtime::ChainsConfig& chains,
                       runtime::Metrics& metrics, runtime::Logger& log)
    : prover_(prover),
      chains_(chains),
      metrics_(metrics),
      log_(log),
      last_success_(metrics.Gauge("settlement_reconciliation_last_success_timestamp_seconds",
                                  "When the books were last held against the chains.")) {}

Task<void> Reconciler::Run(std::chrono::milliseconds interval) {
  for (;;) {
    co_await Once();
    co_await runtime::SleepFor(interval);
  }
}

Task<void> Reconciler::Once() {
  auto prove = prover_.Prove("");
  const Result<ProofOfBalances> proof = co_await std::move(prove);
  if (!proof.ok()) {
    log_.Warn("the books were not held against the chains", {{"err", proof.error().ToString()}});
    co_return;
  }
  Show(*proof);
  last_success_.SetToCurrentTime();
}

void Reconciler::Show(const ProofOfBalances& proof) {
  std::map<Key, double> sums;
  for (const HoldingProof& holding : proof.holdings) {
    // On the wrong side of its account a holding is short of all that the chain has, and its own.
    const U256 apart =
        holding.negative ? holding.on_chain : SaturatingSub(holding.book, holding.on_chain);
    const U256 beyond = holding.negative ? U256(1) : SaturatingSub(holding.on_chain, holding.book);
    sums[{holding.chain, holding.kind, SymbolOf(holding)}] +=
        GaugeValue(apart) + GaugeValue(beyond);
    if (holding.equal()) continue;
    log_.Error("the books and the chain differ", {{"chain", holding.chain},
                                                  {"account", holding.kind},
                                                  {"unit", holding.unit},
                                                  {"book", holding.book.ToString()},
                                                  {"on_chain", holding.on_chain.ToString()},
                                                  {"block", holding.block.number}});
  }
  // What is not in the proof any more has nothing left to differ.
  for (const auto& [key, gauge] : differences_) gauge->Set(0);
  for (const auto& [key, sum] : sums) Difference(key).Set(sum);
}

prometheus::Gauge& Reconciler::Difference(const Key& key) {
  prometheus::Gauge*& gauge = differences_[key];
  if (gauge == nullptr) {
    const auto& [chain, account, symbol] = key;
    gauge = &metrics_.Gauge("settlement_reconciliation_difference_minor_units",
                            "Minor units by which the books and the chain differ; must be 0.",
                            {{"chain", chain}, {"account", account}, {"symbol", symbol}});
  }
  return *gauge;
}

// By configuration alone, so that no address becomes a label.
std::string Reconciler::SymbolOf(const HoldingProof& holding) const {
  const Result<ChainId> id = ChainId::Parse(holding.chain);
  const runtime::ChainConfig* chain = id.ok() ? chains_.Find(*id) : nullptr;
  if (chain == nullptr) return "unlisted";
  for (const runtime::TokenConfig& token : chain->tokens) {
    if (token.unit().ToString() == holding.unit) return token.symbol;
  }
  return holding.kind == "gas" ? chain->native_symbol : "unlisted";
}

}  // namespace paymesh::settlement
