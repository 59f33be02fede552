// What CallRunner holds, for server_call.cc. Any thread.
#pragma once

#include <google/protobuf/descriptor.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "common/rpc/call_metrics.h"
#include "common/rpc/server/call_runner.h"
#include "common/trace/tracer.h"

namespace paymesh::rpc {

class CallState;

// A method's name and its metrics, looked up once.
struct ServedMethod {
  std::string path;                         // "/package.Service/Method"
  std::optional<CallMetrics> metrics = {};  // none: nothing is counted
};

class CallRunner::Impl {
 public:
  explicit Impl(CallRunnerOptions o) : options(std::move(o)) {}

  // Null for a request type that no row of the method table has.
  const ServedMethod* Find(const google::protobuf::Descriptor& request) const {
    const auto found = methods.find(&request);
    return found == methods.end() ? nullptr : &found->second;
  }
  void AddMethods(const MethodTable& table);
  trace::Tracer& tracer() { return options.tracer != nullptr ? *options.tracer : silent; }

  CallRunnerOptions options;
  runtime::SystemClock clock;
  runtime::SystemRandom random;
  trace::Tracer silent{clock, random};  // makes trace ids for the log where no tracer is given
  std::unordered_map<const google::protobuf::Descriptor*, ServedMethod> methods;
  std::atomic<std::size_t> unary{0};
  std::atomic<std::size_t> streams{0};
  std::atomic<bool> draining{false};
  std::mutex mutex;
  std::set<CallState*> running_streams;  // guarded by mutex; each leaves before it is destroyed
};

}  // namespace paymesh::rpc
