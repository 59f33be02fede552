// Mutual TLS from files that may be replaced while the process runs, and channels to peers.
// Any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "common/error/error.h"

namespace grpc {
class Channel;
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

namespace paymesh::rpc {

class ClientMetrics;

struct TlsFiles {
  std::string certificate;  // PEM chain, leaf first
  std::string key;
  std::string ca;                   // PEM bundle of those whom we trust
  std::chrono::seconds refresh{1};  // how often the files are looked at
};

// INVALID_ARGUMENT INVALID_TLS_FILES when a file cannot be read, is not PEM, or key and certificate
// do not belong together: said at start, because gRPC would only fail every handshake later.
Status CheckTlsFiles(const TlsFiles& files);

// Requires a client certificate that the CA signed. Who it is, is for identity.h to say.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const TlsFiles& files);

// Verifies the server's chain and, where `expected_spiffe_id` is given, that its certificate has
// exactly that one URI; otherwise that it is good for the target's host name.
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(
    const TlsFiles& files, std::optional<std::string> expected_spiffe_id);

struct ChannelOptions {
  std::string target;  // "127.0.0.1:7102" or "dns:///routing-headless:50051"
  std::optional<std::string> expected_spiffe_id = std::nullopt;
  // Calls answered UNAVAILABLE are tried again, 3 attempts with backoff and a retry budget. Only
  // for peers all of whose calls are idempotent: reads, and writes with a request_id.
  bool retry = true;
  std::shared_ptr<ClientMetrics> metrics = nullptr;  // null: its calls are not counted
};

// Round robin over all addresses, keepalive, message limits. Connects when first used.
std::shared_ptr<grpc::Channel> MakeChannel(const TlsFiles& files, const ChannelOptions& options);
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::shared_ptr<grpc::ChannelCredentials>& credentials, const ChannelOptions& options);

}  // namespace paymesh::rpc
