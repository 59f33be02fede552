#include "services/settlement/store/payout_pause.h"

#include "common/pg/audit.h"
#include "services/settlement/store/pause_store.h"

namespace paymesh::settlement {

std::string PauseReason(pg::Transaction& tx, std::string_view chain, std::string_view unit,
                        std::string_view merchant_id) {
  const auto pause = FindPause(tx, chain, unit, merchant_id);
  if (!pause) return "";
  return "payouts are paused for " + std::string(PauseKindName(pause->kind)) + " " + pause->value +
         ": " + pause->reason;
}

void PauseChain(pg::Transaction& tx, std::string_view chain, std::string_view reason, Time now) {
  PauseRow row;
  row.kind = PauseKind::kChain;
  row.value = std::string(chain);
  row.reason = std::string(reason);
  row.creator = "settlement";
  row.create_time = now;
  PutPause(tx, row);
  pg::Audit(tx, "settlement", "PausePayouts", chain);
}

}  // namespace paymesh::settlement
