// What a service is made of, as the run loop wants to know it, and what the run loop gives its
// parts. Threads: as each class says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/config/chains.h"
#include "common/config/config.h"
#include "common/error/error.h"
#include "common/host/build_info.h"
#include "common/host/common_config.h"
#include "common/rpc/server/authorization.h"
#include "common/rpc/server/call_runner.h"
#include "common/rpc/server/grpc_server.h"
#include "common/rpc/server/page.h"
#include "common/runtime/clock.h"
#include "common/runtime/ids.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "common/runtime/task.h"
#include "common/trace/tracer.h"

namespace grpc {
class Channel;
}

namespace paymesh::runtime {

// What a service's parts may use. Everything outlives the parts. Any thread.
class Host {
 public:
  virtual ~Host() = default;
  virtual const CommonConfig& config() const = 0;
  virtual const ChainsConfig& chains() const = 0;  // empty without chains_file
  virtual Executor executor() = 0;                 // the pool; MakeStrand(executor()) for a strand
  virtual const Clock& clock() const = 0;
  virtual RandomSource& random() = 0;
  virtual IdSource& ids() = 0;
  virtual Logger& log() = 0;
  virtual Metrics& metrics() = 0;
  virtual trace::Tracer& tracer() = 0;   // served calls have their spans without it
  virtual rpc::CallRunner& calls() = 0;  // for rpc::Unary and rpc::Stream
  virtual const rpc::PageTokens& page_tokens() const = 0;
  // The channel to a peer in `peers` (made once, shared). FAILED_PRECONDITION PEER_NOT_CONFIGURED.
  virtual Result<std::shared_ptr<grpc::Channel>> Peer(const std::string& name) = 0;
};

// A coroutine that runs from start to drain, on a strand of its own. Drain cancels it
// (operation_aborted at its next co_await) and waits for its end; when it ends or throws before
// that, the process logs it and exits with 1, so a worker loops and handles its own errors.
struct Worker {
  std::string name;
  std::function<Task<void>()> run;
};

// The parts of a running service.
class ServiceParts {
 public:
  virtual ~ServiceParts() = default;
  virtual std::vector<rpc::ServedService> Services() = 0;
  virtual std::vector<Worker> Workers() { return {}; }
  // Polled about once a second: own database reachable, schema right. Never a peer.
  virtual Task<Status> CheckReady() = 0;
  // For the edge's calls; null: the edge is refused.
  virtual rpc::ApiKeyAuthenticator* Authenticator() { return nullptr; }
  // After the last call and worker have ended, before the threads of the executor are joined:
  // closes databases. May block.
  virtual void Stop() {}
};

struct ServiceSpec {
  std::string name;  // "checkout"; errors have the domain "<name>.paymesh.dev"
  std::string version = BuildVersion();
  rpc::MethodTable methods;
  // The methods of peers that it calls ("/package.Service/Method"): their metrics are there before
  // the first call.
  std::vector<std::string> calls = {};
  // Reads the service's own keys; problems (ConfigNode::AddError) end the start.
  std::function<void(const ConfigNode& root)> read_config = {};
  // Builds the parts; an error ends the start with one line on stderr. It runs on the main thread
  // and may block; the executor's threads run already.
  std::function<Result<std::unique_ptr<ServiceParts>>(Host& host)> build;
  // The `migrate` sub-command.
  std::function<Status(Host& host)> migrate = {};
};

}  // namespace paymesh::runtime
