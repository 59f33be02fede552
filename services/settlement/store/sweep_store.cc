#include "services/settlement/store/sweep_store.h"

#include <vector>

#include "common/money/unit.h"

namespace paymesh::settlement {
namespace {

// A slot that has just swept a deposit finally may be ahead of the transfers that will say so; it
// is left alone for a while.
constexpr std::string_view kSweepable = R"(
  SELECT h.unit, h.payment_id
  FROM deposit_holding h
  LEFT JOIN unnest($2::text[], $3::numeric[]) AS least (unit, amount) ON least.unit = h.unit
  WHERE h.chain = $1 AND h.finalized > h.moved
    AND h.finalized - h.moved >= coalesce(least.amount, 1)
    AND NOT EXISTS (
      SELECT FROM sweep_backoff b
      WHERE b.payment_id = h.payment_id AND b.unit = h.unit AND b.next_try_time > now())
    AND NOT EXISTS (
      SELECT FROM chain_transaction_item i JOIN chain_transaction t USING (chain_transaction_id)
      WHERE i.payment_id = h.payment_id AND t.unit = h.unit AND t.chain = h.chain AND i.alive
        AND (t.state IN ('DRAFT', 'SIGNED', 'BROADCAST', 'INCLUDED')
             OR (t.state = 'FINALIZED' AND i.outcome = 'PAID'
                 AND t.update_time > now() - interval '2 minutes')))
  ORDER BY h.unit, h.payment_id
  LIMIT $4)";

}  // namespace

Result<std::optional<SweepBatch>> NextSweepBatch(pg::Transaction& tx, std::string_view chain,
                                                 const std::map<std::string, U256>& minimums,
                                                 int limit) {
  std::vector<std::string> units;
  std::vector<U256> amounts;
  for (const auto& [unit, amount] : minimums) {
    units.push_back(unit);
    amounts.push_back(amount);
  }
  SweepBatch batch;
  for (const pg::Row row : tx.Execute(kSweepable, chain, units, amounts, limit)) {
    const auto unit = row.Get<std::string>("unit");
    if (batch.unit.empty()) batch.unit = unit;
    if (unit != batch.unit) break;  // one token a transaction
    batch.payment_ids.push_back(row.Get<std::string>("payment_id"));
  }
  if (batch.payment_ids.empty()) return std::optional<SweepBatch>();
  ASSIGN_OR_RETURN(const Unit unit, Unit::Parse(batch.unit));
  if (!unit.asset()) return Error::Internal("a deposit in a currency");
  batch.token = evm::Address::Of(*unit.asset());
  return std::optional<SweepBatch>(std::move(batch));
}

}  // namespace paymesh::settlement
