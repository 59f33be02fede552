#include "common/host/host_state.h"

#include <grpcpp/channel.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>

#include "common/host/build_info.h"
#include "common/host/process_metrics.h"
#include "common/rpc/certificate_metrics.h"
#include "common/rpc/client/client_metrics.h"

namespace paymesh::runtime {
namespace {

LoggerOptions LogOptions(const ServiceSpec& spec, const CommonConfig& config) {
  LoggerOptions options;
  options.service = spec.name;
  options.version = spec.version;
  options.environment = config.environment;
  options.level = config.log_level;
  return options;
}

// The names are OpenTelemetry's.
trace::Resource ResourceOf(const ServiceSpec& spec, const CommonConfig& config,
                           RandomSource& random) {
  return {{"service.name", spec.name},
          {"service.namespace", "paymesh"},
          {"service.version", spec.version},
          {"service.instance.id", random.Hex(16)},
          {"deployment.environment", config.environment},
          {"telemetry.sdk.name", "paymesh"},
          {"telemetry.sdk.language", "cpp"},
          {"telemetry.sdk.version", spec.version}};
}

}  // namespace

struct HostState::Pool {
  explicit Pool(int count) : context(count), guard(context.get_executor()) {}
  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0;
};

HostState::HostState(const ServiceSpec& spec, CommonConfig config, ChainsConfig chains,
                     rpc::Identities identities, const trace::Environment& environment)
    : config_(std::move(config)),
      chains_(std::move(chains)),
      ids_(clock_, random_),
      log_(LogOptions(spec, config_)),
      tracing_(trace::ReadSettings(environment, ResourceOf(spec, config_, random_)), clock_,
               random_, log_, metrics_),
      page_tokens_(config_.page_token_key.empty() ? random_.Hex(32) : config_.page_token_key),
      pool_(std::make_unique<Pool>(config_.threads)),
      client_metrics_(std::make_shared<rpc::ClientMetrics>(metrics_, spec.calls)) {
  rpc::CallRunnerOptions options;
  options.executor = pool_->context.get_executor();
  options.domain = spec.name + ".paymesh.dev";
  options.identities = std::make_shared<const rpc::Identities>(std::move(identities));
  options.authenticator = [this] { return authenticator_.load(); };
  options.log = &log_;
  options.metrics = &metrics_;
  options.tracer = &tracing_.tracer();
  calls_ = std::make_unique<rpc::CallRunner>(std::move(options));
  ExportInfo(spec);
}

HostState::~HostState() { JoinThreads(std::chrono::milliseconds(0)); }

Executor HostState::executor() { return pool_->context.get_executor(); }

void HostState::ExportInfo(const ServiceSpec& spec) {
  RegisterProcessMetrics(metrics_);
  rpc::ExportCertificates(metrics_, config_.tls);
  metrics_
      .Gauge("paymesh_build_info", "What runs; always 1.",
             {{"service", spec.name},
              {"version", spec.version},
              {"revision", BuildRevision()},
              {"compiler", __VERSION__}})
      .Set(1);
  if (!chains_.hash.empty()) {
    metrics_
        .Gauge("paymesh_chains_config_info", "SHA-256 of chains.yaml; always 1.",
               {{"hash", chains_.hash}})
        .Set(1);
  }
  auto& dropped = metrics_.Counter("paymesh_log_lines_dropped_total",
                                   "Log lines lost because their reader was too slow.");
  metrics_.OnCollect([this, &dropped] { Follow(dropped, static_cast<double>(log_.dropped())); });
}

Result<std::shared_ptr<grpc::Channel>> HostState::Peer(const std::string& name) {
  const auto peer = config_.peers.find(name);
  if (peer == config_.peers.end()) {
    return Error::FailedPrecondition("PEER_NOT_CONFIGURED", "peers has no entry " + name);
  }
  std::lock_guard lock(mutex_);
  auto& channel = channels_[name];
  if (!channel) {
    rpc::ChannelOptions options{.target = peer->second.target, .metrics = client_metrics_};
    if (!peer->second.spiffe_id.empty()) options.expected_spiffe_id = peer->second.spiffe_id;
    channel = rpc::MakeChannel(config_.tls, options);
  }
  return channel;
}

void HostState::StartThreads() {
  Pool& pool = *pool_;
  pool.running = config_.threads;
  for (int i = 0; i < config_.threads; ++i) {
    pool.threads.emplace_back([&pool] {
      pool.context.run();
      std::lock_guard lock(pool.mutex);
      --pool.running;
      pool.changed.notify_all();
    });
  }
}

void HostState::JoinThreads(std::chrono::milliseconds patience) {
  Pool& pool = *pool_;
  pool.guard.reset();
  {
    std::unique_lock lock(pool.mutex);
    pool.changed.wait_for(lock, patience, [&pool] { return pool.running == 0; });
  }
  pool.context.stop();
  for (std::thread& thread : pool.threads) thread.join();
  pool.threads.clear();
}

}  // namespace paymesh::runtime
