// Merchants, their keys and what they pay. Plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/money/amount.h"
#include "common/runtime/clock.h"

namespace paymesh::checkout {

// As in the contract; ordered by certainty.
enum class Finality { kNone = 1, kBroadcast = 2, kIncluded = 3, kSafe = 4, kFinalized = 5 };

// floor(accepted x basis points / 10,000) plus the fixed part, never more than the accepted amount.
struct FeePlan {
  std::uint32_t basis_points = 0;
  std::map<Unit, U256> fixed = {};
  friend bool operator==(const FeePlan&, const FeePlan&) = default;
};
U256 FeeOf(const FeePlan& plan, const Amount& accepted);

struct Merchant {
  std::string merchant_id = {};
  std::string display_name = {};
  std::vector<Unit> accepted_units = {};
  Finality policy = Finality::kSafe;
  FeePlan fee_plan = {};
  std::uint32_t tolerance_basis_points = 0;
  Time create_time{};
  std::int64_t revision = 1;
};

struct ApiKey {
  std::string api_key_id = {};
  std::string merchant_id = {};
  std::string display_name = {};
  std::string secret_prefix = {};
  Time create_time{};
  std::optional<Time> revoke_time = {};
};
inline constexpr int kMaxActiveApiKeys = 2;  // one in use and one to change over to

}  // namespace paymesh::checkout
