// An HTTP/1.1 client: http and https, keep-alive connections pooled by origin, and a limit on
// everything. Any thread; a call resumes on its caller's executor. Kept connections belong to the
// io_context of the call that made them: all callers share one, and it outlives the client.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/runtime/task.h"

namespace paymesh::http {

struct Request {
  std::string method = "POST";
  std::string url;  // http or https; no user information
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{10'000};  // for everything, connecting included
};

struct Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string body = {};
};

struct ClientOptions {
  std::size_t max_response_bytes = 16 * 1024 * 1024;
  std::size_t max_header_bytes = 16 * 1024;
  std::chrono::milliseconds connect_timeout{3'000};  // resolving, TCP and TLS
  std::chrono::milliseconds idle_timeout{30'000};    // an idle connection is closed after this
  std::size_t max_idle_per_origin = 16;
  std::string user_agent = "paymesh";
  std::string ca_file = {};  // PEM; empty: the system's
};

class Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any HTTP status is a response; redirects are not followed. A request on a kept connection that
  // the server had closed meanwhile is sent again on a new one, once, if nothing came back.
  //   INVALID_ARGUMENT INVALID_URL
  //   UNAVAILABLE CONNECTION_FAILED   resolve, connect, TLS, or broken off half-way
  //   DEADLINE_EXCEEDED HTTP_TIMEOUT
  //   RESOURCE_EXHAUSTED RESPONSE_TOO_LARGE
  // Throws operation_aborted when the calling coroutine is cancelled; the connection is closed.
  Task<Result<Response>> Send(Request request);

  std::size_t idle_connections() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace paymesh::http
