// What Transaction throws when a statement fails, and its translation for callers. Store code need
// not catch it: Database::Transact does, and turns it into an Error.
// Values; any thread.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::pg {

// SQLSTATEs that code acts on.
inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kSerializationFailure = "40001";
inline constexpr std::string_view kDeadlock = "40P01";
inline constexpr std::string_view kLockTimeout = "55P03";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kReadOnlyServer = "25006";
inline constexpr std::string_view kConnectionLost = "08006";
inline constexpr std::string_view kDecodeFailure = "PM001";  // ours: a column is not what we expect

class SqlError : public std::runtime_error {
 public:
  // `message` is for logs: it may quote values, so it never goes to a caller.
  SqlError(std::string sqlstate, const std::string& message, std::string constraint = "")
      : std::runtime_error(message),
        sqlstate_(std::move(sqlstate)),
        constraint_(std::move(constraint)) {}

  const std::string& sqlstate() const { return sqlstate_; }
  const std::string& constraint() const { return constraint_; }
  // The connection is of no more use (class 08, 57P0x: shutdown, crash, terminated).
  bool connection_lost() const;
  // Rolled back for the sake of others: 40001, 40P01.
  bool conflict() const;

 private:
  std::string sqlstate_;
  std::string constraint_;
};

// The caller's view:
//   23505                     ALREADY_EXISTS   UNIQUE_VIOLATION     metadata constraint
//   40001, 40P01, 55P03       ABORTED          TRANSACTION_CONFLICT
//   57014                     DEADLINE_EXCEEDED DATABASE_TIMEOUT
//   connection lost, 53xxx    UNAVAILABLE      DATABASE_UNAVAILABLE
//   25006                     UNAVAILABLE      DATABASE_READ_ONLY
//   23xxx else                INTERNAL         CONSTRAINT_VIOLATION  metadata constraint
//   anything else             INTERNAL         INTERNAL
Error ToError(const SqlError& error);

}  // namespace paymesh::pg
