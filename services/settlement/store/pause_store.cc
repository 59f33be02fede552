#include "services/settlement/store/pause_store.h"

namespace paymesh::settlement {
namespace {

PauseKind ParseKind(std::string_view name) {
  if (name == "unit") return PauseKind::kUnit;
  return name == "merchant" ? PauseKind::kMerchant : PauseKind::kChain;
}

PauseRow ToRow(const pg::Row& row) {
  return {ParseKind(row.Get<std::string>("kind")),
          row.Get<std::string>("value"),
          row.Get<std::string>("reason"),
          row.Get<std::string>("creator"),
          row.Get<bool>("by_watcher"),
          row.Get<Time>("create_time")};
}

}  // namespace

std::string_view PauseKindName(PauseKind kind) {
  switch (kind) {
    case PauseKind::kChain:
      return "chain";
    case PauseKind::kUnit:
      return "unit";
    case PauseKind::kMerchant:
      return "merchant";
  }
  return "";
}

PauseRow PutPause(pg::Transaction& tx, const PauseRow& row) {
  tx.Execute(
      "INSERT INTO pause (kind, value, by_watcher, reason, creator) VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT DO NOTHING",
      PauseKindName(row.kind), row.value, row.by_watcher, row.reason, row.creator);
  const pg::Rows rows =
      tx.Execute("SELECT * FROM pause WHERE kind = $1 AND value = $2 AND by_watcher = $3",
                 PauseKindName(row.kind), row.value, row.by_watcher);
  return rows.empty() ? row : ToRow(rows.front());
}

bool DropPause(pg::Transaction& tx, PauseKind kind, std::string_view value, bool by_watcher) {
  return tx.Execute("DELETE FROM pause WHERE kind = $1 AND value = $2 AND by_watcher = $3",
                    PauseKindName(kind), value, by_watcher)
             .affected() > 0;
}

std::vector<PauseRow> ListPauseRows(pg::Transaction& tx, int limit) {
  std::vector<PauseRow> pauses;
  for (const pg::Row& row :
       tx.Execute("SELECT * FROM pause ORDER BY kind, value, by_watcher LIMIT $1::bigint", limit)) {
    pauses.push_back(ToRow(row));
  }
  return pauses;
}

std::optional<PauseRow> FindPause(pg::Transaction& tx, std::string_view chain,
                                  std::string_view unit, std::string_view merchant_id) {
  const pg::Rows rows = tx.Execute(
      "SELECT * FROM pause WHERE (kind = 'chain' AND value = $1) OR (kind = 'unit' AND value = $2)"
      " OR (kind = 'merchant' AND value = $3) ORDER BY by_watcher DESC, kind LIMIT 1",
      chain, unit, merchant_id);
  if (rows.empty()) return std::nullopt;
  return ToRow(rows.front());
}

}  // namespace paymesh::settlement
