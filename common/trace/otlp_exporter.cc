#include "common/trace/otlp_exporter.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>

#include "common/error/status.h"
#include "common/runtime/backoff.h"
#include "common/runtime/ids.h"
#include "common/trace/otlp_encode.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"

namespace paymesh::trace {
namespace {

namespace pb = ::opentelemetry::proto::collector::trace::v1;
using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr milliseconds kLongestPause{5'000};

// The specification's table. RESOURCE_EXHAUSTED only where the receiver says when.
bool MayBeSentAgain(const grpc::Status& status, bool says_when) {
  switch (status.error_code()) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return says_when;
    default:
      return false;
  }
}

class OtlpExporter final : public Exporter {
 public:
  OtlpExporter(const OtlpOptions& options, Resource resource, runtime::RandomSource& random,
               const std::shared_ptr<grpc::Channel>& channel)
      : options_(options),
        resource_(std::move(resource)),
        random_(random),
        stub_(pb::TraceService::NewStub(channel)) {}

  Result<std::size_t> Export(const Spans& spans, SteadyTime deadline) override {
    const pb::ExportTraceServiceRequest request = ToRequest(spans, resource_);
    const runtime::Backoff backoff{options_.first_pause, kLongestPause};
    for (int failures = 1;; ++failures) {
      pb::ExportTraceServiceResponse response;
      const grpc::Status status = Attempt(request, deadline, &response);
      if (status.ok()) {
        return static_cast<std::size_t>(
            std::max<std::int64_t>(0, response.partial_success().rejected_spans()));
      }
      Error error = rpc::FromGrpc(status);
      if (!MayBeSentAgain(status, error.retry_after.has_value())) return error;
      const milliseconds wait = error.retry_after.value_or(Jittered(backoff.Limit(failures)));
      if (std::chrono::steady_clock::now() + wait >= deadline || !Sleep(wait)) return error;
    }
  }

  void Cancel() override {
    std::shared_ptr<grpc::ClientContext> running;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      running = running_;
    }
    wake_.notify_all();
    if (running) running->TryCancel();
  }

 private:
  grpc::Status Attempt(const pb::ExportTraceServiceRequest& request, SteadyTime deadline,
                       pb::ExportTraceServiceResponse* response) {
    auto context = std::make_shared<grpc::ClientContext>();
    const auto left = std::min<std::chrono::steady_clock::duration>(
        options_.timeout, deadline - std::chrono::steady_clock::now());
    context->set_deadline(std::chrono::system_clock::now() + left);
    for (const auto& [key, value] : options_.headers) context->AddMetadata(key, value);
    if (options_.gzip) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return {grpc::StatusCode::CANCELLED, "the exporter is closed"};
      running_ = context;
    }
    const grpc::Status status = stub_->Export(context.get(), request, response);
    std::lock_guard lock(mutex_);
    running_ = nullptr;
    return status;
  }

  // Between half of it and one and a half.
  milliseconds Jittered(milliseconds pause) {
    const auto range = static_cast<std::uint64_t>(std::max<std::int64_t>(1, pause.count()));
    return pause / 2 + milliseconds(random_.Below(range));
  }

  // False when cancelled.
  bool Sleep(milliseconds duration) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, duration, [this] { return cancelled_; });
  }

  const OtlpOptions options_;
  const Resource resource_;
  runtime::RandomSource& random_;
  const std::unique_ptr<pb::TraceService::Stub> stub_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;                        // guarded by mutex_
  std::shared_ptr<grpc::ClientContext> running_;  // guarded by mutex_
};

Result<std::string> ReadFile(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error::FailedPrecondition("OTLP_FILES", "cannot read " + path);
  return std::move(text).str();
}

Result<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const OtlpOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadFile(options.ca_file));
  ASSIGN_OR_RETURN(ssl.pem_cert_chain, ReadFile(options.certificate_file));
  ASSIGN_OR_RETURN(ssl.pem_private_key, ReadFile(options.key_file));
  return grpc::SslCredentials(ssl);
}

}  // namespace

Result<std::unique_ptr<Exporter>> MakeOtlpExporter(const OtlpOptions& options, Resource resource,
                                                   runtime::RandomSource& random) {
  ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials,
                   Credentials(options));
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // gRPC's own two minutes between attempts to connect are too long for a queue of seconds.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5'000);
  const auto channel = grpc::CreateCustomChannel(options.target, credentials, arguments);
  std::unique_ptr<Exporter> exporter =
      std::make_unique<OtlpExporter>(options, std::move(resource), random, channel);
  return exporter;
}

}  // namespace paymesh::trace
