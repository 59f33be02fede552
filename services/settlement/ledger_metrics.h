// What the ledger half counts. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "services/settlement/workers/posting_applier.h"

namespace paymesh::settlement {

class LedgerMetrics final : public PostingObserver {
 public:
  // Both outlive this.
  LedgerMetrics(runtime::Metrics& metrics, runtime::Logger& log);

  void Posted(const Journal& journal) override;
  void Contradiction(std::string_view what) override;
  void Failed(const Error& error);  // of a follower's transaction
  void Invariant(const std::string& id, std::int64_t violations);

 private:
  runtime::Logger& log_;
  std::map<std::string, prometheus::Counter*, std::less<>> postings_;  // by rule
  prometheus::Counter& other_postings_;
  prometheus::Counter& unbalanced_;
  prometheus::Counter& contradictions_;
  std::map<std::string, prometheus::Gauge*> invariants_;
};

}  // namespace paymesh::settlement
