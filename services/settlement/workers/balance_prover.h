// Holds the books against the chains: at the newest final block that our own evidence has reached,
// what the ledger says of the vault, of all deposit addresses together and of the operators' gas,
// and what the chain says. Deposits that hold nothing by the evidence are read in a bounded sample.
// Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/chains.h"
#include "common/error/error.h"
#include "common/money/u256.h"
#include "common/runtime/task.h"
#include "services/settlement/store/evidence_store.h"

namespace grpc {
class Channel;
}
namespace paymesh::pg {
class Database;
}

namespace paymesh::settlement {

// A line of a proof; `negative`: the books stand on the wrong side of the account.
struct HoldingProof {
  std::string chain;
  std::string unit;
  std::string kind;  // "vault", "deposits", "gas"
  std::string address;
  U256 book;
  bool booked = false;  // the books have the account
  bool negative = false;
  U256 on_chain;
  BlockEvidence block;
  bool equal() const { return !negative && book == on_chain; }
};
struct UnitSums {
  std::string unit;
  U256 debits;
  U256 credits;
};
struct ProofOfBalances {
  std::vector<HoldingProof> holdings;
  std::vector<UnitSums> totals;
  bool proven() const;
};

// Balances at a block, in the order asked. A port, so that tests need no chain.
struct BalanceRead {
  std::string address;
  std::string unit;
};
class BalanceReader {
 public:
  virtual ~BalanceReader() = default;
  virtual Task<Result<std::vector<U256>>> Read(std::string chain, std::uint64_t block,
                                               std::vector<BalanceRead> reads) = 0;
};
std::unique_ptr<BalanceReader> WatcherBalances(std::shared_ptr<grpc::Channel> watcher);

class BalanceProver {
 public:
  // All outlive the prover.
  BalanceProver(pg::Database& database, BalanceReader& reader, const runtime::ChainsConfig& chains)
      : database_(database), reader_(reader), chains_(chains) {}

  // Of one chain, or of all for the empty text. NOT_FOUND CHAIN_NOT_FOUND; UNAVAILABLE when a chain
  // cannot be read, or nothing of it is final yet. The payouts' and the transfers' journals arrive
  // separately, so a difference is looked at again a few times before it is believed.
  Task<Result<ProofOfBalances>> Prove(std::string chain);

 private:
  Task<Result<ProofOfBalances>> ProveOnce(std::string chain);

  pg::Database& database_;
  BalanceReader& reader_;
  const runtime::ChainsConfig& chains_;
};

}  // namespace paymesh::settlement
