// Who calls: the peer's SPIFFE URI, as its certificate gives it, and the role that configuration
// gives to that URI. Exact match only. Immutable; any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"

namespace paymesh::rpc {

enum class Role { kService, kEdge, kReader, kOperator, kFinance, kApprover };
std::string_view RoleName(Role role);  // "service"
std::optional<Role> ParseRole(std::string_view name);

struct Principal {
  std::string spiffe_id;  // "spiffe://paymesh.local/person/alice"
  Role role = Role::kReader;
  std::string name;  // "alice", "settlement"; unique in the configuration
  // Set for the edge only, from its API key: the one merchant that the call may see and touch.
  std::optional<std::string> merchant_id = std::nullopt;
};

// One entry of `identities` in the configuration.
struct Identity {
  std::string uri;
  Role role = Role::kReader;
  std::string name;
};

class Identities {
 public:
  // INVALID_ARGUMENT when a uri or a name is there twice or a uri is no spiffe:// URI.
  static Result<Identities> Make(std::vector<Identity> entries);

  // The principal of a peer whose certificate has these URI SANs. PERMISSION_DENIED
  // IDENTITY_MISSING (none), IDENTITY_AMBIGUOUS (more than one) or IDENTITY_UNKNOWN.
  Result<Principal> Find(std::span<const std::string> uri_sans) const;

 private:
  std::map<std::string, Principal, std::less<>> by_uri_;
};

}  // namespace paymesh::rpc
