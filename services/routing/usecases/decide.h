// The use case behind Decide: facts and the market's picture in, stored decisions out. Concurrent
// calls share one insert and one commit. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/pg/coalescer.h"
#include "common/pg/database.h"
#include "common/runtime/ids.h"
#include "common/runtime/metrics.h"
#include "services/routing/config.h"
#include "services/routing/convert.h"
#include "services/routing/store/decision_store.h"
#include "services/routing/usecases/market.h"

namespace paymesh::routing {

class Decider {
 public:
  Decider(pg::Database& database, const Market& market, const Config& config,
          const runtime::Clock& clock, runtime::IdSource& ids, runtime::Executor executor,
          runtime::Metrics& metrics);

  // One answer for each member, in order: its decision, or ALREADY_EXISTS DECISION_EXISTS when the
  // payment was decided on other facts. UNAVAILABLE MARKET_UNKNOWN before chains have been heard
  // of.
  Task<Result<std::vector<Result<pb::Decision>>>> Decide(std::vector<pb::DecisionFacts> facts);

  Task<Result<pb::Decision>> Get(std::string decision_id, std::string payment_id);
  Result<UsableRate> GetRate(const Unit& base, const Unit& quote) const;
  void Close() { stores_.Close(); }

 private:
  using Batch = std::vector<StoredDecision>;
  StoredDecision Make(const pb::DecisionFacts& facts, const PaymentFacts& parsed,
                      const MarketFacts& market);
  Task<std::vector<Result<Batch>>> Store(std::vector<Batch> batches);

  pg::Database& database_;
  const Market& market_;
  const Config& config_;
  const runtime::Clock& clock_;
  runtime::IdSource& ids_;
  prometheus::Counter& offered_;
  prometheus::Counter& not_offered_;
  pg::Coalescer<Batch, Batch> stores_;
};

}  // namespace paymesh::routing
