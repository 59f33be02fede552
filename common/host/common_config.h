// The part of the configuration that all services have in common, and its typed form.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/rpc/credentials.h"
#include "common/rpc/identity.h"
#include "common/runtime/log.h"

namespace paymesh::runtime {

struct PeerConfig {
  std::string target;     // "127.0.0.1:7102", "dns:///watcher-headless:50051"
  std::string spiffe_id;  // the identity named like the peer, where `identities` has one
};

struct CommonConfig {
  std::string grpc_address;       // listen.grpc
  std::string health_address;     // listen.health
  std::string metrics_address;    // listen.metrics
  rpc::TlsFiles tls;              // tls: {certificate, key, ca, refresh}
  std::string database_conninfo;  // database.conninfo or, read from a file, database.conninfo_file
  int database_pool_size = 8;
  std::string chains_file;  // empty where the key is absent
  LogLevel log_level = LogLevel::kInfo;
  std::string environment = "dev";
  bool reflection = false;
  int threads = 2;  // of the io_context
  std::vector<rpc::Identity> identities;
  std::map<std::string, PeerConfig> peers;
  std::string page_token_key;  // from page_token_key_file; empty: one of this process's own
  std::chrono::milliseconds drain_delay{0};  // between NOT_SERVING and refusing calls
  std::chrono::milliseconds shutdown_grace{20'000};
};

// Reads and so marks as known the common keys; problems are left in the node for Finish().
CommonConfig ReadCommonConfig(const ConfigNode& root);

}  // namespace paymesh::runtime
