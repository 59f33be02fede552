// Which deposits to bring home next.
// One thread, inside the transaction that it is given.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/pg/transaction.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

// A token of the chain and its sweepable deposits. A deposit is sweepable when final money lies on
// it, at least the token's minimum, no slot is sweeping it, and it has not failed lately.
Result<std::optional<SweepBatch>> NextSweepBatch(pg::Transaction& tx, std::string_view chain,
                                                 const std::map<std::string, U256>& minimums,
                                                 int limit);

}  // namespace paymesh::settlement
