// For tests: one process's worth of a watcher for one chain, on a thread of its own, which can be
// ended as a crash would end it. The test's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>

#include "common/http/client.h"
#include "common/pg/database.h"
#include "common/pg/lease.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "common/runtime/metrics.h"
#include "services/watcher/clients/node_client.h"
#include "services/watcher/workers/chain_follower.h"

namespace paymesh::watcher {

class Replica {
 public:
  Replica(const std::string& conninfo, FollowerOptions options, const std::string& holder,
          const http::ClientOptions& http_options = NodeHttpOptions());
  // Nothing is finished and no lease is given back.
  ~Replica();
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  bool leads() const { return lease_.epoch().has_value(); }
  std::string Metrics() { return metrics_.Render(); }

 private:
  runtime::Logger log_;
  runtime::Metrics metrics_;
  runtime::SystemClock clock_;
  std::unique_ptr<http::Client> http_;  // its kept connections are of the loop: it goes first
  pg::Database database_;
  NodeClient node_;
  pg::LeaseKeeper lease_;
  ChainFollower follower_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::thread thread_;
};

}  // namespace paymesh::watcher
