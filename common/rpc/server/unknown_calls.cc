#include "common/rpc/server/unknown_calls.h"

namespace paymesh::rpc {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  Refusal() { Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "there is no such method")); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerGenericBidiReactor* UnknownCalls::CreateReactor(grpc::GenericCallbackServerContext*) {
  const auto started = std::chrono::steady_clock::now();
  metrics_.Started();
  auto* refusal = new Refusal();
  metrics_.Handled(grpc::StatusCode::UNIMPLEMENTED, std::chrono::steady_clock::now() - started, {});
  return refusal;
}

}  // namespace paymesh::rpc
