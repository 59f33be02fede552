// What money out posts to the ledger and asks of it (rules P0, P11 and P12 of the posting table).
// The only file of money out that knows the ledger's accounts. Each function: one thread, inside
// the transaction that it is given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/money/u256.h"
#include "common/pg/transaction.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {

// What payouts may take: the merchant's balance in 2110 less what the merchant owes in 1300, which
// is held back until its payment's money is back or written off. Locked until the end of the
// transaction.
Result<U256> LockAvailable(pg::Transaction& tx, std::string_view merchant_id,
                           std::string_view unit);

// Payments of the merchant whose final net no payout line covers yet, oldest first, at most
// `limit`.
std::vector<OpenPayment> OpenPayments(pg::Transaction& tx, std::string_view merchant_id,
                                      std::string_view unit, int limit);
// Whether final payouts cover all of the payment's net.
bool IsSettled(pg::Transaction& tx, std::string_view payment_id, std::string_view unit);

// Each gives the journal's id. INSUFFICIENT_AVAILABLE from the first.
Result<std::string> PostReserved(pg::Transaction& tx, const PayoutRow& row);  // P12a
Result<std::string> PostCanceled(pg::Transaction& tx, const PayoutRow& row);  // P12e
Result<std::string> PostIncluded(pg::Transaction& tx, const PayoutRow& row,   // P12b
                                 const PayoutEvidence& evidence);
Result<std::string> PostOrphaned(pg::Transaction& tx, const PayoutRow& row);  // P12b reversed
Result<std::string> PostFinalized(pg::Transaction& tx, const PayoutRow& row,  // P12c
                                  const PayoutEvidence& evidence);
Result<std::string> PostFailed(pg::Transaction& tx, const PayoutRow& row,  // P12d
                               const PayoutEvidence& evidence);

// Gas of a final transaction, once, whatever became of it.
Status PostGas(pg::Transaction& tx, std::string_view chain_transaction_id, std::string_view wallet,
               const U256& wei, const PayoutEvidence& evidence);  // P11
// Native coin that came into an operator wallet, seen at a final block.
Status PostGasFunding(pg::Transaction& tx, std::string_view wallet, const U256& wei,
                      const PayoutEvidence& evidence);  // P0

// The native coin of a chain: caip19/<chain>/slip44:60.
std::string NativeUnit(std::string_view chain);

}  // namespace paymesh::settlement
