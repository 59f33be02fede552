// Money out as a part of the running service: the contract's PayoutService, the plans, the senders
// and the follower of our transactions.
// Made on the main thread; what it gives out: any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/host/host.h"
#include "services/settlement/money_out_config.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::settlement {

class MoneyOut {
 public:
  // Opens the signer: reads the keystore, or asks KMS for the public key, which may take a while.
  // The database outlives it.
  static Result<std::unique_ptr<MoneyOut>> Make(runtime::Host& host, pg::Database& database,
                                                const MoneyOutConfig& config);
  ~MoneyOut();
  MoneyOut(const MoneyOut&) = delete;
  MoneyOut& operator=(const MoneyOut&) = delete;

  rpc::ServedService Service();
  std::vector<runtime::Worker> Workers();
  // After the workers have ended: gives the senders' leases back, so that another replica goes on
  // at once. Blocks.
  void Stop();
  // The operator wallet, lower case, the same on each chain.
  const std::string& wallet() const;

 private:
  struct Parts;
  explicit MoneyOut(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace paymesh::settlement
