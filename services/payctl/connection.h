// Calls to the mesh's services. A request's type says which method is meant: each method has a
// request message of its own, and the contract's descriptor knows the service around it. Blocking;
// one thread.
#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "common/rpc/credentials.h"

namespace paymesh::payctl {

// What a request is for.
struct MethodName {
  std::string peer;  // "checkout"
  std::string path;  // "/paymesh.checkout.v1.PaymentService/CreatePayment"
};
// Aborts for a message that is no request of a method: a bug.
MethodName MethodOf(const google::protobuf::Message& request);

struct ConnectionOptions {
  rpc::TlsFiles tls;
  std::map<std::string, std::string> addresses;  // by peer
  // By peer, the SPIFFE URI that its server must prove; one without is checked by its host name.
  std::map<std::string, std::string> identities;
  std::string api_key;
  std::chrono::milliseconds timeout{10'000};
};

class Connection {
 public:
  // INVALID_ARGUMENT INVALID_TLS_FILES.
  static Result<std::unique_ptr<Connection>> Open(ConnectionOptions options);
  ~Connection();

  Status Call(const google::protobuf::Message& request, google::protobuf::Message& reply);

  // Calls `on_reply` after each message read into `reply`, until it returns false or the stream
  // ends. The server's clean end is OK.
  Status Stream(const google::protobuf::Message& request, google::protobuf::Message& reply,
                const std::function<bool()>& on_reply);

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// grpc.health.v1 on a plaintext port: "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN", "UNKNOWN".
Result<std::string> CheckHealth(const std::string& address, std::string_view service,
                                std::chrono::milliseconds timeout);

}  // namespace paymesh::payctl
