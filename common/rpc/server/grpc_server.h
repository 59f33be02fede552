// The server that a service runs: limits, keepalive, connection age, reflection, drain, and a probe
// of its own port. Any thread; Shutdown from a thread that serves nothing.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/error/error.h"

namespace grpc {
class Server;
class ServerCredentials;
class Service;
}  // namespace grpc

namespace paymesh::runtime {
class Metrics;
}

namespace paymesh::rpc {

// A service with the name that its contract gives it.
struct ServedService {
  std::string name;  // "paymesh.checkout.v1.PaymentService"
  grpc::Service* service = nullptr;
};
// Serve<pb::PaymentService>(implementation), where implementation is a pb::PaymentService::Service
// or CallbackService.
template <class Contract, class Implementation>
ServedService Serve(Implementation& implementation) {
  return {Contract::service_full_name(), &implementation};
}

struct ServerOptions {
  std::string address;  // "127.0.0.1:7101"; port 0 chooses one
  std::shared_ptr<grpc::ServerCredentials> credentials;
  int max_receive_bytes = 256 * 1024;
  int max_send_bytes = 4 * 1024 * 1024;  // streams and lists of 500
  int max_concurrent_streams = 1'000;    // a connection
  std::int64_t resource_quota_bytes = 256LL * 1024 * 1024;
  std::chrono::seconds max_connection_age{300};
  std::chrono::seconds max_connection_age_grace{30};
  bool reflection = false;
  runtime::Metrics* metrics = nullptr;  // where calls of unknown methods are counted
};

class Server {
 public:
  // UNAVAILABLE PORT_TAKEN when the address cannot be bound.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               const std::vector<ServedService>& services);
  ~Server();  // Shutdown(0) if that has not been done

  int port() const;
  const std::string& address() const;  // with the port that was chosen
  // No new calls; those running have `grace`, then are cancelled; returns when all are finished.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether a new TCP connection to `address` is accepted within `timeout` by the process's own
// listener: gRPC's accept loop can die of descriptor exhaustion without a word. Blocks.
bool ProbePort(const std::string& address, std::chrono::milliseconds timeout);

}  // namespace paymesh::rpc
