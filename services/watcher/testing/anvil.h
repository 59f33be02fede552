// For tests: a real EVM node of one's own, a token on it, and signed payments. One thread.
#pragma once

#include <sys/types.h>

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/evm/transaction.h"

namespace paymesh::watcher {

class Anvil {
 public:
  // Starts PAYMESH_ANVIL on a free port, without blocks of its own accord; aborts when it cannot.
  explicit Anvil(std::vector<std::string> arguments = {}, std::uint64_t chain_id = 31337);
  ~Anvil();
  Anvil(const Anvil&) = delete;
  Anvil& operator=(const Anvil&) = delete;

  const std::string& url() const { return url_; }
  std::uint64_t chain_id() const { return chain_id_; }
  // The result of a call; aborts on an error, as tests ask only what must succeed.
  boost::json::value Rpc(const std::string& method, const std::string& params);
  void Mine(int blocks = 1);
  std::uint64_t Height();
  void Pause();  // the process hangs: connections are taken, nothing is answered
  void Continue();
  void Stop();
  void Start();  // again, on the same port, without its state

  // Deploys the development token; mined.
  evm::Address DeployToken();
  // A signed mint of `amount` to an address: a Transfer from nobody. Same nonce: same slot.
  evm::SignedTransaction SignMint(const evm::Address& token, const evm::Address& to,
                                  std::uint64_t amount, std::uint64_t nonce);
  // The same from within a creation, whose code then runs `then` (bytecode as hexadecimal).
  evm::SignedTransaction SignMintAnd(const std::string& then, const evm::Address& token,
                                     const evm::Address& to, std::uint64_t amount,
                                     std::uint64_t nonce);
  std::uint64_t NextNonce() { return nonce_++; }
  void SetNonce(std::uint64_t nonce) { nonce_ = nonce; }
  void Send(const evm::SignedTransaction& transaction);
  // Rebuilds the last `depth` blocks from nothing but `transactions`, each with the block (from 0,
  // the lowest rebuilt) that it goes into.
  void Reorg(int depth,
             const std::vector<std::pair<evm::SignedTransaction, int>>& transactions = {});

 private:
  const std::vector<std::string> arguments_;
  const std::uint64_t chain_id_;
  int port_ = 0;
  std::string url_;
  pid_t pid_ = -1;
  std::uint64_t nonce_ = 0;
};

}  // namespace paymesh::watcher
