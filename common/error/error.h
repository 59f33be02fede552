// One error type for the whole mesh, and Result<T>: a value or that error.
// An Error says what class of failure it is (the gRPC code), which stable reason a program may act
// on, and a sentence for a person. common/error/status.h turns it into google.rpc.Status and back.
// Immutable values; any thread.
#pragma once

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace paymesh {

// The canonical codes of gRPC, with its numbers, so that nothing below rpc/ needs gRPC's headers.
enum class ErrorCode {
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

// One field of a request that breaks a rule: its path in the request ("price.value") and why.
struct FieldViolation {
  std::string field;
  std::string description;
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string reason;   // UPPER_SNAKE, stable, at most 63 characters (AIP-193)
  std::string message;  // for people; never a secret, never SQL
  std::map<std::string, std::string> metadata = {};
  std::vector<FieldViolation> violations = {};
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;

  // Bad input in one named field: INVALID_ARGUMENT, reason INVALID_FIELD unless given.
  static Error InvalidField(std::string field, std::string description,
                            std::string reason = "INVALID_FIELD");
  static Error InvalidArgument(std::string reason, std::string message);
  static Error NotFound(std::string reason, std::string message);
  static Error AlreadyExists(std::string reason, std::string message);
  static Error FailedPrecondition(std::string reason, std::string message);
  static Error PermissionDenied(std::string reason, std::string message);
  static Error Unauthenticated(std::string reason, std::string message);
  static Error ResourceExhausted(std::string reason, std::string message);
  static Error Aborted(std::string reason, std::string message);
  // The same call may be tried again, after `retry_after` where it is given.
  static Error Unavailable(std::string reason, std::string message,
                           std::optional<std::chrono::milliseconds> retry_after = std::nullopt);
  static Error Internal(std::string message);

  // For logs: "INVALID_ARGUMENT/INVALID_FIELD: price.value: ...".
  std::string ToString() const;
};

// "INVALID_ARGUMENT", ...
std::string_view CodeName(ErrorCode code);

// A value or an Error. Asking the wrong side is a bug and aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return *Check(std::get_if<0>(&state_)); }
  T& value() & { return *Check(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*Check(std::get_if<0>(&state_))); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const& { return *Check(std::get_if<1>(&state_)); }
  Error&& error() && { return std::move(*Check(std::get_if<1>(&state_))); }

 private:
  template <class P>
  static P* Check(P* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};
using Status = Result<void>;

// Evaluates to the value of a Result or returns its error from the enclosing function. The co_
// form is for coroutines.
#define PAYMESH_CONCAT_INNER(a, b) a##b
#define PAYMESH_CONCAT(a, b) PAYMESH_CONCAT_INNER(a, b)
#define PAYMESH_ASSIGN_IMPL(ret, temporary, lhs, expression) \
  auto temporary = (expression);                             \
  if (!temporary.ok()) ret std::move(temporary).error();     \
  lhs = *std::move(temporary)
#define ASSIGN_OR_RETURN(lhs, expression) \
  PAYMESH_ASSIGN_IMPL(return, PAYMESH_CONCAT(paymesh_result_, __LINE__), lhs, expression)
#define ASSIGN_OR_CO_RETURN(lhs, expression) \
  PAYMESH_ASSIGN_IMPL(co_return, PAYMESH_CONCAT(paymesh_result_, __LINE__), lhs, expression)
#define RETURN_IF_ERROR(expression)                                                              \
  do {                                                                                           \
    if (auto paymesh_status = (expression); !paymesh_status.ok()) return paymesh_status.error(); \
  } while (false)
#define CO_RETURN_IF_ERROR(expression)                            \
  do {                                                            \
    if (auto paymesh_status = (expression); !paymesh_status.ok()) \
      co_return paymesh_status.error();                           \
  } while (false)

}  // namespace paymesh
