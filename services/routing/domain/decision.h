// The decision: a payment's facts crossed with the state of the chains and the rates, to ranked
// options and explained rejections. A pure function: the same inputs give the same answer, to the
// last digit. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/money/amount.h"
#include "services/routing/domain/rates.h"

namespace paymesh::routing {

inline constexpr std::string_view kEngineVersion = "1";

enum class Policy { kIncluded, kSafe, kFinalized };

struct PaymentFacts {
  std::string payment_id;
  std::string merchant_id;
  Amount price;
  std::vector<Unit> accepted_units;
  Policy policy = Policy::kSafe;
  Time expire_time;
};

struct TokenFacts {
  Unit unit;
  std::string symbol;
  unsigned decimals = 0;
  std::string currency;
  bool accepted = false;
};

// A chain as the watcher last told it.
struct ChainFacts {
  std::string chain;  // CAIP-2
  Unit native;
  bool halted = false;
  bool following = false;
  std::string status_reason;
  std::uint64_t head_number = 0;
  std::uint64_t node_head_number = 0;
  Time observe_time;  // when the watcher told it
  std::chrono::milliseconds block_time{0};
  std::chrono::milliseconds safe_time{0};
  std::chrono::milliseconds finalized_time{0};
  U256 max_fee_per_gas;  // wei
  std::vector<TokenFacts> tokens;
};

struct MarketFacts {
  std::vector<ChainFacts> chains;
  RateTable rates;
};

struct Limits {
  // Long, because a payment that is made while the watcher is away shows no address until it is
  // back.
  std::chrono::milliseconds max_observation_age{15 * 60'000};
  std::uint64_t max_lag_blocks = 20;
  std::chrono::milliseconds quote_validity{15 * 60'000};
};

enum class Bearer { kPayer, kPlatform };
struct Cost {
  std::string kind;
  Bearer bearer = Bearer::kPayer;
  Amount amount;  // native coin
};

struct Option {
  Unit unit;
  std::string chain;
  Amount amount;
  std::optional<UsableRate> rate;
  std::vector<Cost> costs;
  std::chrono::milliseconds confirm_time{0};
  std::chrono::milliseconds finalize_time{0};
  int rank = 0;
  std::vector<std::string> reasons;
  Time quote_expire_time;
  std::int64_t score_basis_points = 0;
};

struct Rejection {
  Unit unit;
  std::string code;
  std::string detail;
};

struct Decision {
  std::vector<Option> options;  // best first
  std::vector<Rejection> rejected;
};

// Every accepted unit is in exactly one of the two lists.
Decision Decide(const PaymentFacts& facts, const MarketFacts& market, const Limits& limits,
                Time now);

// Gas that the three transfers of a push payment take: the payer's, our sweep's share, the
// payout's.
inline constexpr std::uint64_t kPayerGas = 65'000;
inline constexpr std::uint64_t kSweepGas = 55'000;
inline constexpr std::uint64_t kPayoutGas = 75'000;

}  // namespace paymesh::routing
