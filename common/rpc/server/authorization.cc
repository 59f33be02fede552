#include "common/rpc/server/authorization.h"

#include <google/protobuf/descriptor.h>

#include <map>

namespace paymesh::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;

Error Broken(const std::string& message) {
  return Error::FailedPrecondition("METHOD_TABLE", message);
}

// "/paymesh.x.v1.S/M" -> the descriptor of paymesh.x.v1.S.M, or null.
const MethodDescriptor* FindMethod(const std::string& path) {
  const std::size_t split = path.rfind('/');
  if (!path.starts_with('/') || split == 0 || split == std::string::npos) return nullptr;
  return DescriptorPool::generated_pool()->FindMethodByName(path.substr(1, split - 1) + "." +
                                                            path.substr(split + 1));
}

bool IsGrant(const std::string& entry) {
  if (entry.starts_with("service:")) return entry.size() > 8;
  return entry.starts_with("role:") && ParseRole(std::string_view(entry).substr(5)).has_value();
}

Status CheckRows(const MethodTable& table) {
  std::map<const void*, std::string> by_request;
  std::set<std::string> seen;
  for (const MethodRule& rule : table) {
    const MethodDescriptor* method = FindMethod(rule.method);
    if (method == nullptr) return Broken("no such method: " + rule.method);
    if (!seen.insert(rule.method).second) return Broken("two rows for " + rule.method);
    for (const std::string& entry : rule.allowed) {
      if (!IsGrant(entry)) return Broken(rule.method + ": neither service nor role: " + entry);
    }
    // A call's method is known by its request's type (call_runner.cc).
    const auto [other, fresh] = by_request.emplace(method->input_type(), rule.method);
    if (!fresh) return Broken(rule.method + " shares its request type with " + other->second);
  }
  return {};
}

}  // namespace

Result<Authorizer> Authorizer::Make(const MethodTable& table,
                                    std::span<const std::string> services) {
  RETURN_IF_ERROR(CheckRows(table));
  Authorizer authorizer;
  authorizer.table_ = table;
  std::set<std::string> rows;
  for (const MethodRule& rule : table) {
    rows.insert(rule.method);
    for (const std::string& entry : rule.allowed) {
      authorizer.grants_.insert(rule.method + " " + entry);
    }
  }
  for (const std::string& name : services) {
    const auto* service = DescriptorPool::generated_pool()->FindServiceByName(name);
    if (service == nullptr) return Broken("no such service: " + name);
    for (int i = 0; i < service->method_count(); ++i) {
      const std::string method = "/" + name + "/" + service->method(i)->name();
      if (!rows.contains(method)) return Broken("no row for " + method);
    }
  }
  return authorizer;
}

Status Authorizer::Check(std::string_view method, const Principal& principal) const {
  const std::string prefix = std::string(method) + " ";
  if (grants_.contains(prefix + "role:" + std::string(RoleName(principal.role)))) return {};
  if (principal.role == Role::kService && grants_.contains(prefix + "service:" + principal.name)) {
    return {};
  }
  return Error::PermissionDenied("METHOD_NOT_ALLOWED",
                                 principal.name + " may not call " + std::string(method));
}

}  // namespace paymesh::rpc
