#include "services/settlement/store/payout_invariants.h"

#include <array>
#include <string_view>

namespace paymesh::settlement {
namespace {

struct Check {
  std::string_view id;
  std::string_view sql;
};

constexpr std::array kChecks = {
    // A payout has at most one slot that could pay it; a nonce belongs to one slot.
    Check{"I15", R"(
      SELECT (SELECT count(*) FROM (SELECT payout_id FROM chain_transaction_item
                WHERE alive AND payout_id IS NOT NULL GROUP BY payout_id HAVING count(*) > 1) a)
           + (SELECT count(*) FROM (SELECT 1 FROM chain_transaction
                GROUP BY chain, wallet, nonce HAVING count(*) > 1) b) AS violations)"},
    // Bytes for a payout under a second nonce only after the first was lost to a final transaction
    // of somebody else.
    Check{"I16", R"(
      SELECT count(*) AS violations FROM (
        SELECT i.payout_id FROM chain_transaction_item i
        JOIN chain_transaction t USING (chain_transaction_id)
        WHERE i.payout_id IS NOT NULL AND t.purpose = 'PAYOUT' AND t.state <> 'REPLACED'
          AND EXISTS (SELECT FROM chain_transaction_attempt a
                      WHERE a.chain_transaction_id = t.chain_transaction_id)
        GROUP BY i.payout_id HAVING count(DISTINCT t.nonce) > 1) x)"},
    // Bytes are stored before they are first sent, and a payout that is out has bytes.
    Check{"I18", R"(
      SELECT (SELECT count(*) FROM chain_transaction_attempt
              WHERE octet_length(raw) = 0 OR first_broadcast_time < sign_time)
           + (SELECT count(*) FROM chain_transaction t WHERE state IN ('SIGNED', 'BROADCAST',
             'INCLUDED', 'FINALIZED')
                AND NOT EXISTS (SELECT FROM chain_transaction_attempt a
                                WHERE a.chain_transaction_id = t.chain_transaction_id)) AS
                                  violations)"},
    // No hole below the counter.
    Check{"I20", R"(
      SELECT count(*) AS violations FROM sender_wallet w
      WHERE (SELECT count(*) FROM chain_transaction t
             WHERE t.chain = w.chain AND t.wallet = w.address AND t.nonce >= w.initial_nonce)
            <> w.next_nonce - w.initial_nonce)"},
    // 2130 is what reserved payouts hold.
    Check{"2130", R"(
      SELECT count(*) AS violations FROM (
        SELECT merchant_id, unit, sum(amount) AS held FROM payout
        WHERE state IN ('RESERVED', 'SUBMITTED', 'INCLUDED') GROUP BY merchant_id, unit) p
      FULL JOIN (SELECT owner, unit, credits - debits AS balance FROM ledger_account WHERE code =
        2130) a
        ON a.owner = p.merchant_id AND a.unit = p.unit
      WHERE coalesce(p.held, 0) <> coalesce(a.balance, 0))"},
    // 1130 is what stands in blocks that are not final.
    Check{"1130", R"(
      SELECT count(*) AS violations FROM (
        SELECT chain, unit, sum(amount) AS held FROM payout WHERE state = 'INCLUDED' GROUP BY
          chain, unit) p
      FULL JOIN (SELECT owner, unit, debits - credits AS balance FROM ledger_account WHERE code =
        1130) a
        ON a.owner = p.chain AND a.unit = p.unit
      WHERE coalesce(p.held, 0) <> coalesce(a.balance, 0))"},
    // Payouts never settle more of a payment than its net.
    Check{"lines", R"(
      SELECT count(*) AS violations FROM (
        SELECT line.payment_id, payout.unit, sum(line.amount) AS used
        FROM payout_line line JOIN payout USING (payout_id)
        WHERE payout.state IN ('FINALIZED') AND NOT line.released GROUP BY line.payment_id,
          payout.unit) l
      JOIN payment_money m ON m.payment_id = l.payment_id AND m.unit = l.unit
      WHERE m.net > 0 AND l.used > m.net)"},
    // Gas once for each mined final transaction.
    Check{"I34", R"(
      SELECT count(*) AS violations FROM chain_transaction t
      WHERE t.state = 'FINALIZED' AND t.gas_cost > 0
        AND (SELECT count(*) FROM ledger_journal j
             WHERE j.rule = 'P11' AND j.event_id = t.chain_transaction_id) <> 1)"},
};

}  // namespace

std::vector<PayoutInvariant> CountPayoutViolations(pg::Transaction& tx) {
  std::vector<PayoutInvariant> counts;
  for (const Check& check : kChecks) {
    counts.push_back(
        {std::string(check.id), tx.Execute(check.sql).front().Get<std::int64_t>("violations")});
  }
  return counts;
}

}  // namespace paymesh::settlement
