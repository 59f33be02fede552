// The sender's chain, seen through the watcher's gRPC services.
// Any thread; each call resumes on its caller's executor.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "services/settlement/workers/sender_ports.h"

namespace grpc {
class Channel;
}

namespace paymesh::settlement {

struct SenderChainOptions {
  std::string chain;  // CAIP-2
  evm::Address vault;
  evm::Address wallet;
  std::chrono::milliseconds timeout{10'000};
};

std::unique_ptr<SenderChain> MakeSenderChain(std::shared_ptr<grpc::Channel> watcher,
                                             SenderChainOptions options);

// The native balance of the wallet at the highest final block.
struct NativeBalance {
  U256 wei;
  std::uint64_t block_number = 0;
  std::string block_hash;
};
class WalletBalance {
 public:
  virtual ~WalletBalance() = default;
  virtual Task<Result<NativeBalance>> AtFinal() = 0;
};
std::unique_ptr<WalletBalance> MakeWalletBalance(std::shared_ptr<grpc::Channel> watcher,
                                                 SenderChainOptions options);

}  // namespace paymesh::settlement
