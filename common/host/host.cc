#include "common/host/host.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "common/host/admin_server.h"
#include "common/host/grpc_log.h"
#include "common/host/host_state.h"
#include "common/host/worker_group.h"
#include "common/rpc/server/health.h"

namespace paymesh::runtime {
namespace {

using namespace std::chrono_literals;
constexpr int kFailed = 1;
constexpr int kRefusedToStart = 2;
constexpr auto kReadinessPeriod = 1s;
constexpr auto kProbePeriod = 10s;
constexpr auto kProbeTimeout = 2s;
constexpr int kProbeFailures = 3;     // in a row, until the listener counts as dead
constexpr auto kWatchdogMargin = 8s;  // for all of the shutdown that has no limit of its own
constexpr auto kFlushGrace = 3s;      // for spans, which come last: less where time is short

enum class Mode { kRun, kCheckConfig, kMigrate };
struct Arguments {
  Mode mode = Mode::kRun;
  std::string config;
};

int Refuse(const ServiceSpec& spec, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", spec.name.c_str(), why.c_str());
  return kRefusedToStart;
}

std::optional<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--config" && i + 1 < argc) {
      arguments.config = argv[++i];
    } else if (argument.starts_with("--config=")) {
      arguments.config = argument.substr(9);
    } else if (argument == "--check-config") {
      arguments.mode = Mode::kCheckConfig;
    } else if (argument == "migrate") {
      arguments.mode = Mode::kMigrate;
    } else {
      return std::nullopt;
    }
  }
  if (arguments.config.empty()) return std::nullopt;
  return arguments;
}

struct Loaded {
  CommonConfig common;
  ChainsConfig chains;
  rpc::Identities identities;
};

Result<Loaded> Load(const ServiceSpec& spec, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ConfigNode root, LoadConfig(arguments.config));
  Loaded loaded;
  loaded.common = ReadCommonConfig(root);
  if (spec.read_config) spec.read_config(root);
  RETURN_IF_ERROR(root.Finish());
  if (!loaded.common.chains_file.empty()) {
    ASSIGN_OR_RETURN(loaded.chains, LoadChains(loaded.common.chains_file));
  }
  ASSIGN_OR_RETURN(loaded.identities, rpc::Identities::Make(loaded.common.identities));
  // A migration needs no certificate.
  if (arguments.mode != Mode::kMigrate) RETURN_IF_ERROR(rpc::CheckTlsFiles(loaded.common.tls));
  if (const auto table = rpc::Authorizer::Make(spec.methods, {}); !table.ok()) return table.error();
  return loaded;
}

// Every connection is a descriptor, and gRPC's listener does not survive running out of them.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Blocked in all threads, taken by the main thread alone.
sigset_t BlockSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Ends the process if it has not been disarmed in time: a call that never finishes would keep
// gRPC's shutdown waiting for ever.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds limit)
      : thread_([this, limit] {
          std::unique_lock lock(mutex_);
          if (disarmed_.wait_for(lock, limit, [this] { return done_; })) return;
          std::fputs("shutdown took too long: exiting\n", stderr);
          ::_exit(kFailed);
        }) {}
  ~Watchdog() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    disarmed_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable disarmed_;
  bool done_ = false;
  std::thread thread_;
};

// A service from its parts' making to their end, on the main thread.
class Run {
 public:
  Run(const ServiceSpec& spec, HostState& host) : spec_(spec), host_(host) {}

  Status Start() {
    ASSIGN_OR_RETURN(parts_, spec_.build(host_));
    const std::vector<rpc::ServedService> services = parts_->Services();
    std::vector<std::string> names;
    for (const auto& service : services) names.push_back(service.name);
    ASSIGN_OR_RETURN(rpc::Authorizer authorizer, rpc::Authorizer::Make(spec_.methods, names));
    host_.calls().SetAuthorizer(std::make_shared<const rpc::Authorizer>(std::move(authorizer)));
    host_.SetAuthenticator(parts_->Authenticator());
    const CommonConfig& config = host_.config();
    ASSIGN_OR_RETURN(health_, rpc::HealthServer::Start(config.health_address, names));
    ASSIGN_OR_RETURN(admin_, AdminServer::Start(config.metrics_address, Handlers()));
    rpc::ServerOptions options;
    options.address = config.grpc_address;
    options.credentials = rpc::MakeServerCredentials(config.tls);
    options.reflection = config.reflection;
    options.metrics = &host_.metrics();
    ASSIGN_OR_RETURN(server_, rpc::Server::Start(options, services));
    StartWorkers();
    host_.log().Info("started", {{"grpc", server_->address()},
                                 {"health_port", health_->port()},
                                 {"metrics_port", admin_->port()}});
    return {};
  }

