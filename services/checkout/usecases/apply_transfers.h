// What a run of the watcher's journal does to payments, in the transaction that moves the cursor:
// its transfers reach the payments at their addresses, its checkpoints the table that expiry rests
// on. One thread (the transaction's).
#pragma once

#include <vector>

#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/machine.h"
#include "services/checkout/usecases/change_payments.h"

namespace paymesh::checkout {

// Entries hold serialised watcher.v1.TransferEvent. A transfer to an address of no payment (a
// vault's, or one that was registered for a payment never stored) is passed over.
Status ApplyTransfers(pg::Transaction& tx, const Rules& rules,
                      const std::vector<outbox::Entry>& entries, const OnChanges& on_changes);

}  // namespace paymesh::checkout
