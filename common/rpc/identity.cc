#include "common/rpc/identity.h"

#include <array>
#include <set>
#include <utility>

namespace paymesh::rpc {
namespace {
constexpr std::array<std::pair<Role, std::string_view>, 6> kRoles = {{
    {Role::kService, "service"},
    {Role::kEdge, "edge"},
    {Role::kReader, "reader"},
    {Role::kOperator, "operator"},
    {Role::kFinance, "finance"},
    {Role::kApprover, "approver"},
}};
}  // namespace

std::string_view RoleName(Role role) {
  for (const auto& [known, name] : kRoles) {
    if (known == role) return name;
  }
  return "unknown";
}

std::optional<Role> ParseRole(std::string_view name) {
  for (const auto& [role, known] : kRoles) {
    if (known == name) return role;
  }
  return std::nullopt;
}

Result<Identities> Identities::Make(std::vector<Identity> entries) {
  Identities identities;
  std::set<std::string> names;
  for (Identity& entry : entries) {
    if (!entry.uri.starts_with("spiffe://") || entry.name.empty()) {
      return Error::InvalidArgument("INVALID_IDENTITY",
                                    "an identity needs a spiffe:// uri and a name: " + entry.uri);
    }
    if (!names.insert(entry.name).second) {
      return Error::InvalidArgument("INVALID_IDENTITY", "name is there twice: " + entry.name);
    }
    Principal principal{entry.uri, entry.role, std::move(entry.name)};
    if (!identities.by_uri_.emplace(entry.uri, std::move(principal)).second) {
      return Error::InvalidArgument("INVALID_IDENTITY", "uri is there twice: " + entry.uri);
    }
  }
  return identities;
}

Result<Principal> Identities::Find(std::span<const std::string> uri_sans) const {
  if (uri_sans.empty()) {
    return Error::PermissionDenied("IDENTITY_MISSING", "the certificate names no SPIFFE identity");
  }
  if (uri_sans.size() > 1) {
    return Error::PermissionDenied("IDENTITY_AMBIGUOUS",
                                   "the certificate names more than one identity");
  }
  const auto found = by_uri_.find(uri_sans.front());
  if (found == by_uri_.end()) {
    return Error::PermissionDenied("IDENTITY_UNKNOWN", "this identity is not known here");
  }
  return found->second;
}

}  // namespace paymesh::rpc
