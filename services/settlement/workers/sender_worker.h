// Runs the sender of one wallet while this replica holds the wallet's lease, and keeps the wallet's
// gas account in step with the chain.
// Run: one coroutine.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "common/runtime/task.h"
#include "services/settlement/store/chain_transaction_store.h"
#include "services/settlement/workers/sender.h"
#include "services/settlement/workers/sender_chain.h"

namespace paymesh::pg {
class Database;
class LeaseKeeper;
}  // namespace paymesh::pg
namespace paymesh::runtime {
class IdSource;
class Logger;
class Metrics;
}  // namespace paymesh::runtime

namespace paymesh::settlement {

struct SenderWorkerOptions {
  WalletKey wallet;
  std::string lease;
  std::chrono::milliseconds poll_interval{500};
  std::chrono::milliseconds funding_interval{15'000};
  U256 min_balance;  // below it an alarm: wei
};

// Holds the wallet's gas account against its balance at a final block: what is there beyond the
// books came from outside and is booked (P0). Negative: the books say more than there is (a
// transaction whose fate has not reached us, or somebody else's spending); nothing is booked. The
// label of settlement_signature_requests_total for the reason of a signer's failure, "" being none.
std::string_view SignatureOutcome(std::string_view reason);

struct FundingResult {
  bool looked = false;  // false: something of ours at or below the block is not final yet
  U256 booked;
  U256 missing;
};
Result<FundingResult> BookFunding(pg::Transaction& tx, const WalletKey& key,
                                  const NativeBalance& balance);

class SenderWorker {
 public:
  // The store, the keeper and the database outlive the worker.
  SenderWorker(SenderWorkerOptions options, SenderOptions sender, pg::Database& database,
               SenderStore& store, pg::LeaseKeeper& lease, std::unique_ptr<SenderChain> chain,
               std::unique_ptr<WalletBalance> balance, Signer& signer, runtime::Logger& log,
               runtime::Metrics& metrics);
  ~SenderWorker();
  Task<void> Run();
  Task<void> RunFunding();

 private:
  SenderObserver MakeObserver();
  Task<bool> OneTurn(std::int64_t epoch);

  struct Gauges;
  const SenderWorkerOptions options_;
  pg::Database& database_;
  pg::LeaseKeeper& lease_;
  const std::unique_ptr<SenderChain> chain_;
  const std::unique_ptr<WalletBalance> balance_;
  runtime::Logger& log_;
  runtime::Metrics& metrics_;
  const std::unique_ptr<Gauges> gauges_;
  Sender sender_;
};

}  // namespace paymesh::settlement
