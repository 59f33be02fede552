// What the hub's readers and its listening thread share. Internal to common/outbox.
// Any thread, except Listen and what only it calls.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/outbox/entry.h"
#include "common/outbox/hub/hub_options.h"
#include "common/outbox/hub/ring.h"
#include "common/pg/connection.h"
#include "common/pg/database.h"
#include "common/runtime/one_shot.h"

namespace paymesh::outbox {

enum class Waking { kNews, kTimeout, kClosed, kOverloaded };
struct Woken {
  Waking why = Waking::kTimeout;
  std::int64_t scanned = 0;  // nothing up to here matched
};

class HubState : public std::enable_shared_from_this<HubState> {
 public:
  HubState(pg::Database& database, HubOptions options);
  ~HubState();
  void Start();
  void Close();
  HubStats stats() const;

  pg::Database& database() const { return database_; }
  // A page from memory, or nullopt: read the table.
  std::optional<Page> Cached(const std::string& outbox, std::int64_t after, int limit,
                             const Filter& filter);
  using Shot = runtime::OneShot<Woken>;
  // Is told once something above `after` matches, or why not.
  std::shared_ptr<Shot> Watch(const std::string& outbox, std::int64_t after, const Filter& filter,
                              std::chrono::milliseconds wait);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiter {
    std::int64_t after;
    Filter filter;
    Clock::time_point deadline;
    std::shared_ptr<Shot> shot;
  };
  struct Outbox {
    explicit Outbox(const HubOptions& options)
        : ring(options.max_cached_entries, options.max_cached_bytes) {}
    bool known = false;  // the ring stands where the outbox does
    Ring ring;
    std::list<Waiter> waiters;
  };
  using Wakings = std::vector<std::pair<std::shared_ptr<Shot>, Woken>>;

  Outbox& Activate(const std::string& name);
  void Listen();
  void ListenOnce(pg::Connection& connection);
  void ReadHeads(pg::Connection& connection);
  void TakeNotifications(pg::Connection& connection);
  void CatchUp(pg::Connection& connection, const std::string& name, std::int64_t head);
  bool AppendAll(const std::string& name, std::vector<EntryPtr> entries);
  void Restart(Outbox& outbox, std::int64_t head, Wakings& wakings);
  void Expire();
  bool WaitForWork(int socket, std::chrono::milliseconds limit);
  void Wake();
  static void Deliver(Wakings wakings);
  bool closed() const;
  void Log(const std::string& message) const;

  pg::Database& database_;
  const HubOptions options_;
  pg::DatabaseOptions connection_options_;
  int wake_fd_;
  mutable std::mutex mutex_;
  std::map<std::string, Outbox> outboxes_;  // only those that have been read here
  HubStats stats_;
  bool closed_ = false;
  bool activated_ = false;  // an outbox waits to become known
  Clock::time_point sleeping_until_{};
  std::minstd_rand random_;
  std::thread thread_;
};

}  // namespace paymesh::outbox
