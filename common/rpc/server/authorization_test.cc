#include "common/rpc/server/authorization.h"

#include <gtest/gtest.h>

#include "common/rpc/testing/echo_test.pb.h"

namespace paymesh::rpc {
namespace {

constexpr char kEcho[] = "/paymesh.echotest.v1.EchoService/Echo";
constexpr char kRelay[] = "/paymesh.echotest.v1.EchoService/Relay";
constexpr char kCount[] = "/paymesh.echotest.v1.EchoService/Count";
const std::vector<std::string> kServices = {"paymesh.echotest.v1.EchoService"};

MethodTable Table() {
  // Naming a message keeps the contract's descriptors linked in.
  paymesh::echotest::v1::EchoRequest::descriptor();
  return {{kEcho, {"service:a", "role:operator"}}, {kRelay, {}}, {kCount, {"role:reader"}}};
}

TEST(Authorizer, AllowsWhatTheTableAllowsAndNothingElse) {
  const Authorizer authorizer = Authorizer::Make(Table(), kServices).value();
  const Principal a{"spiffe://m/a", Role::kService, "a"}, b{"spiffe://m/b", Role::kService, "b"};
  // A person who happens to be called as the service is.
  const Principal impostor{"spiffe://m/p/a", Role::kReader, "a"};
  const Principal person{"spiffe://m/p", Role::kOperator, "p"};
  EXPECT_TRUE(authorizer.Check(kEcho, a).ok());
  EXPECT_TRUE(authorizer.Check(kEcho, person).ok());
  EXPECT_FALSE(authorizer.Check(kEcho, b).ok());
  EXPECT_FALSE(authorizer.Check(kEcho, impostor).ok());
  EXPECT_FALSE(authorizer.Check(kRelay, a).ok());
  EXPECT_TRUE(authorizer.Check(kCount, impostor).ok());
  EXPECT_FALSE(authorizer.Check("/paymesh.echotest.v1.EchoService/Nothing", person).ok());
}

TEST(Authorizer, RefusesATableThatDoesNotFitTheContract) {
  const auto message = [](MethodTable table) {
    const auto made = Authorizer::Make(table, kServices);
    return made.ok() ? "" : made.error().message;
  };
  EXPECT_EQ(message(Table()), "");
  MethodTable table = Table();
  table.pop_back();
  EXPECT_EQ(message(table), std::string("no row for ") + kCount);
  table = Table();
  table.push_back({"/paymesh.echotest.v1.EchoService/Gone", {}});
  EXPECT_NE(message(table), "");
  table = Table();
  table.push_back(table[0]);
  EXPECT_NE(message(table), "");
  table = Table();
  table[0].allowed = {"role:root"};
  EXPECT_NE(message(table), "");
  table[0].allowed = {"everybody"};
  EXPECT_NE(message(table), "");
}

}  // namespace
}  // namespace paymesh::rpc
