// Rows of `watched_address`. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/evm/address.h"
#include "common/pg/transaction.h"

namespace paymesh::watcher {

struct AddressToWatch {
  evm::Address address;
  std::string trace = {};  // traceparent of the call that it is for; empty: nobody records it
};
// Adds those that are new, at positions that become visible in their order. Of one that is there
// twice the first counts.
void InsertAddresses(pg::Transaction& tx, const std::vector<AddressToWatch>& addresses);

struct WatchedAddress {
  std::int64_t position = 0;
  evm::Address address;
};
// In the order of their positions, above `after`, at most `limit`.
std::vector<WatchedAddress> LoadAddresses(pg::Transaction& tx, std::int64_t after, int limit);

// The traces of those that have one.
std::unordered_map<evm::Address, std::string> TracesOf(pg::Transaction& tx,
                                                       const std::vector<evm::Address>& addresses);

}  // namespace paymesh::watcher
