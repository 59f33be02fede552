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
  INSERT INTO watched_address (address, position, trace)
  SELECT a.address, $2::bigint + a.place, a.trace
    FROM unnest($1::bytea[], $3::text[]) WITH ORDINALITY AS a (address, trace, place)
  ON CONFLICT (address) DO NOTHING)";
constexpr char kSelectTraces[] = R"(
  SELECT address, trace FROM watched_address WHERE address = ANY($1::bytea[]) AND trace <> '')";
constexpr char kSelectAfter[] = R"(
  SELECT position, address FROM watched_address WHERE position > $1 ORDER BY position LIMIT $2)";

}  // namespace

void InsertAddresses(pg::Transaction& tx, const std::vector<AddressToWatch>& addresses) {
  std::vector<pg::Bytea> asked;
  std::unordered_map<evm::Address, std::string> trace_of;
  for (const AddressToWatch& each : addresses) {
    asked.push_back(BytesOf(each.address));
    trace_of.try_emplace(each.address, each.trace);
  }
  std::vector<pg::Bytea> missing;
  std::vector<std::string> traces;
  for (const pg::Row row : tx.Execute(kSelectMissing, asked)) {
    missing.push_back(row.Get<pg::Bytea>("address"));
    traces.push_back(trace_of[AddressOf(missing.back())]);
  }
  if (missing.empty()) return;
  // The head row stays locked to the end of the transaction, so positions are visible in order.
  const pg::Rows taken = tx.Execute(kTakePositions, static_cast<std::int64_t>(missing.size()));
  tx.Execute(kInsert, missing, taken.front().Get<std::int64_t>("base"), traces);
}

std::vector<WatchedAddress> LoadAddresses(pg::Transaction& tx, std::int64_t after, int limit) {
  std::vector<WatchedAddress> out;
  for (const pg::Row row : tx.Execute(kSelectAfter, after, limit)) {
    out.push_back({row.Get<std::int64_t>("position"), AddressOf(row.Get<pg::Bytea>("address"))});
  }
  return out;
}

std::unordered_map<evm::Address, std::string> TracesOf(pg::Transaction& tx,
                                                       const std::vector<evm::Address>& addresses) {
  std::vector<pg::Bytea> asked;
  for (const evm::Address& address : addresses) asked.push_back(BytesOf(address));
  std::unordered_map<evm::Address, std::string> out;
  for (const pg::Row row : tx.Execute(kSelectTraces, asked)) {
    out[AddressOf(row.Get<pg::Bytea>("address"))] = row.Get<std::string>("trace");
  }
  return out;
}

}  // namespace paymesh::watcher
