#include "services/payctl/error_text.h"

#include <gtest/gtest.h>

#include "services/payctl/exit_code.h"

namespace paymesh::payctl {
namespace {

TEST(ErrorText, ShowsReasonMessageFieldsAndWhatToDo) {
  Error error = Error::InvalidField("price.value", "must be above zero");
  EXPECT_EQ(ErrorText(error),
            "error: INVALID_FIELD: price.value: must be above zero\n"
            "  price.value: must be above zero\n");
  error = Error::Unavailable("OVERLOADED", "too much to do", std::chrono::milliseconds(250));
  const std::string text = ErrorText(error);
  EXPECT_NE(text.find("error: OVERLOADED: too much to do\n"), std::string::npos);
  EXPECT_NE(text.find("retry after 250 ms"), std::string::npos);
  EXPECT_NE(text.find("hint: see `payctl health`"), std::string::npos);
}

TEST(ErrorText, PrefersTheHintOfTheReason) {
  const Error error = Error::PermissionDenied("SELF_APPROVAL", "you created it");
  EXPECT_NE(HintFor(error).find("second person"), std::string::npos);
}

TEST(ErrorText, ShowsMetadata) {
  Error error = Error::FailedPrecondition("NO_OPTION", "nothing can be offered");
  error.metadata["caip19/x"] = "CHAIN_HALTED";
  EXPECT_NE(ErrorText(error).find("  caip19/x = CHAIN_HALTED\n"), std::string::npos);
}

TEST(ExitCode, FollowsTheKindOfFailure) {
  const auto of = [](ErrorCode code) {
    return static_cast<int>(ExitCodeOf(Error{.code = code, .reason = "X", .message = ""}));
  };
  EXPECT_EQ(of(ErrorCode::kInternal), 1);
  EXPECT_EQ(of(ErrorCode::kUnimplemented), 1);
  EXPECT_EQ(of(ErrorCode::kInvalidArgument), 2);
  EXPECT_EQ(of(ErrorCode::kNotFound), 3);
  EXPECT_EQ(of(ErrorCode::kPermissionDenied), 4);
  EXPECT_EQ(of(ErrorCode::kUnauthenticated), 4);
  EXPECT_EQ(of(ErrorCode::kFailedPrecondition), 5);
  EXPECT_EQ(of(ErrorCode::kAlreadyExists), 5);
  EXPECT_EQ(of(ErrorCode::kAborted), 5);
  EXPECT_EQ(of(ErrorCode::kUnavailable), 6);
  EXPECT_EQ(of(ErrorCode::kDeadlineExceeded), 6);
  EXPECT_EQ(of(ErrorCode::kResourceExhausted), 6);
}

}  // namespace
}  // namespace paymesh::payctl
