#include "common/rpc/identity.h"

#include <gtest/gtest.h>

namespace paymesh::rpc {
namespace {

Identities Known() {
  return Identities::Make({{"spiffe://m/service/a", Role::kService, "a"},
                           {"spiffe://m/person/b", Role::kOperator, "b"}})
      .value();
}
std::string Reason(const std::vector<std::string>& sans) {
  const auto found = Known().Find(sans);
  return found.ok() ? found->name : found.error().reason;
}

TEST(Identities, MatchExactlyOneUri) {
  EXPECT_EQ(Reason({"spiffe://m/service/a"}), "a");
  EXPECT_EQ(Reason({"spiffe://m/person/b"}), "b");
  EXPECT_EQ(Reason({"spiffe://m/service/a-evil"}), "IDENTITY_UNKNOWN");
  EXPECT_EQ(Reason({"SPIFFE://m/service/a"}), "IDENTITY_UNKNOWN");
  EXPECT_EQ(Reason({}), "IDENTITY_MISSING");
  EXPECT_EQ(Reason({"spiffe://m/service/a", "spiffe://m/person/b"}), "IDENTITY_AMBIGUOUS");
  EXPECT_EQ(Reason({"spiffe://m/service/a", "spiffe://m/service/a"}), "IDENTITY_AMBIGUOUS");
}

TEST(Identities, RefuseDuplicatesAndOtherSchemes) {
  EXPECT_FALSE(
      Identities::Make({{"spiffe://m/a", Role::kReader, "a"}, {"spiffe://m/a", Role::kReader, "b"}})
          .ok());
  EXPECT_FALSE(
      Identities::Make({{"spiffe://m/a", Role::kReader, "a"}, {"spiffe://m/b", Role::kReader, "a"}})
          .ok());
  EXPECT_FALSE(Identities::Make({{"https://m/a", Role::kReader, "a"}}).ok());
}

TEST(Roles, HaveNamesThatParseBack) {
  for (Role role : {Role::kService, Role::kEdge, Role::kReader, Role::kOperator, Role::kFinance,
                    Role::kApprover}) {
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_FALSE(ParseRole("root"));
}

}  // namespace
}  // namespace paymesh::rpc
