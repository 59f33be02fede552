// Where a merchant's money may go: who may say so, from when on, and which addresses never.
// Pure functions and plain values; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/evm/address.h"
#include "common/runtime/clock.h"

namespace paymesh::settlement {

enum class DestinationState { kAwaitingApproval, kApproved };
std::string_view DestinationStateName(DestinationState state);
std::optional<DestinationState> ParseDestinationState(std::string_view name);

// Addresses that are ours or the tokens' own: money sent there is lost or goes round in circles.
// Deposit addresses are as many as payments, so they are looked up by the store.
struct ForbiddenAddresses {
  std::set<evm::Address> contracts;  // vault, factory, tokens
  std::set<evm::Address> wallets;    // operators
};

// INVALID_FIELD `address` for the zero address and the ones above.
Status CheckDestinationAddress(const evm::Address& address, const ForbiddenAddresses& forbidden);

// PERMISSION_DENIED SELF_APPROVAL; FAILED_PRECONDITION DESTINATION_CLOSED when approved already.
Status CheckDestinationApproval(DestinationState state, std::string_view creator,
                                std::string_view approver);

// DESTINATION_NOT_APPROVED, DESTINATION_COOLING_OFF (with RetryInfo).
Status CheckDestinationUsable(DestinationState state, const std::optional<Time>& usable_time,
                              Time now);

}  // namespace paymesh::settlement
