// The sender's store on PostgreSQL: every change is one transaction that first makes sure of the
// wallet's lease.
// One strand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "services/settlement/store/chain_transaction_store.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::pg {
class Database;
}
namespace paymesh::runtime {
class IdSource;
}

namespace paymesh::settlement {

struct SenderStoreOptions {
  WalletKey wallet;
  std::string lease;  // its name
  evm::Address vault;
  std::size_t max_open_slots = 16;  // looked at in a turn
  std::size_t max_sweep_batch = 50;
  // Deposits below this many base units are not worth their gas; by unit, none for absent ones.
  std::map<std::string, U256> min_sweep;
  std::chrono::milliseconds park_for{60'000};
};

class PgSenderStore final : public SenderStore {
 public:
  PgSenderStore(pg::Database& database, runtime::IdSource& ids, SenderStoreOptions options);

  Task<Result<std::optional<WalletView>>> Load() override;
  Task<Status> InitializeWallet(std::int64_t epoch, std::uint64_t nonce) override;
  Task<Result<std::vector<std::uint64_t>>> MissingNonces(std::uint64_t latest) override;
  Task<Status> DraftNoop(std::int64_t epoch, std::uint64_t nonce, Call noop) override;
  Task<Status> RecordForeign(std::int64_t epoch, std::uint64_t finalized) override;
  Task<Result<PayoutQueue>> Payouts(int limit) override;
  Task<Status> Park(std::int64_t epoch, std::string payout_id, std::string reason) override;
  Task<Status> DraftPayouts(std::int64_t epoch, std::vector<PayItem> items, Call call) override;
  Task<Result<std::optional<SweepBatch>>> NextSweep() override;
  Task<Status> DraftSweep(std::int64_t epoch, SweepBatch batch, Call call) override;
  Task<Result<std::string>> PausedReason(std::vector<std::string> payout_ids) override;
  Task<Status> WithdrawDraft(std::int64_t epoch, std::string slot_id, Call noop,
                             std::string reason) override;
  Task<Status> StoreSigned(std::int64_t epoch, std::string slot_id, std::int64_t revision,
                           Attempt attempt) override;
  Task<Status> RecordReply(std::string slot_id, evm::Hash32 hash, Reply reply) override;
  Task<Status> MarkUsed(std::int64_t epoch, std::string slot_id, bool used) override;
  Task<Status> Lose(std::int64_t epoch, std::string slot_id, std::string reason) override;
  Task<Status> Explain(std::string slot_id, std::string reason) override;

 private:
  using Change = std::function<Status(pg::Transaction&)>;
  // The change under the lease.
  Task<Status> Guarded(const char* name, std::int64_t epoch, Change change);

  pg::Database& database_;
  runtime::IdSource& ids_;
  const SenderStoreOptions options_;
};

}  // namespace paymesh::settlement
