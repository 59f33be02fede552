// A TCP proxy in front of PostgreSQL that can lose things: for tests of broken connections.
// Serves on a thread a connection. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace paymesh::pg {

class TestProxy {
 public:
  // Forwards to the host and port of `conninfo`.
  explicit TestProxy(const std::string& conninfo);
  ~TestProxy();

  // `conninfo` with this proxy in the server's place.
  const std::string& conninfo() const { return conninfo_; }
  // The next `count` COMMITs reach the server, their answers do not reach the client: the
  // connection breaks instead, once the server has answered.
  void LoseCommitReplies(int count) { lose_replies_ = count; }
  int lost() const { return lost_; }

 private:
  void Accept();
  void Serve(int client);

  std::string conninfo_, host_, port_;
  int listener_ = -1;
  std::atomic<int> lose_replies_{0}, lost_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace paymesh::pg
