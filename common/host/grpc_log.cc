#include "common/host/grpc_log.h"

#include <grpc/support/log.h>

#include <atomic>

namespace paymesh::runtime {
namespace {

// gRPC takes a bare function, so what it writes to can only be static.
std::atomic<Logger*> target{nullptr};

void Write(gpr_log_func_args* args) {
  Logger* log = target.load();
  if (log == nullptr) return;
  const std::string_view message(args->message);
  // Broken handshakes are what strangers (and our own probe of the port) cause at will.
  const bool noise = message.find("andshake") != std::string_view::npos;
  const LogLevel level =
      noise || args->severity != GPR_LOG_SEVERITY_ERROR ? LogLevel::kDebug : LogLevel::kWarn;
  const LogField field("grpc", message);
  log->Write(level, "gRPC library", {&field, 1});
}

}  // namespace

GrpcLogRedirect::GrpcLogRedirect(Logger& log) {
  target = &log;
  gpr_set_log_function(&Write);
}
GrpcLogRedirect::~GrpcLogRedirect() {
  gpr_set_log_function(nullptr);
  target = nullptr;
}

}  // namespace paymesh::runtime
