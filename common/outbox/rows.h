// The statements that read journal_entry, and rows to entries. Internal to common/outbox.
#pragma once

#include <vector>

#include "common/outbox/entry.h"
#include "common/pg/sql/rows.h"

namespace paymesh::outbox {

#define PAYMESH_JOURNAL_SELECT                                                             \
  "SELECT position, subject, owner, kind, payload, trace, create_time FROM journal_entry " \
  "WHERE journal = $1 AND position > $2"
#define PAYMESH_JOURNAL_ORDER " ORDER BY position LIMIT $3"

inline constexpr char kSelectAll[] = PAYMESH_JOURNAL_SELECT PAYMESH_JOURNAL_ORDER;
// The second condition lets the planner take the partial index.
inline constexpr char kSelectBySubject[] =
    PAYMESH_JOURNAL_SELECT " AND subject = $4 AND subject <> ''" PAYMESH_JOURNAL_ORDER;
inline constexpr char kSelectByOwner[] =
    PAYMESH_JOURNAL_SELECT " AND owner = $4 AND owner <> ''" PAYMESH_JOURNAL_ORDER;
inline constexpr char kSelectByBoth[] = PAYMESH_JOURNAL_SELECT
    " AND subject = $4 AND subject <> '' AND owner = $5" PAYMESH_JOURNAL_ORDER;

#undef PAYMESH_JOURNAL_SELECT
#undef PAYMESH_JOURNAL_ORDER

inline std::vector<EntryPtr> ToEntries(const pg::Rows& rows) {
  std::vector<EntryPtr> entries;
  entries.reserve(rows.size());
  for (const pg::Row row : rows) {
    auto entry = std::make_shared<Entry>();
    entry->position = row.Get<std::int64_t>("position");
    entry->subject = row.Get<std::string>("subject");
    entry->owner = row.Get<std::string>("owner");
    entry->kind = row.Get<std::string>("kind");
    entry->payload = row.Get<pg::Bytea>("payload").data;
    entry->trace = row.Get<std::string>("trace");
    entry->create_time = row.Get<pg::Time>("create_time");
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace paymesh::outbox
