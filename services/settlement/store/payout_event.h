// What the followers of settlement.events are told about payouts, in the transaction that does it.
// Each function: one thread, inside the transaction that it is given.
#pragma once

#include <string_view>

#include "common/money/u256.h"
#include "common/pg/transaction.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {

// "payout.<state>" with the whole present payout. The snapshot is taken just before COMMIT, once
// for a payout however often it changes in the transaction.
void AppendPayoutEvent(pg::Transaction& tx, const PayoutRow& row);

enum class MoneyStep { kReserved, kIncluded, kPaidOut, kReleased };

// One event for each line of the payout.
void AppendLineEvents(pg::Transaction& tx, const PayoutRow& row, MoneyStep step,
                      std::string_view journal_id);

}  // namespace paymesh::settlement
