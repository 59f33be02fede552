// The watched addresses in memory: what the chain's leader matches recipients against. Grows only.
// One strand.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <vector>

#include "common/evm/address.h"
#include "services/watcher/store/address_store.h"

namespace paymesh::watcher {

using AddressSet = boost::unordered_flat_set<evm::Address, std::hash<evm::Address>>;

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

}  // namespace paymesh::watcher
