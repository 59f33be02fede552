// The latest picture of chains and rates that decisions are made on. Any thread.
#pragma once

#include <memory>
#include <mutex>

#include "services/routing/domain/decision.h"

namespace paymesh::routing {

// Holds one immutable picture; readers keep the one that they took.
class Market {
 public:
  // Null until chains have been heard of for the first time.
  std::shared_ptr<const MarketFacts> Latest() const {
    std::lock_guard lock(mutex_);
    return latest_;
  }
  void Publish(MarketFacts facts) {
    auto next = std::make_shared<const MarketFacts>(std::move(facts));
    std::lock_guard lock(mutex_);
    latest_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const MarketFacts> latest_;
};

}  // namespace paymesh::routing
