#include "services/checkout/store/chain_store.h"

#include <boost/json.hpp>

#include "common/pg/audit.h"

namespace paymesh::checkout {
namespace {

constexpr std::string_view kSaveProgress = R"sql(
  INSERT INTO chain_progress (chain, block_number, block_hash, block_time, safe_number,
                              finalized_number)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (chain) DO UPDATE SET
    block_number = excluded.block_number, block_hash = excluded.block_hash,
    block_time = excluded.block_time, safe_number = excluded.safe_number,
    finalized_number = excluded.finalized_number)sql";

constexpr std::string_view kSaveHalt = R"sql(
  INSERT INTO chain_progress (chain, block_number, block_hash, block_time, safe_number,
                              finalized_number, halted, halt_reason)
  VALUES ($1, 0, '', 'epoch', 0, 0, $2, $3)
  ON CONFLICT (chain) DO UPDATE SET
    halted = excluded.halted, halt_reason = excluded.halt_reason)sql";

constexpr std::string_view kFindExpirable = R"sql(
  SELECT payment_id FROM payment
  WHERE state IN (1, 2, 3)
    AND expire_time < (SELECT max(block_time) FROM chain_progress) - make_interval(secs => $1)
    AND NOT EXISTS (
      SELECT 1 FROM unnest(payment.chains) AS offered (chain)
      LEFT JOIN chain_progress USING (chain) LEFT JOIN chain_waiver USING (chain)
      WHERE chain_waiver.chain IS NULL
        AND (chain_progress.chain IS NULL
             OR chain_progress.block_time <= payment.expire_time + make_interval(secs => $1)))
  ORDER BY expire_time LIMIT $2)sql";

// With every chain waived there is no newest block to go by; the database's clock bounds the
// search.
constexpr std::string_view kFindWaived = R"sql(
  SELECT payment_id FROM payment
  WHERE state IN (1, 2, 3) AND expire_time < now() - make_interval(secs => $1)
    AND NOT EXISTS (SELECT 1 FROM unnest(payment.chains) AS offered (chain)
                    LEFT JOIN chain_waiver USING (chain) WHERE chain_waiver.chain IS NULL)
  ORDER BY expire_time LIMIT $2)sql";

constexpr std::string_view kFindLost = R"sql(
  SELECT DISTINCT payment_id FROM payment JOIN payment_transfer USING (payment_id)
  JOIN chain_progress USING (chain)
  WHERE state = 5 AND decided_gross IS NOT NULL AND NOT reversed AND payment_transfer.orphaned
    AND chain_progress.finalized_number >= payment_transfer.block_number + $1::bigint
    AND NOT EXISTS (SELECT 1 FROM payment_transfer live
                    WHERE live.payment_id = payment.payment_id AND NOT live.orphaned
                      AND (NOT live.decided OR live.accepted > 0))
  ORDER BY payment_id LIMIT $2)sql";

std::string Because(std::string_view reason) {
  return boost::json::serialize(boost::json::object{{"reason", reason}});
}

std::vector<std::string> Ids(const pg::Rows& rows) {
  std::vector<std::string> ids;
  for (const pg::Row& row : rows) ids.push_back(row.Get<std::string>("payment_id"));
  return ids;
}

}  // namespace

void SaveProgress(pg::Transaction& tx, const ChainProgress& progress) {
  tx.Execute(kSaveProgress, progress.chain, progress.block.number, progress.block.hash,
             progress.block.time, progress.safe_number, progress.finalized_number);
}

void SaveHalt(pg::Transaction& tx, std::string_view chain, bool halted, std::string_view reason) {
  tx.Execute(kSaveHalt, chain, halted, reason);
}

Barrier LoadBarrier(pg::Transaction& tx) {
  Barrier barrier;
  for (const pg::Row& row : tx.Execute("SELECT chain, block_time FROM chain_progress")) {
    barrier.read_until[row.Get<std::string>("chain")] = row.Get<Time>("block_time");
  }
  for (const pg::Row& row : tx.Execute("SELECT chain FROM chain_waiver")) {
    barrier.waived[row.Get<std::string>("chain")] = true;
  }
  return barrier;
}

FinalizedHeights LoadFinalizedHeights(pg::Transaction& tx) {
  FinalizedHeights finalized;
  for (const pg::Row& row : tx.Execute("SELECT chain, finalized_number FROM chain_progress")) {
    finalized.heights[row.Get<std::string>("chain")] = row.Get<std::uint64_t>("finalized_number");
  }
  return finalized;
}

std::vector<std::string> FindExpirable(pg::Transaction& tx, std::chrono::seconds grace, int limit) {
  std::vector<std::string> ids = Ids(tx.Execute(kFindExpirable, grace.count(), limit));
  if (!ids.empty()) return ids;
  return Ids(tx.Execute(kFindWaived, grace.count(), limit));
}

std::vector<std::string> FindDeferrable(pg::Transaction& tx, std::chrono::seconds after,
                                        int limit) {
  return Ids(
      tx.Execute("SELECT payment_id FROM payment WHERE state IN (1, 2, 3) AND NOT "
                 "expiry_deferred AND expire_time < now() - make_interval(secs => $1) "
                 "ORDER BY expire_time LIMIT $2",
                 after.count(), limit));
}

std::vector<std::string> FindLost(pg::Transaction& tx, std::uint64_t margin, int limit) {
  return Ids(tx.Execute(kFindLost, margin, limit));
}

std::vector<Unregistered> FindUnregistered(pg::Transaction& tx, int limit) {
  std::vector<Unregistered> found;
  const pg::Rows rows = tx.Execute(
      "SELECT payment_id, deposit_address, coalesce((SELECT trace FROM journal_entry"
      "  WHERE journal = 'events' AND subject = payment_id AND subject <> ''"
      "  ORDER BY position LIMIT 1), '') AS trace"
      " FROM payment WHERE NOT registered AND state = 1 ORDER BY payment_id LIMIT $1",
      limit);
  for (const pg::Row& row : rows) {
    found.push_back({row.Get<std::string>("payment_id"), row.Get<std::string>("deposit_address"),
                     row.Get<std::string>("trace")});
  }
  return found;
}

void WaiveChain(pg::Transaction& tx, std::string_view chain, std::string_view actor,
                std::string_view reason) {
  tx.Execute(
      "INSERT INTO chain_waiver (chain, actor, reason) VALUES ($1, $2, $3) "
      "ON CONFLICT (chain) DO UPDATE SET actor = excluded.actor, reason = excluded.reason",
      chain, actor, reason);
  pg::Audit(tx, actor, "WaiveChain", chain, Because(reason));
}

void UnwaiveChain(pg::Transaction& tx, std::string_view chain, std::string_view actor,
                  std::string_view reason) {
  tx.Execute("DELETE FROM chain_waiver WHERE chain = $1", chain);
  pg::Audit(tx, actor, "UnwaiveChain", chain, Because(reason));
}

}  // namespace paymesh::checkout
