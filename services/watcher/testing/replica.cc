#include "services/watcher/testing/replica.h"

#include <cstdlib>

#include "common/runtime/task.h"

namespace paymesh::watcher {
namespace {

runtime::LoggerOptions LoggerOptionsOf() {
  runtime::LoggerOptions options;
  options.service = "watcher";
  options.level = std::getenv("PAYMESH_TEST_LOG") != nullptr ? runtime::LogLevel::kDebug
                                                             : runtime::LogLevel::kError;
  return options;
}

pg::DatabaseOptions DatabaseOptionsOf(const std::string& conninfo) {
  pg::DatabaseOptions options;
  options.conninfo = conninfo;
  options.pool_size = 3;
  return options;
}

NodeOptions NodeOptionsOf(const FollowerOptions& options) {
  NodeOptions node;
  node.chain = options.chain.chain.ToString();
  node.endpoints = options.chain.endpoints;
  node.timeout = std::chrono::seconds(1);
  return node;
}

pg::LeaseOptions LeaseOptionsOf(const FollowerOptions& options, const std::string& holder) {
  pg::LeaseOptions lease;
  lease.name = LeaseName(options.chain.chain.ToString());
  lease.holder = holder;
  lease.ttl = std::chrono::milliseconds(900);
  return lease;
}

}  // namespace

Replica::Replica(const std::string& conninfo, FollowerOptions options, const std::string& holder,
                 const http::ClientOptions& http_options)
    : log_(LoggerOptionsOf()),
      http_(std::make_unique<http::Client>(http_options)),
      database_(DatabaseOptionsOf(conninfo)),
      node_(*http_, metrics_, NodeOptionsOf(options)),
      lease_(database_, LeaseOptionsOf(options, holder)),
      follower_(database_, node_, lease_, log_, metrics_, clock_, options),
      context_(std::make_unique<boost::asio::io_context>()) {
  runtime::Spawn(runtime::MakeStrand(context_->get_executor()), lease_.Run(), "lease");
  runtime::Spawn(runtime::MakeStrand(context_->get_executor()), follower_.Run(), "follower");
  thread_ = std::thread([this] { context_->run(); });
}

Replica::~Replica() {
  context_->stop();
  thread_.join();
  database_.Close();
  http_.reset();
  context_.reset();
}

}  // namespace paymesh::watcher
