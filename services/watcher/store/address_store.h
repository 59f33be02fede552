// Rows of `watched_address`. One thread (the transaction's).
#pragma once

#include <cstdint>
#include <vector>

#include "common/evm/address.h"
#include "common/pg/transaction.h"

namespace paymesh::watcher {

// Adds those that are new, at positions that become visible in their order.
void InsertAddresses(pg::Transaction& tx, const std::vector<evm::Address>& addresses);

struct WatchedAddress {
  std::int64_t position = 0;
  evm::Address address;
};
// In the order of their positions, above `after`, at most `limit`.
std::vector<WatchedAddress> LoadAddresses(pg::Transaction& tx, std::int64_t after, int limit);

}  // namespace paymesh::watcher
