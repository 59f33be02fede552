// What the vaults say of payouts at final blocks: the last word where a transaction's logs leave
// open whether a payout was paid. Any thread; each call resumes on its caller's executor.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/runtime/clock.h"
#include "common/runtime/task.h"

namespace grpc {
class Channel;
}

namespace paymesh::settlement {

struct VaultWord {
  std::string vault;  // lower case
  bool paid = false;
  std::uint64_t block_number = 0;  // final
  std::string block_hash;
  std::optional<Time> block_time = std::nullopt;
};

// A port, so that tests need no chain.
class VaultRecord {
 public:
  virtual ~VaultRecord() = default;
  // NOT_FOUND CHAIN_NOT_FOUND where there is no vault; else the watcher's errors.
  virtual Task<Result<VaultWord>> Paid(std::string chain, std::string payout_id) = 0;
};

// `vaults`: by CAIP-2 chain.
std::unique_ptr<VaultRecord> MakeVaultRecord(std::shared_ptr<grpc::Channel> watcher,
                                             std::map<std::string, evm::Address> vaults);

}  // namespace paymesh::settlement
