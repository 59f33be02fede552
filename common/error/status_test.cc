#include "common/error/status.h"

#include <gtest/gtest.h>

namespace paymesh::rpc {
namespace {

TEST(Status, CarriesAllDetailsBothWays) {
  Error error = Error::InvalidField("price.value", "must be positive");
  error.metadata["limit"] = "7";
  error.retry_after = std::chrono::milliseconds(1'500);
  const Error back = FromGrpc(ToGrpc(error, "checkout.paymesh.dev"));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.reason, error.reason);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.metadata, error.metadata);
  ASSERT_EQ(back.violations.size(), 1U);
  EXPECT_EQ(back.violations[0].field, "price.value");
  EXPECT_EQ(back.violations[0].description, "must be positive");
  EXPECT_EQ(back.retry_after, error.retry_after);
}

TEST(Status, InternalErrorsShowNothing) {
  Error error = Error::Internal("relation \"ledger\" does not exist");
  error.metadata["sql"] = "SELECT";
  const grpc::Status status = ToGrpc(error, "d");
  EXPECT_EQ(status.error_message(), "internal error");
  EXPECT_EQ(status.error_details().find("ledger"), std::string::npos);
  EXPECT_EQ(status.error_details().find("SELECT"), std::string::npos);
}

TEST(Status, APeerWithoutDetailsIsUnderstood) {
  const Error error = FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connection refused"));
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(error.reason, "UNAVAILABLE");
  const Error garbled = FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "m", "\xff\xff"));
  EXPECT_EQ(garbled.reason, "NOT_FOUND");
}

}  // namespace
}  // namespace paymesh::rpc
