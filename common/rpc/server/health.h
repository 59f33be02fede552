// grpc.health.v1.Health on a plaintext port of its own, with nothing else on it.
// Services: "" and each service's name follow readiness; "readiness" too; "liveness" is always
// SERVING; "startup" is SERVING from the first time that the process was ready. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/error/error.h"

namespace paymesh::rpc {

class HealthServer {
 public:
  // UNAVAILABLE PORT_TAKEN when the address cannot be bound. Starts not ready.
  static Result<std::unique_ptr<HealthServer>> Start(const std::string& address,
                                                     std::vector<std::string> services);
  ~HealthServer();

  int port() const;
  void SetReady(bool ready);
  // NOT_SERVING for everything but liveness, for good.
  void Drain();

 private:
  struct Impl;
  explicit HealthServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace paymesh::rpc
