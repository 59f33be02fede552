#include "common/rpc/server/health.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <future>

namespace paymesh::rpc {
namespace {

// Asks grpc.health.v1.Health/Check with bytes made by hand: "SERVING", "NOT_SERVING" or the code.
std::string Check(int port, const std::string& service) {
  auto channel =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  std::string bytes;
  if (!service.empty()) bytes = std::string("\x0a") + static_cast<char>(service.size()) + service;
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return "NOT_FOUND";
  if (!status.ok()) return status.error_message();
  grpc::Slice answer;
  response.DumpToSingleSlice(&answer);
  return answer.size() == 2 && answer.begin()[1] == 1 ? "SERVING" : "NOT_SERVING";
}

TEST(Health, FollowsReadinessWhileLivenessStands) {
  auto health = HealthServer::Start("127.0.0.1:0", {"paymesh.x.v1.S"}).value();
  const int port = health->port();
  const std::vector<std::string> ready_ones = {"", "readiness", "startup", "paymesh.x.v1.S"};
  for (const auto& name : ready_ones) EXPECT_EQ(Check(port, name), "NOT_SERVING") << name;
  EXPECT_EQ(Check(port, "liveness"), "SERVING");
  EXPECT_EQ(Check(port, "unheard-of"), "NOT_FOUND");

  health->SetReady(true);
  for (const auto& name : ready_ones) EXPECT_EQ(Check(port, name), "SERVING") << name;
  health->SetReady(false);
  EXPECT_EQ(Check(port, ""), "NOT_SERVING");
  EXPECT_EQ(Check(port, "startup"), "SERVING");  // once started, for good

  health->Drain();
  health->SetReady(true);  // too late
  for (const auto& name : ready_ones) EXPECT_EQ(Check(port, name), "NOT_SERVING") << name;
  EXPECT_EQ(Check(port, "liveness"), "SERVING");
}

TEST(Health, ATakenPortIsSaidAtOnce) {
  auto first = HealthServer::Start("127.0.0.1:0", {}).value();
  const auto second = HealthServer::Start("127.0.0.1:" + std::to_string(first->port()), {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, "PORT_TAKEN");
}

}  // namespace
}  // namespace paymesh::rpc
