// The Host that RunService makes: what it owns, in the order in which it must be taken down again.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/host/service_spec.h"
#include "common/trace/environment.h"
#include "common/trace/tracing.h"

namespace boost::asio {
class io_context;
}
namespace paymesh::rpc {
class ClientMetrics;
}

namespace paymesh::runtime {

class HostState final : public Host {
 public:
  HostState(const ServiceSpec& spec, CommonConfig config, ChainsConfig chains,
            rpc::Identities identities, const trace::Environment& environment);
  ~HostState() override;

  const CommonConfig& config() const override { return config_; }
  const ChainsConfig& chains() const override { return chains_; }
  Executor executor() override;
  const Clock& clock() const override { return clock_; }
  RandomSource& random() override { return random_; }
  IdSource& ids() override { return ids_; }
  Logger& log() override { return log_; }
  Metrics& metrics() override { return metrics_; }
  trace::Tracer& tracer() override { return tracing_.tracer(); }
  trace::Tracing& tracing() { return tracing_; }
  rpc::CallRunner& calls() override { return *calls_; }
  const rpc::PageTokens& page_tokens() const override { return page_tokens_; }
  Result<std::shared_ptr<grpc::Channel>> Peer(const std::string& name) override;

  void SetAuthenticator(rpc::ApiKeyAuthenticator* authenticator) { authenticator_ = authenticator; }
  void StartThreads();
  // Lets the threads finish what is posted, for at most `patience`, and joins them.
  void JoinThreads(std::chrono::milliseconds patience);

 private:
  void ExportInfo(const ServiceSpec& spec);

  const CommonConfig config_;
  const ChainsConfig chains_;
  SystemClock clock_;
  SystemRandom random_;
  IdSource ids_;
  Logger log_;
  Metrics metrics_;
  trace::Tracing tracing_;
  rpc::PageTokens page_tokens_;
  std::atomic<rpc::ApiKeyAuthenticator*> authenticator_{nullptr};
  struct Pool;
  std::unique_ptr<Pool> pool_;
  std::unique_ptr<rpc::CallRunner> calls_;
  std::shared_ptr<rpc::ClientMetrics> client_metrics_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace paymesh::runtime
