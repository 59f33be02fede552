// For tests: a real chain node with our contracts, as the sender's chain, and the fates of what was
// sent to it, as the watcher would tell them.
// One thread.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <vector>

#include "services/settlement/store/chain_transaction_flow.h"
#include "services/settlement/workers/sender_ports.h"

namespace paymesh::settlement {

class AnvilChain final : public SenderChain {
 public:
  // Starts the node that PAYMESH_ANVIL names, deploys the contracts and stops mining by itself.
  // Aborts when it cannot: a test never passes by not running.
  explicit AnvilChain(const evm::Address& wallet);
  ~AnvilChain() override;
  AnvilChain(const AnvilChain&) = delete;
  AnvilChain& operator=(const AnvilChain&) = delete;

  // The node.
  boost::json::value Rpc(std::string_view method, std::string_view params);
  // The whole answer, also an error.
  boost::json::object RpcAnswer(std::string_view method, std::string_view params);
  void Mine(int blocks = 1);
  // A transaction of one of the node's own unlocked accounts, mined at once.
  void SendAs(const evm::Address& from, const evm::Address& to, const evm::Bytes& data);
  U256 BalanceOf(const evm::Address& token, const evm::Address& holder,
                 std::string_view block = "latest");
  evm::Address Contract(std::string_view name) const;  // "vault", "factory"
  evm::Address Token(std::string_view name) const;     // "testUsd"
  evm::Address owner() const { return owner_; }
  const std::string& url() const { return url_; }

  // What changed for the transactions that were broadcast here since the last call, in order.
  std::vector<Fate> Fates();
  // The next broadcast reaches the node, and its answer is lost.
  void LoseNextReply() { lose_reply_ = true; }
  int broadcasts() const { return broadcasts_; }

  Task<Result<AccountNonces>> Nonces() override;
  Task<Result<Market>> Fees() override;
  Task<Result<std::map<std::string, U256>>> VaultBalances(std::vector<std::string> units) override;
  Task<Result<std::map<std::string, U256>>> DailyAllowances(
      std::vector<std::string> units) override;
  Task<Result<std::string>> DryRun(PayItem item) override;
  Task<Result<bool>> IsPaid(std::string payout_id) override;
  Task<Result<Reply>> Broadcast(evm::Bytes raw) override;
  Task<Result<Whereabouts>> Find(evm::Hash32 hash) override;

 private:
  struct Known {
    FateState state = FateState::kPending;
    std::string block_hash;
  };
  Fate ReadFate(const std::string& hash, std::uint64_t finalized);

  evm::Address wallet_;
  evm::Address owner_;
  pid_t node_ = -1;
  std::string folder_;
  std::string url_;
  int port_ = 0;
  boost::json::value contracts_;
  std::map<std::string, Known> known_;
  bool lose_reply_ = false;
  int broadcasts_ = 0;
};

}  // namespace paymesh::settlement
