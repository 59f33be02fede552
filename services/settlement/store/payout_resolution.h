// Payouts that their final transaction left open: the logs say that the vault had paid before, or
// nothing at all. What ends them is the vault's own word at a final block.
// One thread, inside the transaction that it is given.
#pragma once

#include <string_view>

#include "common/pg/transaction.h"
#include "services/settlement/store/payout_store.h"
#include "services/settlement/workers/vault_record.h"

namespace paymesh::settlement {

// Paid: it is booked as of the block at which the vault says so, and FINALIZED. Not paid: FAILED,
// and its money is available again. FAILED_PRECONDITION PAYOUT_NOT_OPEN for a payout that goes on
// by itself or is closed, PAYOUT_UNCLEAR when the vault refused it as paid and now says that it is
// not. UNAVAILABLE CHAIN_NOT_READ when the word is older than the transaction.
Status Resolve(pg::Transaction& tx, PayoutRow& row, const VaultWord& word, std::string_view reason,
               Time now);

}  // namespace paymesh::settlement
