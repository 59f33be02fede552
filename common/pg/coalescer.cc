#include "common/pg/coalescer.h"

namespace paymesh::pg {

bool MemberMayBeToBlame(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kInternal:
    case ErrorCode::kAborted:
      return true;
    default:
      return false;
  }
}

}  // namespace paymesh::pg
