// Learns from checkout's events which tokens payers take and how long they need: kept for later
// scoring, never a reason to answer differently today. One thread (the transaction's).
#pragma once

#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/pg/transaction.h"

namespace paymesh::routing {

// Entries hold serialised checkout.v1.Event. Runs in the transaction that moves the cursor.
Status RecordOutcomes(pg::Transaction& tx, const std::vector<outbox::Entry>& entries);

}  // namespace paymesh::routing
