// Who may call what: a table with a row for each method, deny by default. Immutable; any thread.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error/error.h"
#include "common/rpc/identity.h"

namespace paymesh::rpc {

// {"/paymesh.checkout.v1.PaymentService/GetPayment", {"service:settlement", "role:operator",
// "role:edge"}}. An entry "service:<name>" allows the one service of that name; "role:<role>"
// allows everybody in a role (of "service" too).
struct MethodRule {
  std::string method;
  std::vector<std::string> allowed;
};
using MethodTable = std::vector<MethodRule>;

class Authorizer {
 public:
  // Checks the table against the contracts (protobuf descriptors linked into the program): each
  // method of each service in `services` ("paymesh.checkout.v1.PaymentService") has exactly one
  // row, no row names an unknown method or a malformed entry, and no two methods share a request
  // type. FAILED_PRECONDITION METHOD_TABLE says what is wrong.
  static Result<Authorizer> Make(const MethodTable& table, std::span<const std::string> services);

  // PERMISSION_DENIED METHOD_NOT_ALLOWED unless the table lets `principal` call `method`.
  Status Check(std::string_view method, const Principal& principal) const;

  const MethodTable& table() const { return table_; }

 private:
  MethodTable table_;
  std::set<std::string, std::less<>> grants_;  // "<method> service:<name>", "<method> role:<r>"
};

}  // namespace paymesh::rpc
