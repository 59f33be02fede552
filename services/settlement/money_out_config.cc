#include "services/settlement/money_out_config.h"

#include <utility>

#include "common/aws/credential_source.h"
#include "common/money/amount.h"

namespace paymesh::settlement {
namespace {

using std::chrono::milliseconds;

constexpr char kDefaultFeeCeiling[] = "500000000000";       // 500 gwei
constexpr char kDefaultMinBalance[] = "50000000000000000";  // 0.05 of the coin

// Wei, written as a base-10 integer: YAML's own integers end at 2^63.
U256 ReadWei(const runtime::ConfigNode& node, std::string_view key, std::string otherwise) {
  const auto value = U256::FromDecimal(node.Optional<std::string>(key, std::move(otherwise)));
  if (value.ok()) return *value;
  node.AddError(key, "must be a count of wei, a base-10 integer in quotes");
  return U256();
}

int ReadCount(const runtime::ConfigNode& node, std::string_view key, int otherwise, int most) {
  const int value = node.Optional<int>(key, otherwise);
  if (value < 1 || value > most) node.AddError(key, "must be 1 to " + std::to_string(most));
  return value;
}

void ReadSending(const runtime::ConfigNode& node, MoneyOutConfig& config) {
  SendPolicy& policy = config.policy;
  config.poll_interval = node.Optional<milliseconds>("poll_interval", config.poll_interval);
  config.lease_ttl = node.Optional<milliseconds>("lease_ttl", config.lease_ttl);
  config.foreign_grace = node.Optional<milliseconds>("foreign_grace", config.foreign_grace);
  config.funding_interval =
      node.Optional<milliseconds>("funding_interval", config.funding_interval);
  config.max_open_slots = ReadCount(node, "max_open", config.max_open_slots, 64);
  config.min_balance = ReadWei(node, "min_balance", kDefaultMinBalance);
  policy.retry_after = node.Optional<milliseconds>("retry_after", policy.retry_after);
  policy.resend_after = node.Optional<milliseconds>("resend_after", policy.resend_after);
  policy.bump_after = node.Optional<milliseconds>("bump_after", policy.bump_after);
  policy.max_attempts = static_cast<std::size_t>(ReadCount(node, "max_attempts", 8, 50));
  policy.fee_ceiling = ReadWei(node, "max_fee_per_gas", kDefaultFeeCeiling);
}

void ReadSweeps(const runtime::ConfigNode& node, MoneyOutConfig& config) {
  config.sweeps = node.Optional<bool>("enabled", true);
  config.max_sweep_batch =
      ReadCount(node, "max_batch", config.max_sweep_batch, static_cast<int>(kMaxSweepBatch));
  for (const runtime::ConfigNode& entry : node.List("minimums")) {
    const auto amount =
        Amount::Parse(entry.Required<std::string>("unit"), entry.Required<std::string>("value"));
    if (amount.ok()) {
      config.min_sweep[amount->unit.ToString()] = amount->value;
    } else {
      entry.AddError("value", amount.error().message);
    }
  }
}

KmsSignerConfig ReadKms(const runtime::ConfigNode& node) {
  KmsSignerConfig kms;
  kms.key_id = node.Required<std::string>("key_id");
  kms.region = node.Optional<std::string>("region", "");
  kms.endpoint = node.Optional<std::string>("endpoint", "");
  kms.requests_per_second = node.Optional<double>("requests_per_second", kms.requests_per_second);
  if (!kms.endpoint.empty() && !aws::IsSafeEndpoint(kms.endpoint)) {
    node.AddError("endpoint", "must be https, or plain http to this machine, without a path");
  }
  if (!(kms.requests_per_second >= 1 && kms.requests_per_second <= 500)) {
    node.AddError("requests_per_second", "must be 1 to 500");
  }
  return kms;
}

void ReadSigner(const runtime::ConfigNode& node, MoneyOutConfig& config) {
  if (!node.Has("kms")) {
    config.keystore_file = node.Required<std::string>("keystore_file");
    config.password_file = node.Required<std::string>("password_file");
    return;
  }
  config.kms = ReadKms(node.Child("kms"));
  for (const char* other : {"keystore_file", "password_file"}) {
    if (node.Maybe<std::string>(other)) node.AddError(other, "there is a key in kms already");
  }
}

}  // namespace

MoneyOutConfig ReadMoneyOutConfig(const runtime::ConfigNode& root) {
  MoneyOutConfig config;
  ReadSigner(root.Child("signer"), config);
  const runtime::ConfigNode payouts = root.Child("payouts");
  config.destination_cooling_off =
      payouts.Optional<milliseconds>("destination_cooling_off", config.destination_cooling_off);
  config.manual_payout_approval = payouts.Optional<bool>("manual_payout_approval", true);
  config.plan_interval = payouts.Optional<milliseconds>("plan_interval", config.plan_interval);
  config.max_pay_batch =
      ReadCount(payouts, "max_batch", config.max_pay_batch, static_cast<int>(kMaxPayBatch));
  config.park_for = payouts.Optional<milliseconds>("park_for", config.park_for);
  ReadSending(root.Child("sending"), config);
  ReadSweeps(root.Child("sweeps"), config);
  config.invariants_interval =
      root.Optional<milliseconds>("invariant_interval", config.invariants_interval);
  return config;
}

}  // namespace paymesh::settlement
