#include "common/error/status.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "common/error/error_info.pb.h"

namespace paymesh::rpc {
namespace {

bool HidesDetail(ErrorCode code) {
  return code == ErrorCode::kInternal || code == ErrorCode::kUnknown;
}

google::rpc::Status ToProto(const Error& error, std::string_view domain,
                            const std::string& message) {
  google::rpc::Status status;
  status.set_code(static_cast<int>(error.code));
  status.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(error.reason.empty() ? std::string(CodeName(error.code)) : error.reason);
  info.set_domain(std::string(domain));
  if (!HidesDetail(error.code)) {
    for (const auto& [key, value] : error.metadata) (*info.mutable_metadata())[key] = value;
  }
  status.add_details()->PackFrom(info);
  if (!error.violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (const FieldViolation& violation : error.violations) {
      auto* field = bad_request.add_field_violations();
      field->set_field(violation.field);
      field->set_description(violation.description);
    }
    status.add_details()->PackFrom(bad_request);
  }
  if (error.retry_after) {
    google::rpc::RetryInfo retry;
    const auto milliseconds = error.retry_after->count();
    retry.mutable_retry_delay()->set_seconds(milliseconds / 1'000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int>(milliseconds % 1'000) * 1'000'000);
    status.add_details()->PackFrom(retry);
  }
  return status;
}

void ReadDetail(const google::protobuf::Any& detail, Error& error) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info)) {
    error.reason = info.reason();
    for (const auto& [key, value] : info.metadata()) error.metadata[key] = value;
  } else if (detail.Is<google::rpc::BadRequest>() && detail.UnpackTo(&bad_request)) {
    for (const auto& field : bad_request.field_violations()) {
      error.violations.push_back({field.field(), field.description()});
    }
  } else if (detail.Is<google::rpc::RetryInfo>() && detail.UnpackTo(&retry)) {
    error.retry_after = std::chrono::milliseconds(retry.retry_delay().seconds() * 1'000 +
                                                  retry.retry_delay().nanos() / 1'000'000);
  }
}

}  // namespace

grpc::Status ToGrpc(const Error& error, std::string_view domain) {
  const std::string message = HidesDetail(error.code) ? "internal error" : error.message;
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), message,
                      ToProto(error, domain, message).SerializeAsString());
}

Error FromGrpc(const grpc::Status& status) {
  Error error;
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
    case grpc::StatusCode::DATA_LOSS:
      error.code = ErrorCode::kInternal;
      break;
    case grpc::StatusCode::OUT_OF_RANGE:
      error.code = ErrorCode::kInvalidArgument;
      break;
    default:
      error.code = static_cast<ErrorCode>(status.error_code());
  }
  error.reason = CodeName(error.code);
  error.message = status.error_message();
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) ReadDetail(detail, error);
  }
  return error;
}

bool IsMessageTooLarge(const Error& error) {
  return error.code == ErrorCode::kResourceExhausted && error.reason == CodeName(error.code);
}

}  // namespace paymesh::rpc
