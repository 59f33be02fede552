// gRPC's own log lines as lines of ours. The hook is the whole process's; one Logger at a time.
#pragma once

#include "common/runtime/log.h"

namespace paymesh::runtime {

// Sends gRPC's log to `log` while it lives.
class GrpcLogRedirect {
 public:
  explicit GrpcLogRedirect(Logger& log);
  ~GrpcLogRedirect();
  GrpcLogRedirect(const GrpcLogRedirect&) = delete;
  GrpcLogRedirect& operator=(const GrpcLogRedirect&) = delete;
};

}  // namespace paymesh::runtime
