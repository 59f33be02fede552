#include "common/host/common_config.h"

namespace paymesh::runtime {
namespace {

void ReadListen(const ConfigNode& root, CommonConfig& config) {
  const ConfigNode listen = root.Child("listen");
  config.grpc_address = listen.Required<std::string>("grpc");
  config.health_address = listen.Required<std::string>("health");
  config.metrics_address = listen.Required<std::string>("metrics");
}

void ReadTls(const ConfigNode& root, CommonConfig& config) {
  const ConfigNode tls = root.Child("tls");
  config.tls.certificate = tls.Required<std::string>("certificate");
  config.tls.key = tls.Required<std::string>("key");
  config.tls.ca = tls.Required<std::string>("ca");
  const auto refresh = tls.Optional<std::chrono::milliseconds>("refresh", std::chrono::seconds(1));
  config.tls.refresh = std::chrono::duration_cast<std::chrono::seconds>(refresh);
  if (config.tls.refresh.count() < 1) tls.AddError("refresh", "must be at least 1s");
}

void ReadDatabase(const ConfigNode& root, CommonConfig& config) {
  if (!root.Has("database")) return;
  const ConfigNode database = root.Child("database");
  if (database.Has("conninfo") == database.Has("conninfo_file")) {
    database.AddError("conninfo", "give either conninfo or conninfo_file");
  }
  config.database_conninfo = database.Maybe<std::string>("conninfo").value_or("");
  if (const auto file = database.MaybeSecretFile("conninfo_file")) config.database_conninfo = *file;
  config.database_pool_size = database.Optional("pool_size", 8);
  if (config.database_pool_size < 1 || config.database_pool_size > 256) {
    database.AddError("pool_size", "must be from 1 to 256");
  }
}

void ReadIdentities(const ConfigNode& root, CommonConfig& config) {
  for (const ConfigNode& node : root.List("identities")) {
    rpc::Identity identity;
    identity.uri = node.Required<std::string>("uri");
    identity.name = node.Required<std::string>("name");
    const std::string role_name = node.Required<std::string>("role");
    const auto role = rpc::ParseRole(role_name);
    if (!role) {
      node.AddError("role", "is none of service, edge, reader, operator, finance, approver");
    }
    identity.role = role.value_or(rpc::Role::kReader);
    config.identities.push_back(std::move(identity));
  }
  if (const auto checked = rpc::Identities::Make(config.identities); !checked.ok()) {
    root.AddError("identities", checked.error().message);
  }
}

void ReadPeers(const ConfigNode& root, CommonConfig& config) {
  if (!root.Has("peers")) return;
  const ConfigNode peers = root.Child("peers");
  for (const std::string& name : peers.Keys()) {
    PeerConfig peer{peers.Required<std::string>(name), ""};
    for (const rpc::Identity& identity : config.identities) {
      if (identity.name == name && identity.role == rpc::Role::kService) {
        peer.spiffe_id = identity.uri;
      }
    }
    config.peers.emplace(name, std::move(peer));
  }
}

void ReadLog(const ConfigNode& root, CommonConfig& config) {
  const ConfigNode log = root.Child("log");
  const auto level = ParseLogLevel(log.Optional<std::string>("level", "info"));
  if (!level) log.AddError("level", "is none of debug, info, warn, error");
  config.log_level = level.value_or(LogLevel::kInfo);
}

}  // namespace

CommonConfig ReadCommonConfig(const ConfigNode& root) {
  CommonConfig config;
  ReadListen(root, config);
  ReadTls(root, config);
  ReadDatabase(root, config);
  ReadLog(root, config);
  ReadIdentities(root, config);
  ReadPeers(root, config);
  config.chains_file = root.Optional<std::string>("chains_file", "");
  config.environment = root.Optional<std::string>("environment", "dev");
  config.reflection = root.Optional("reflection", false);
  config.threads = root.Optional("threads", 2);
  if (config.threads < 1 || config.threads > 64) root.AddError("threads", "must be from 1 to 64");
  if (const auto key = root.MaybeSecretFile("page_token_key_file")) {
    config.page_token_key = *key;
    if (key->size() < 16) root.AddError("page_token_key_file", "must hold at least 16 bytes");
  }
  config.drain_delay =
      root.Optional<std::chrono::milliseconds>("drain_delay", std::chrono::milliseconds(0));
  config.shutdown_grace =
      root.Optional<std::chrono::milliseconds>("shutdown_grace", std::chrono::seconds(20));
  if (config.drain_delay + config.shutdown_grace > std::chrono::seconds(50)) {
    root.AddError("shutdown_grace", "and drain_delay must not exceed 50s together");
  }
  return config;
}

}  // namespace paymesh::runtime
