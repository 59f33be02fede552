// What routing needs of the world, in the domain's words. The watcher is behind it; tests make
// their own. Any thread.
#pragma once

#include <vector>

#include "common/error/error.h"
#include "common/money/caip.h"
#include "common/money/u256.h"
#include "common/runtime/task.h"
#include "services/routing/domain/decision.h"

namespace paymesh::routing {

// The latest round of a price feed.
struct FeedRound {
  U256 answer;  // above zero, scaled by 10^decimals
  unsigned decimals = 0;
  Time update_time{};  // by the feed's own word
};

class MarketSource {
 public:
  virtual ~MarketSource() = default;
  // Every chain that is followed, as it is now.
  virtual Task<Result<std::vector<ChainFacts>>> ReadChains() = 0;
  // What a contract of AggregatorV3's shape says now; RATE_UNAVAILABLE when it makes no sense.
  virtual Task<Result<FeedRound>> ReadFeed(AccountId feed) = 0;
};

}  // namespace paymesh::routing
