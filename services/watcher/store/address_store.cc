#include "services/watcher/store/address_store.h"

#include <set>

#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {
namespace {

constexpr char kSelectMissing[] = R"(
  SELECT DISTINCT a.address FROM unnest($1::bytea[]) AS a (address)
   WHERE NOT EXISTS (SELECT FROM watched_address w WHERE w.address = a.address)
   ORDER BY a.address)";
constexpr char kTakePositions[] = R"(
  UPDATE watched_address_head SET position = position + $1 RETURNING position - $1 AS base)";
// Positions of addresses that another replica inserted meanwhile stay unused.
constexpr char kInsert[] = R"(
  INSERT INTO watched_address (address, position)
  SELECT a.address, $2::bigint + a.place
    FROM unnest($1::bytea[]) WITH ORDINALITY AS a (address, place)
  ON CONFLICT (address) DO NOTHING)";
constexpr char kSelectAfter[] = R"(
  SELECT position, address FROM watched_address WHERE position > $1 ORDER BY position LIMIT $2)";

}  // namespace

void InsertAddresses(pg::Transaction& tx, const std::vector<evm::Address>& addresses) {
  std::vector<pg::Bytea> asked;
  for (const evm::Address& address : addresses) asked.push_back(BytesOf(address));
  std::vector<pg::Bytea> missing;
  for (const pg::Row row : tx.Execute(kSelectMissing, asked)) {
    missing.push_back(row.Get<pg::Bytea>("address"));
  }
  if (missing.empty()) return;
  // The head row stays locked to the end of the transaction, so positions are visible in order.
  const pg::Rows taken = tx.Execute(kTakePositions, static_cast<std::int64_t>(missing.size()));
  tx.Execute(kInsert, missing, taken.front().Get<std::int64_t>("base"));
}

std::vector<WatchedAddress> LoadAddresses(pg::Transaction& tx, std::int64_t after, int limit) {
  std::vector<WatchedAddress> out;
  for (const pg::Row row : tx.Execute(kSelectAfter, after, limit)) {
    out.push_back({row.Get<std::int64_t>("position"), AddressOf(row.Get<pg::Bytea>("address"))});
  }
  return out;
}

}  // namespace paymesh::watcher
