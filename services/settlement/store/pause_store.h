// What may not be paid out at present: scopes that an operator paused, and halted chains.
// One thread (the transaction's).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/pg/transaction.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

enum class PauseKind { kChain, kUnit, kMerchant };
std::string_view PauseKindName(PauseKind kind);  // "chain"

struct PauseRow {
  PauseKind kind = PauseKind::kChain;
  std::string value;
  std::string reason;
  std::string creator;
  bool by_watcher = false;
  Time create_time{};
};

// Puts the row there unless there is one; gives the row that is in force.
PauseRow PutPause(pg::Transaction& tx, const PauseRow& row);
// False when there was none. A row of the watcher's goes only with by_watcher.
bool DropPause(pg::Transaction& tx, PauseKind kind, std::string_view value, bool by_watcher);
std::vector<PauseRow> ListPauseRows(pg::Transaction& tx, int limit);

// The pause that stops a payout of `unit` on `chain` to `merchant_id`, if any; empty strings match
// nothing.
std::optional<PauseRow> FindPause(pg::Transaction& tx, std::string_view chain,
                                  std::string_view unit, std::string_view merchant_id);

}  // namespace paymesh::settlement
