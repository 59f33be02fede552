// Keeps the market's picture fresh: asks the watcher for the chains and their fees about once a
// second, and for the price feeds a little less often. When the watcher does not answer the last
// picture stays and grows old, which the decision sees. One coroutine.
#pragma once

#include <vector>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"
#include "services/routing/config.h"
#include "services/routing/ports.h"
#include "services/routing/usecases/market.h"

namespace paymesh::routing {

class MarketWorker {
 public:
  MarketWorker(MarketSource& source, const Config& config, Market& market,
               const runtime::Clock& clock, runtime::Logger& log, runtime::Metrics& metrics);
  Task<void> Run();

 private:
  Task<Status> RefreshChains();
  Task<void> RefreshFeeds();
  Task<Result<RateEntry>> ReadFeed(const FeedConfig& feed);
  void Publish();

  MarketSource& source_;
  const Config& config_;
  Market& market_;
  const runtime::Clock& clock_;
  runtime::Logger& log_;
  runtime::Metrics& metrics_;
  std::vector<ChainFacts> chains_;
  std::vector<RateEntry> feeds_;
  std::vector<RateEntry> static_rates_;
  bool watcher_answers_ = true;
};

}  // namespace paymesh::routing
