// What an outbox's entries look like in traces. Publishing and applying an entry are work of their
// own, maybe days after its cause, so each is a trace of its own that is linked to the entry's:
// from the trace of a call, everything that it has caused is found by those links, one step away.
// Only for entries whose trace is recorded. Internal to common/outbox.
#pragma once

#include <string>
#include <vector>

#include "common/outbox/entry.h"
#include "common/pg/transaction.h"
#include "common/runtime/clock.h"

namespace paymesh::trace {
class Tracer;
}

namespace paymesh::outbox {

// "publish <kind>", once the transaction has committed. `rows` hold outbox, position, subject,
// kind and trace, or NULLs. One thread (the transaction's).
void TracePublished(pg::Transaction& tx, const pg::Rows& rows, Time begun);

// "process <kind>", of each entry of a batch that `follower` has applied. Any thread.
void TraceApplied(trace::Tracer& tracer, const std::string& follower,
                  const std::vector<Entry>& entries, Time begun);

}  // namespace paymesh::outbox
