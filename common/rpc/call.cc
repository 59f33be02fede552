#include "common/rpc/call.h"

#include <grpcpp/server_context.h>

namespace paymesh::rpc {

std::optional<std::string_view> Call::Metadata(std::string_view key) const {
  if (context_ == nullptr) return std::nullopt;
  const auto& metadata = context_->client_metadata();
  const auto found = metadata.find(grpc::string_ref(key.data(), key.size()));
  if (found == metadata.end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

void Call::AddLogField(std::string_view key, std::string value) {
  span_.Set(key, value);
  log_fields_.emplace_back(key, std::move(value));
}

Call Call::ForTest(Principal principal, std::string method, runtime::Executor executor) {
  Call call;
  call.principal_ = std::move(principal);
  call.method_ = std::move(method);
  call.traceparent_ = "00-00000000000000000000000000000001-0000000000000001-00";
  call.executor_ = std::move(executor);
  return call;
}

}  // namespace paymesh::rpc
