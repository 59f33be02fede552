// Rows of money out as the contract's messages.
// Load...: one thread, inside the transaction that it is given. To...: pure.
#pragma once

#include "common/pg/transaction.h"
#include "paymesh/settlement/v1/payout_service.pb.h"
#include "services/settlement/store/chain_transaction_store.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {

v1::PayoutDestination ToMessage(const DestinationRow& row);
v1::PayoutPlan ToMessage(const PlanRow& row);
v1::ChainTransaction ToMessage(const SlotRow& row);
// With its lines and chain transactions.
v1::Payout LoadPayoutMessage(pg::Transaction& tx, const PayoutRow& row);

v1::PayoutState ToMessage(PayoutState state);
// Nothing for UNSPECIFIED and what is unknown.
std::optional<PayoutState> FromMessage(v1::PayoutState state);
std::optional<PlanSchedule> FromMessage(v1::PayoutSchedule schedule);

}  // namespace paymesh::settlement
