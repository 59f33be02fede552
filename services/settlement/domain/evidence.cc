#include "services/settlement/domain/evidence.h"

#include <algorithm>
#include <array>

namespace paymesh::settlement {
namespace {
constexpr std::array<std::string_view, 4> kNames = {"ORPHANED", "INCLUDED", "SAFE", "FINALIZED"};
}  // namespace

std::string_view EvidenceStateName(EvidenceState state) {
  return kNames[static_cast<std::size_t>(state)];
}

std::optional<EvidenceState> ParseEvidenceState(std::string_view name) {
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<EvidenceState>(found - kNames.begin());
}

U256 FeeOf(const FeeTerms& plan, std::string_view unit, const U256& accepted) {
  constexpr std::uint64_t kBasisPointsOfOne = 10'000;
  const U256 share =
      MulDiv(accepted, U256(plan.basis_points), U256(kBasisPointsOfOne), Rounding::kDown)
          .value_or(accepted);
  const auto fixed = plan.fixed.find(std::string(unit));
  if (fixed == plan.fixed.end()) return std::min(share, accepted);
  return std::min(CheckedAdd(share, fixed->second).value_or(accepted), accepted);
}

}  // namespace paymesh::settlement
