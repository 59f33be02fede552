// Pauses as money out sees them.
// Each function: one thread, inside the transaction that it is given.
#pragma once

#include <string>
#include <string_view>

#include "common/pg/transaction.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

// Why nothing may go out for this chain, token and merchant, in words; "" when it may. Empty
// arguments are not looked at.
std::string PauseReason(pg::Transaction& tx, std::string_view chain, std::string_view unit,
                        std::string_view merchant_id);

// Stops a chain until an operator lets it go on. Harmless when it is paused already.
void PauseChain(pg::Transaction& tx, std::string_view chain, std::string_view reason, Time now);

}  // namespace paymesh::settlement
