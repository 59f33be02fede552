#include "common/rpc/credentials.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/rpc/client/client_metrics.h"

namespace paymesh::rpc {
namespace {

namespace experimental = grpc::experimental;

// Accepts a server whose certificate has exactly the one URI that we expect. Its chain has been
// verified by then. The answer is given at once, so there is nothing to cancel.
class SpiffeVerifier final : public experimental::ExternalCertificateVerifier {
 public:
  explicit SpiffeVerifier(std::string expected) : expected_(std::move(expected)) {}

  bool Verify(experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* sync_status) override {
    const auto uris = request->uri_names();
    const bool good =
        uris.size() == 1 && std::string_view(uris[0].data(), uris[0].size()) == expected_;
    *sync_status =
        good ? grpc::Status::OK
             : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "the server is not " + expected_);
    return true;
  }
  void Cancel(experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string expected_;
};

std::shared_ptr<experimental::CertificateProviderInterface> WatchFiles(const TlsFiles& files) {
  return std::make_shared<experimental::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.ca, static_cast<unsigned>(files.refresh.count()));
}

// Three attempts on UNAVAILABLE only, within a budget, so that retries cannot multiply an overload.
constexpr char kRetries[] = R"({
  "methodConfig": [{
    "name": [{}],
    "retryPolicy": {
      "maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
})";

}  // namespace

Status CheckTlsFiles(const TlsFiles& files) {
  const auto bad = [](const std::string& message) {
    ERR_clear_error();
    return Error::InvalidArgument("INVALID_TLS_FILES", message);
  };
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                                  &SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return bad("no PEM certificate in " + files.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad("no PEM key in " + files.key + " that fits the certificate");
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    return bad(files.key + " does not belong to " + files.certificate);
  }
  if (SSL_CTX_load_verify_locations(context.get(), files.ca.c_str(), nullptr) != 1) {
    return bad("no PEM certificates in " + files.ca);
  }
  return {};
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const TlsFiles& files) {
  experimental::TlsServerCredentialsOptions options(WatchFiles(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const TlsFiles& files, std::optional<std::string> expected_spiffe_id) {
  experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(WatchFiles(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  if (expected_spiffe_id) {
    options.set_certificate_verifier(
        experimental::ExternalCertificateVerifier::Create<SpiffeVerifier>(*expected_spiffe_id));
    options.set_check_call_host(false);
  }
  return experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::shared_ptr<grpc::ChannelCredentials>& credentials, const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Not below the server's least interval between pings (grpc_server.cc).
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The default grows to two minutes, far longer than a peer needs to restart.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also how long a connection with its handshakes may take: a busy machine needs more than 100 ms.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  arguments.SetMaxReceiveMessageSize(4 * 1024 * 1024);
  if (options.retry) {
    arguments.SetServiceConfigJSON(kRetries);
  } else {
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  }
  if (!options.metrics) return grpc::CreateCustomChannel(options.target, credentials, arguments);
  std::vector<std::unique_ptr<experimental::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(CountCalls(options.metrics));
  return experimental::CreateCustomChannelWithInterceptors(options.target, credentials, arguments,
                                                           std::move(interceptors));
}

std::shared_ptr<grpc::Channel> MakeChannel(const TlsFiles& files, const ChannelOptions& options) {
  return MakeChannel(MakeChannelCredentials(files, options.expected_spiffe_id), options);
}

}  // namespace paymesh::rpc
