#include "common/outbox/append.h"

#include <algorithm>
#include <utility>

#include "common/outbox/rows.h"
#include "common/outbox/spans.h"
#include "common/trace/tracer.h"

namespace paymesh::outbox {
namespace {

// One statement for everything that a transaction appends. The heads are locked in the order of
// their names, so two transactions that write the same outboxes cannot deadlock here.
constexpr char kWrite[] =
    "WITH input AS MATERIALIZED ("
    "  SELECT journal, subject, owner, kind, payload,"
    "  CASE WHEN trace <> '' OR subject = '' THEN trace ELSE coalesce((SELECT e.trace"
    "   FROM journal_entry e WHERE e.journal = i.journal AND e.subject = i.subject"
    "   AND e.subject <> '' ORDER BY e.position LIMIT 1), '') END AS trace,"
    "  row_number() OVER (PARTITION BY journal ORDER BY ordinal) AS place"
    "  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[])"
    "  WITH ORDINALITY AS i (journal, subject, owner, kind, payload, trace, ordinal)),"
    " size AS (SELECT journal, count(*) AS entries FROM input GROUP BY journal ORDER BY journal),"
    " head AS (INSERT INTO journal_head AS h (journal, position)"
    "  SELECT journal, entries FROM size ORDER BY journal"
    "  ON CONFLICT (journal) DO UPDATE SET position = h.position + excluded.position"
    "  RETURNING journal, position),"
    " written AS (INSERT INTO journal_entry"
    "  (journal, position, subject, owner, kind, payload, trace)"
    "  SELECT i.journal, head.position - size.entries + i.place, i.subject, i.owner, i.kind,"
    "  i.payload, i.trace FROM input i JOIN size USING (journal) JOIN head USING (journal)"
    "  RETURNING journal, position, subject, kind, trace),"
    " told AS (SELECT pg_notify('journal',"
    "  string_agg(journal || ':' || position, ' ' ORDER BY journal)) FROM head)"
    // And those whose trace somebody records (an odd last digit of the flags).
    " SELECT w.* FROM told LEFT JOIN written w ON w.trace ~ '[13579bdf]$'";
constexpr char kHead[] = "SELECT position FROM journal_head WHERE journal = $1";

struct Buffer {
  std::vector<std::string> outboxes, subjects, owners, kinds, traces;
  std::vector<pg::Bytea> payloads;
  Time begun{};  // of the first; for spans
};

void Write(pg::Transaction& tx) {
  const Buffer buffer = std::exchange(tx.Local<Buffer>(), {});
  const pg::Rows rows = tx.Execute(kWrite, buffer.outboxes, buffer.subjects, buffer.owners,
                                   buffer.kinds, buffer.payloads, buffer.traces);
  TracePublished(tx, rows, buffer.begun);
}

}  // namespace

void Append(pg::Transaction& tx, std::string_view outbox, Entry entry) {
  Buffer& buffer = tx.Local<Buffer>();
  if (buffer.outboxes.empty()) {
    tx.BeforeCommit(Write);
    if (tx.tracer() != nullptr) buffer.begun = tx.tracer()->clock().Now();
  }
  buffer.outboxes.emplace_back(outbox);
  buffer.subjects.push_back(std::move(entry.subject));
  buffer.owners.push_back(std::move(entry.owner));
  buffer.kinds.push_back(std::move(entry.kind));
  buffer.payloads.emplace_back(std::move(entry.payload));
  buffer.traces.push_back(std::move(entry.trace));
}

std::int64_t Head(pg::Transaction& tx, std::string_view outbox) {
  const pg::Rows rows = tx.Execute(kHead, outbox);
  return rows.empty() ? 0 : rows.front().Get<std::int64_t>("position");
}

// The head is read first: whatever is at or below it is visible to the next statement.
Result<Page> ReadPage(pg::Transaction& tx, std::string_view outbox, std::int64_t after, int limit,
                      const Filter& filter) {
  const std::int64_t head = Head(tx, outbox);
  if (after > head) {
    return Error::FailedPrecondition(
        "POSITION_AHEAD", "position " + std::to_string(after) + " is beyond the outbox's end");
  }
  Page page;
  const auto rows = [&] {
    if (filter.all()) return tx.Execute(kSelectAll, outbox, after, limit);
    if (filter.owner.empty()) {
      return tx.Execute(kSelectBySubject, outbox, after, limit, filter.subject);
    }
    if (filter.subject.empty()) {
      return tx.Execute(kSelectByOwner, outbox, after, limit, filter.owner);
    }
    return tx.Execute(kSelectByBoth, outbox, after, limit, filter.subject, filter.owner);
  }();
  page.entries = ToEntries(rows);
  const bool full = page.entries.size() >= static_cast<std::size_t>(limit);
  const std::int64_t last = page.entries.empty() ? after : page.entries.back()->position;
  page.scanned = full ? last : std::max(head, last);
  return page;
}

}  // namespace paymesh::outbox
