// Holds the books against the chains again and again, and shows the differences:
// settlement_reconciliation_difference_minor_units{chain, account, symbol} (must be 0) and
// settlement_reconciliation_last_success_timestamp_seconds. One coroutine.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "common/config/chains.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "services/settlement/workers/balance_prover.h"

namespace paymesh::settlement {

class Reconciler {
 public:
  // All outlive this.
  Reconciler(BalanceProver& prover, const runtime::ChainsConfig& chains, runtime::Metrics& metrics,
             runtime::Logger& log);

  // Until cancelled.
  Task<void> Run(std::chrono::milliseconds interval);
  Task<void> Once();

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // chain, account, symbol

  void Show(const ProofOfBalances& proof);
  prometheus::Gauge& Difference(const Key& key);
  std::string SymbolOf(const HoldingProof& holding) const;

  BalanceProver& prover_;
  const runtime::ChainsConfig& chains_;
  runtime::Metrics& metrics_;
  runtime::Logger& log_;
  prometheus::Gauge& last_success_;
  std::map<Key, prometheus::Gauge*> differences_;
};

}  // namespace paymesh::settlement
