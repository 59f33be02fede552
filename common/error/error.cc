#include "common/error/error.h"

namespace paymesh {
namespace {
Error Make(ErrorCode code, std::string reason, std::string message) {
  Error error;
  error.code = code;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return error;
}
}  // namespace

Error Error::InvalidField(std::string field, std::string description, std::string reason) {
  Error error = Make(ErrorCode::kInvalidArgument, std::move(reason), field + ": " + description);
  error.metadata["field"] = field;
  error.violations.push_back({std::move(field), std::move(description)});
  return error;
}
Error Error::InvalidArgument(std::string reason, std::string message) {
  return Make(ErrorCode::kInvalidArgument, std::move(reason), std::move(message));
}
Error Error::NotFound(std::string reason, std::string message) {
  return Make(ErrorCode::kNotFound, std::move(reason), std::move(message));
}
Error Error::AlreadyExists(std::string reason, std::string message) {
  return Make(ErrorCode::kAlreadyExists, std::move(reason), std::move(message));
}
Error Error::FailedPrecondition(std::string reason, std::string message) {
  return Make(ErrorCode::kFailedPrecondition, std::move(reason), std::move(message));
}
Error Error::PermissionDenied(std::string reason, std::string message) {
  return Make(ErrorCode::kPermissionDenied, std::move(reason), std::move(message));
}
Error Error::Unauthenticated(std::string reason, std::string message) {
  return Make(ErrorCode::kUnauthenticated, std::move(reason), std::move(message));
}
Error Error::ResourceExhausted(std::string reason, std::string message) {
  return Make(ErrorCode::kResourceExhausted, std::move(reason), std::move(message));
}
Error Error::Aborted(std::string reason, std::string message) {
  return Make(ErrorCode::kAborted, std::move(reason), std::move(message));
}
Error Error::Unavailable(std::string reason, std::string message,
                         std::optional<std::chrono::milliseconds> retry_after) {
  Error error = Make(ErrorCode::kUnavailable, std::move(reason), std::move(message));
  error.retry_after = retry_after;
  return error;
}
Error Error::Internal(std::string message) {
  return Make(ErrorCode::kInternal, "INTERNAL", std::move(message));
}

std::string Error::ToString() const {
  return std::string(CodeName(code)) + "/" + reason + ": " + message;
}

std::string_view CodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kUnknown:
      return "UNKNOWN";
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kAlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorCode::kPermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case ErrorCode::kAborted:
      return "ABORTED";
    case ErrorCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case ErrorCode::kInternal:
      return "INTERNAL";
    case ErrorCode::kUnavailable:
      return "UNAVAILABLE";
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
  }
  return "UNKNOWN";
}

}  // namespace paymesh
