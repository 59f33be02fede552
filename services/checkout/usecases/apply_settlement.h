// What a run of settlement's journal does to payments, in the transaction that moves the cursor:
// lines of their timelines, and when they are settled. One thread (the transaction's).
#pragma once

#include <vector>

#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/machine.h"
#include "services/checkout/usecases/change_payments.h"

namespace paymesh::checkout {

// Entries hold serialised settlement.v1.Event. Payouts and unknown payments are passed over.
Status ApplySettlement(pg::Transaction& tx, const Rules& rules,
                       const std::vector<outbox::Entry>& entries, const OnChanges& on_changes);

}  // namespace paymesh::checkout
