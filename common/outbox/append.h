// Writing to an outbox, and reading it inside a transaction. Light: for store code.
// One thread (the transaction's).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/outbox/entry.h"
#include "common/pg/transaction.h"

namespace paymesh::outbox {

// Appends with this transaction: buffered, and written by the last statement before COMMIT, which
// locks the outbox's head, takes the positions and notifies the readers. position and create_time
// of `entry` are ignored. Outbox names are short lower-case words ("transfers", "events"). Where
// the entry's trace is recorded, so is a span of its publishing (spans.h).
void Append(pg::Transaction& tx, std::string_view outbox, Entry entry);

// The newest position, 0 for an empty outbox.
std::int64_t Head(pg::Transaction& tx, std::string_view outbox);

// Straight from the table; `limit` > 0. FAILED_PRECONDITION POSITION_AHEAD when `after` is beyond
// the head: the reader has seen what this database does not have (a lost tail, or the wrong
// database).
Result<Page> ReadPage(pg::Transaction& tx, std::string_view outbox, std::int64_t after, int limit,
                      const Filter& filter = {});

}  // namespace paymesh::outbox
