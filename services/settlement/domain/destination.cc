#include "services/settlement/domain/destination.h"

#include <array>

namespace paymesh::settlement {
namespace {
constexpr std::array<std::string_view, 2> kNames = {"AWAITING_APPROVAL", "APPROVED"};
}  // namespace

std::string_view DestinationStateName(DestinationState state) {
  return kNames[static_cast<std::size_t>(state)];
}

std::optional<DestinationState> ParseDestinationState(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<DestinationState>(i);
  }
  return std::nullopt;
}

Status CheckDestinationAddress(const evm::Address& address, const ForbiddenAddresses& forbidden) {
  if (address.IsZero()) return Error::InvalidField("address", "is the zero address");
  if (forbidden.contracts.contains(address)) {
    return Error::InvalidField("address", "is a contract of the mesh or a token");
  }
  if (forbidden.wallets.contains(address)) {
    return Error::InvalidField("address", "is an operator wallet of the mesh");
  }
  return {};
}

Status CheckDestinationApproval(DestinationState state, std::string_view creator,
                                std::string_view approver) {
  if (creator == approver) {
    return Error::PermissionDenied("SELF_APPROVAL",
                                   "whoever proposed the destination may not approve it");
  }
  if (state != DestinationState::kAwaitingApproval) {
    return Error::FailedPrecondition("DESTINATION_CLOSED", "the destination is approved already");
  }
  return {};
}

Status CheckDestinationUsable(DestinationState state, const std::optional<Time>& usable_time,
                              Time now) {
  if (state != DestinationState::kApproved || !usable_time) {
    return Error::FailedPrecondition("DESTINATION_NOT_APPROVED",
                                     "a second person has not approved the destination");
  }
  if (now < *usable_time) {
    Error error =
        Error::FailedPrecondition("DESTINATION_COOLING_OFF", "the destination is usable from " +
                                                                 runtime::FormatTime(*usable_time));
    error.retry_after = std::chrono::duration_cast<std::chrono::milliseconds>(*usable_time - now);
    error.metadata["usable_time"] = runtime::FormatTime(*usable_time);
    return error;
  }
  return {};
}

}  // namespace paymesh::settlement
