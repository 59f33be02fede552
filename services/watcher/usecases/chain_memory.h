// What the leader of a chain remembers of it under one epoch of the lease. All of it is a cache:
// dropped when anything is in doubt, and read again from the database and the node.
// One strand.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/evm/address.h"
#include "common/runtime/clock.h"
#include "services/watcher/clients/block_reader.h"
#include "services/watcher/domain/head_machine.h"
#include "services/watcher/store/address_store.h"

namespace paymesh::watcher {

using AddressSet = boost::unordered_flat_set<evm::Address, std::hash<evm::Address>>;

// The watched addresses that the chain's leader matches recipients against. Grows only.
class WatchedSet {
 public:
  bool Contains(const evm::Address& address) const { return addresses_.contains(address); }
  std::int64_t position() const { return position_; }
  std::size_t size() const { return addresses_.size(); }
  void Add(const std::vector<WatchedAddress>& loaded) {
    for (const WatchedAddress& watched : loaded) {
      addresses_.insert(watched.address);
      position_ = watched.position;
    }
  }

 private:
  AddressSet addresses_;
  std::int64_t position_ = 0;
};

struct ChainMemory {
  std::int64_t epoch = 0;
  HeadState state;
  WatchedSet watched;
  AddressSet added;  // of those, the ones that no look back has been stored for yet
  std::map<std::uint64_t, ReadBlockResult> recent;     // by height: blocks above the final one
  std::unordered_map<evm::Hash32, NodeBlock> fetched;  // of the branch at hand
  std::optional<Tags> tags;                            // read for the head at hand
  NodeBlock latest;                                    // the head at hand,
  runtime::SteadyTime latest_asked{};                  // and when it was asked for

  void AddWatched(const std::vector<WatchedAddress>& addresses) {
    watched.Add(addresses);
    for (const WatchedAddress& one : addresses) added.insert(one.address);
  }

  // Blocks that were read replace those from their height up. What is final goes, but for the
  // newest `lookback_blocks`.
  void Remember(const std::vector<ReadBlockResult>& blocks, std::uint64_t lookback_blocks) {
    if (!blocks.empty())
      recent.erase(recent.lower_bound(blocks.front().block.header.number), recent.end());
    for (const ReadBlockResult& block : blocks) recent[block.block.header.number] = block;
    const std::uint64_t head = recent.empty() ? 0 : recent.rbegin()->first;
    while (!recent.empty() && recent.begin()->first <= state.levels.finalized &&
           recent.begin()->first + lookback_blocks <= head) {
      recent.erase(recent.begin());
    }
  }
};

}  // namespace paymesh::watcher
