// What a run of the watcher's journal does to payments, in the transaction that moves the cursor:
// its transfers reach the payments at their addresses, its checkpoints the table that expiry rests
// on. One thread (the transaction's).
#pragma once

#include <functional>
#include <vector>

#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "services/checkout/domain/machine.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {

// Told what a transaction did, before it commits; for metrics only.
using OnChanges = std::function<void(const std::vector<Change>&)>;

// Entries hold serialised watcher.v1.TransferEvent. A transfer to an address of no payment (a
// vault's, or one that was registered for a payment never stored) is passed over.
Status ApplyTransfers(pg::Transaction& tx, const Rules& rules,
                      const std::vector<outbox::Entry>& entries, const OnChanges& on_changes);

// The same for settlement.v1.Event: lines of the timelines.
Status ApplyMoney(pg::Transaction& tx, const Rules& rules,
                  const std::vector<outbox::Entry>& entries, const OnChanges& on_changes);

}  // namespace paymesh::checkout
