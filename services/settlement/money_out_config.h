// Money out's part of the configuration.
// Plain values; any thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "common/config/config.h"
#include "services/settlement/domain/chain_transaction.h"
#include "services/settlement/domain/chain_transaction_call.h"

namespace paymesh::settlement {

struct KmsSignerConfig {
  std::string key_id;
  std::string region;    // empty: AWS_REGION's
  std::string endpoint;  // empty: the region's own
  double requests_per_second = 20;
};

// Plain values; see README.md for the keys.
struct MoneyOutConfig {
  // One of the two: a keystore's files, or a key in KMS.
  std::string keystore_file;
  std::string password_file;
  std::optional<KmsSignerConfig> kms;
  // The process's AWS_... variables, for the latter; not from the file.
  std::map<std::string, std::string> aws_environment;
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

}  // namespace paymesh::settlement
