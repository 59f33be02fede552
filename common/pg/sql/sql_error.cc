#include "common/pg/sql/sql_error.h"

#include <chrono>

namespace paymesh::pg {

bool SqlError::connection_lost() const {
  return sqlstate_.starts_with("08") || sqlstate_.starts_with("57P");
}

bool SqlError::conflict() const {
  return sqlstate_ == kSerializationFailure || sqlstate_ == kDeadlock;
}

Error ToError(const SqlError& error) {
  const std::string& state = error.sqlstate();
  const auto with_constraint = [&](Error result) {
    if (!error.constraint().empty()) result.metadata["constraint"] = error.constraint();
    return result;
  };
  if (state == kUniqueViolation) {
    return with_constraint(
        Error::AlreadyExists("UNIQUE_VIOLATION", "an object with this key exists already"));
  }
  if (state.starts_with("23")) {
    Error result = Error::Internal("a rule of the database refuses this change");
    result.reason = "CONSTRAINT_VIOLATION";
    return with_constraint(std::move(result));
  }
  if (error.conflict() || state == kLockTimeout) {
    return Error::Aborted("TRANSACTION_CONFLICT", "another transaction was in the way; try again");
  }
  if (state == kQueryCanceled) {
    Error result = Error::Internal("the database did not answer in time");
    result.code = ErrorCode::kDeadlineExceeded;
    result.reason = "DATABASE_TIMEOUT";
    return result;
  }
  if (state == kReadOnlyServer) {
    return Error::Unavailable("DATABASE_READ_ONLY", "the database takes no changes now",
                              std::chrono::seconds(1));
  }
  if (error.connection_lost() || state.starts_with("53")) {
    return Error::Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached now",
                              std::chrono::milliseconds(500));
  }
  return Error::Internal("the database refused a statement");
}

}  // namespace paymesh::pg
