// Money out as a part of the running service: its configuration, and what it is made of.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/host.h"
#include "services/settlement/domain/chain_transaction.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::pg {
class Database;
}

namespace paymesh::settlement {

class PayoutService;

// Plain values; see README.md for the keys.
struct MoneyOutConfig {
  std::string keystore_file;
  std::string password_file;
  std::chrono::milliseconds destination_cooling_off{std::chrono::hours(24)};
  bool manual_payout_approval = true;
  std::chrono::milliseconds plan_interval{2'000};
  int max_pay_batch = 20;
  std::chrono::milliseconds park_for{60'000};

  std::chrono::milliseconds poll_interval{500};
  std::chrono::milliseconds lease_ttl{15'000};
  std::chrono::milliseconds foreign_grace{60'000};
  std::chrono::milliseconds funding_interval{15'000};
  int max_open_slots = 8;
  U256 min_balance;
  SendPolicy policy;
  GasLimits gas;

  bool sweeps = true;
  int max_sweep_batch = 50;
  std::map<std::string, U256> min_sweep;

  std::chrono::milliseconds invariants_interval{60'000};
};

// The keys `signer`, `payouts`, `sending` and `sweeps`. Problems stay in the node.
MoneyOutConfig ReadMoneyOutConfig(const runtime::ConfigNode& root);

class MoneyOut {
 public:
  // Opens the keystore. The database outlives it.
  static Result<std::unique_ptr<MoneyOut>> Make(runtime::Host& host, pg::Database& database,
                                                const MoneyOutConfig& config);
  ~MoneyOut();
  MoneyOut(const MoneyOut&) = delete;
  MoneyOut& operator=(const MoneyOut&) = delete;

  rpc::ServedService Service();
  std::vector<runtime::Worker> Workers();
  // The operator wallet, lower case, the same on each chain.
  const std::string& wallet() const;

 private:
  struct Parts;
  explicit MoneyOut(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace paymesh::settlement
