// The HTTP port of operations: GET /metrics (as OpenMetrics for who asks for it), GET /log-level
// and, from this machine alone, PUT /log-level: whoever may scrape may not change. On a thread of
// its own, so that it answers while everything else is stuck. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/error/error.h"
#include "common/runtime/exposition.h"

namespace paymesh::runtime {

struct AdminHandlers {
  std::function<std::string(MetricsFormat)> metrics;
  std::function<std::string()> get_log_level;
  std::function<bool(std::string_view name)> set_log_level;  // false: no such level
};

class AdminServer {
 public:
  // UNAVAILABLE PORT_TAKEN when the address cannot be bound.
  static Result<std::unique_ptr<AdminServer>> Start(const std::string& address,
                                                    AdminHandlers handlers);
  ~AdminServer();
  int port() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace paymesh::runtime