  // Until a signal, the death of a worker or of the listener.
  int Wait(const sigset_t& signals) {
    auto next_probe = std::chrono::steady_clock::now() + kProbePeriod;
    int failures = 0;
    for (;;) {
      timespec patience{0, 200'000'000};
      const int signal = ::sigtimedwait(&signals, nullptr, &patience);
      if (signal == SIGTERM || signal == SIGINT) {
        host_.log().Info("stopping", {{"signal", signal}});
        return 0;
      }
      if (worker_died_) return kFailed;
      if (std::chrono::steady_clock::now() < next_probe) continue;
      failures = rpc::ProbePort(server_->address(), kProbeTimeout) ? 0 : failures + 1;
      if (failures == kProbeFailures) {
        host_.log().Error("the gRPC port accepts no connections any more: restarting is needed");
        return kFailed;
      }
      next_probe = std::chrono::steady_clock::now() + kProbePeriod;
    }
  }

  // Callers are sent away first; then calls, workers, databases and threads end, in this order, and
  // what was recorded of all that is sent.
  void Drain() {
    const CommonConfig& config = host_.config();
    const auto begun = std::chrono::steady_clock::now();
    const auto limit = config.drain_delay + config.shutdown_grace + kWatchdogMargin;
    const Watchdog watchdog(limit);
    if (health_) health_->Drain();
    std::this_thread::sleep_for(server_ ? config.drain_delay : 0ms);
    host_.calls().CancelStreams();
    if (server_) server_->Shutdown(config.shutdown_grace);
    if (workers_ && !workers_->Stop(5s)) host_.log().Warn("a worker does not stop");
    if (parts_) parts_->Stop();
    host_.JoinThreads(2s);
    admin_.reset();
    health_.reset();
    server_.reset();
    workers_.reset();
    host_.SetAuthenticator(nullptr);
    parts_.reset();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        begun + limit - 1s - std::chrono::steady_clock::now());
    host_.tracing().Shutdown(std::clamp<std::chrono::milliseconds>(left, 0ms, kFlushGrace));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begun);
    host_.log().Info("stopped", {{"duration_ms", took.count()}});
  }

 private:
  AdminHandlers Handlers() {
    AdminHandlers handlers;
    handlers.metrics = [this](MetricsFormat format) { return host_.metrics().Render(format); };
    handlers.get_log_level = [this] { return std::string(LogLevelName(host_.log().level())); };
    handlers.set_log_level = [this](std::string_view name) {
      const auto level = ParseLogLevel(name);
      if (level) host_.log().set_level(*level);
      return level.has_value();
    };
    return handlers;
  }

  void StartWorkers() {
    workers_ = std::make_unique<WorkerGroup>(
        host_.executor(), [this](const std::string& name, const std::string& why) {
          host_.log().Error("a worker has died", {{"worker", name}, {"err", why}});
          worker_died_ = true;
        });
    workers_->Start("readiness", [this] { return PollReadiness(); });
    for (Worker& worker : parts_->Workers()) {
      workers_->Start(std::move(worker.name), std::move(worker.run));
    }
  }

  Task<void> PollReadiness() {
    bool ready = false;
    auto& gauge = host_.metrics().Gauge("paymesh_ready", "1 while the service is ready.");
    for (;;) {
      const Status status = co_await parts_->CheckReady();
      if (status.ok() != ready) {
        ready = status.ok();
        if (ready) host_.log().Info("ready");
        if (!ready) host_.log().Warn("not ready", {{"err", status.error().ToString()}});
      }
      gauge.Set(ready ? 1 : 0);
      health_->SetReady(ready);
      co_await SleepFor(kReadinessPeriod);
    }
  }

  const ServiceSpec& spec_;
  HostState& host_;
  std::unique_ptr<ServiceParts> parts_;
  std::unique_ptr<rpc::HealthServer> health_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<WorkerGroup> workers_;
  std::atomic<bool> worker_died_{false};
};

int Migrate(const ServiceSpec& spec, HostState& host) {
  if (!spec.migrate) return Refuse(spec, "this service has no database to migrate");
  const Status migrated = spec.migrate(host);
  if (!migrated.ok()) return Refuse(spec, migrated.error().ToString());
  return 0;
}

}  // namespace

int RunService(int argc, char** argv, ServiceSpec spec) {
  const auto arguments = ParseArguments(argc, argv);
  if (!arguments)
    return Refuse(spec, "usage: " + spec.name + " --config FILE [--check-config | migrate]");
  const sigset_t signals = BlockSignals();
  Result<Loaded> loaded = Load(spec, *arguments);
  if (!loaded.ok()) return Refuse(spec, loaded.error().message);
  if (arguments->mode == Mode::kCheckConfig) {
    std::printf("%s: the configuration is valid\n", spec.name.c_str());
    return 0;
  }
  RaiseDescriptorLimit();
  HostState host(spec, std::move(loaded->common), std::move(loaded->chains),
                 std::move(loaded->identities),
                 [](const char* name) -> const char* { return std::getenv(name); });
  const GrpcLogRedirect redirect(host.log());
  host.StartThreads();
  if (arguments->mode == Mode::kMigrate) return Migrate(spec, host);
  Run run(spec, host);
  const Status started = run.Start();
  const int result = started.ok() ? run.Wait(signals) : Refuse(spec, started.error().message);
  run.Drain();
  return result;
}

}  // namespace paymesh::runtime
