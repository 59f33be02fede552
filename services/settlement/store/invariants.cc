#include "services/settlement/store/invariants.h"

#include <array>
#include <string_view>

namespace paymesh::settlement {
namespace {

struct Invariant {
  std::string_view id;
  const char* sql;  // one row, one column: how many break it
};

constexpr std::array<Invariant, 10> kInvariants = {{
    // For each unit as much is debited as credited.
    {"I1",
     "SELECT count(*) AS n FROM (SELECT unit FROM ledger_account GROUP BY unit"
     " HAVING sum(debits) <> sum(credits)) x"},
    // Each journal balances in each unit and has at least two legs.
    {"I2",
     "SELECT count(*) AS n FROM (SELECT j.sequence FROM ledger_journal j"
     " LEFT JOIN ledger_leg l USING (sequence) LEFT JOIN ledger_account a USING (account_number)"
     " GROUP BY j.sequence, a.unit HAVING count(l.position) < 2"
     " OR sum(CASE WHEN l.debit THEN l.amount ELSE -l.amount END) <> 0) x"},
    // An account's sums are those of its legs.
    {"I3",
     "SELECT count(*) AS n FROM ledger_account a LEFT JOIN (SELECT account_number,"
     " coalesce(sum(amount) FILTER (WHERE debit), 0) AS d,"
     " coalesce(sum(amount) FILTER (WHERE NOT debit), 0) AS c, count(*) AS k"
     " FROM ledger_leg GROUP BY account_number) l USING (account_number)"
     " WHERE (a.debits, a.credits, a.leg_count) IS DISTINCT FROM"
     " (coalesce(l.d, 0), coalesce(l.c, 0), coalesce(l.k, 0))"},
    // No merchant's account was ever below zero, after any journal.
    {"I4",
     "SELECT count(*) AS n FROM (SELECT sum(CASE WHEN l.debit THEN -l.amount ELSE l.amount END)"
     " OVER (PARTITION BY l.account_number ORDER BY l.sequence, l.debit, l.position)"
     " AS balance FROM ledger_leg l JOIN ledger_account a USING (account_number)"
     " WHERE a.code BETWEEN 2000 AND 2999) x WHERE balance < 0"},
    // Sequences have no gaps and the head is the last.
    {"I5",
     "SELECT (SELECT abs(h.sequence - coalesce(max(j.sequence), 0))"
     " + abs(coalesce(max(j.sequence), 0) - count(j.sequence)) FROM ledger_journal j)"
     " AS n FROM ledger_head h"},
    // A transfer stands on the books once at most.
    {"I6",
     "SELECT count(*) AS n FROM (SELECT j.event_id FROM ledger_journal j"
     " JOIN ledger_leg l ON l.sequence = j.sequence AND l.position = 1 AND l.debit"
     " JOIN ledger_account a USING (account_number)"
     " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
     " WHERE r.sequence IS NULL AND j.reverses_journal_id IS NULL"
     " AND j.rule IN ('P0', 'P1', 'P8', 'P10') AND a.code IN (1100, 1120)"
     " GROUP BY j.event_id HAVING count(*) > 1) x"},
    // Nothing is available that is not final.
    {"I9",
     "SELECT count(*) AS n FROM payment_money m LEFT JOIN deposit_holding h"
     " USING (payment_id, unit) WHERE m.net > coalesce(h.finalized, 0)"},
    // An orphaned transfer has nothing left on the books.
    {"I10",
     "SELECT count(*) AS n FROM transfer_evidence e JOIN ledger_journal j"
     " ON j.event_id = e.transfer_id AND j.reverses_journal_id IS NULL"
     " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
     " WHERE e.state = 'ORPHANED' AND r.sequence IS NULL"},
    // A live transfer is on the books.
    {"evidence_posted",
     "SELECT count(*) AS n FROM transfer_evidence e WHERE e.state <> 'ORPHANED' AND e.amount > 0"
     " AND NOT EXISTS (SELECT 1 FROM ledger_journal j"
     " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
     " WHERE j.event_id = e.transfer_id AND j.reverses_journal_id IS NULL AND r.sequence IS NULL)"},
    // 2110 came to be by nets, debts and payouts alone: what a payment has is what P4 says.
    {"payment_net",
     "SELECT count(*) AS n FROM payment_money m WHERE m.net <> coalesce((SELECT sum(l.amount)"
     " FROM ledger_journal j JOIN ledger_leg l ON l.sequence = j.sequence AND l.position = 1"
     " LEFT JOIN ledger_journal r ON r.reverses_journal_id = j.journal_id"
     " WHERE j.event_id = m.payment_id || '|' || m.unit AND j.rule = 'P4' AND r.sequence IS NULL),"
     " 0)"},
}};

}  // namespace

std::vector<std::string> InvariantIds() {
  std::vector<std::string> ids;
  for (const Invariant& one : kInvariants) ids.emplace_back(one.id);
  return ids;
}

std::vector<InvariantCount> CheckInvariants(pg::Transaction& tx) {
  std::vector<InvariantCount> counts;
  for (const Invariant& one : kInvariants) {
    counts.push_back({std::string(one.id), tx.Execute(one.sql).front().Get<std::int64_t>("n")});
  }
  return counts;
}

}  // namespace paymesh::settlement
