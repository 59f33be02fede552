#include "services/watcher/usecases/resume_chain.h"

#include "common/pg/audit.h"
#include "services/watcher/reasons.h"
#include "services/watcher/store/chain_store.h"

namespace paymesh::watcher {

Status ResumeChain(pg::Transaction& tx, const std::string& chain, const std::string& actor) {
  if (!StoreResume(tx, chain, "let go on by " + actor)) {
    return Error::FailedPrecondition(std::string(reasons::kChainNotHalted),
                                     "chain " + chain + " is not halted");
  }
  pg::Audit(tx, actor, "resume-chain", chain);
  return {};
}

}  // namespace paymesh::watcher
