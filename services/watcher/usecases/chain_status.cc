#include "services/watcher/usecases/chain_status.h"

#include <utility>

#include "services/watcher/usecases/advance_chain.h"

namespace paymesh::watcher {

Task<Status> HaltChain(pg::Database& database, std::string chain, std::int64_t epoch,
                       std::string why) {
  auto write = [chain = std::move(chain), epoch,
                why = std::move(why)](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreHalt(tx, chain, why);
    return {};
  };
  const pg::TransactOptions options{.name = "halt_chain", .idempotent = true};
  co_return co_await database.Transact(options, write);
}

Task<Status> WriteChainStatus(pg::Database& database, std::string chain, std::int64_t epoch,
                              ChainStatus status) {
  auto write = [chain = std::move(chain), epoch,
                status = std::move(status)](pg::Transaction& tx) -> Status {
    RETURN_IF_ERROR(RequireLeader(tx, chain, epoch));
    StoreStatus(tx, chain, status);
    return {};
  };
  const pg::TransactOptions options{.name = "chain_status", .idempotent = true};
  co_return co_await database.Transact(options, write);
}

}  // namespace paymesh::watcher
