#include "common/outbox/hub/hub_state.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace paymesh::outbox {

HubState::HubState(pg::Database& database, HubOptions options)
    : database_(database),
      options_(std::move(options)),
      connection_options_(database.options()),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      random_(std::random_device{}()) {
  if (wake_fd_ < 0) std::abort();
  connection_options_.application_name += "-listen";
  connection_options_.log = options_.log;
}

HubState::~HubState() {
  Close();
  close(wake_fd_);
}

void HubState::Start() {
  thread_ = std::thread([this] { Listen(); });
}

void HubState::Close() {
  Wakings wakings;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (auto& [name, outbox] : outboxes_) {
      for (Waiter& waiter : outbox.waiters) {
        wakings.push_back({std::move(waiter.shot), {Waking::kClosed, waiter.after}});
      }
      outbox.waiters.clear();
    }
  }
  Wake();
  if (thread_.joinable()) thread_.join();
  Deliver(std::move(wakings));
}

HubStats HubState::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

bool HubState::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

// With the lock held.
HubState::Outbox& HubState::Activate(const std::string& name) {
  const auto found = outboxes_.find(name);
  if (found != outboxes_.end()) return found->second;
  activated_ = true;
  Wake();
  return outboxes_.emplace(name, options_).first->second;
}

std::optional<Page> HubState::Cached(const std::string& name, std::int64_t after, int limit,
                                     const Filter& filter) {
  std::lock_guard lock(mutex_);
  const Outbox& outbox = Activate(name);
  if (!outbox.known || !stats_.connected || !outbox.ring.Covers(after)) {
    ++stats_.table_reads;
    return std::nullopt;
  }
  ++stats_.cached_reads;
  return outbox.ring.Collect(after, static_cast<std::size_t>(limit), filter);
}

std::shared_ptr<HubState::Shot> HubState::Watch(const std::string& name, std::int64_t after,
                                                const Filter& filter,
                                                std::chrono::milliseconds wait) {
  auto shot = Shot::Make();
  const auto deadline = Clock::now() + wait;
  std::optional<Waking> now;
  {
    std::lock_guard lock(mutex_);
    Outbox& outbox = Activate(name);
    const bool behind = outbox.known && after < outbox.ring.begin();
    if (closed_) {
      now = Waking::kClosed;
    } else if (behind || (outbox.known && outbox.ring.Contains(after, filter))) {
      now = Waking::kNews;
    } else if (stats_.waiting >= options_.max_waiting) {
      now = Waking::kOverloaded;
    } else {
      outbox.waiters.push_back({after, filter, deadline, shot});
      ++stats_.waiting;
      if (deadline < sleeping_until_) Wake();
    }
  }
  if (now) shot->Set({*now, after});
  return shot;
}

void HubState::Deliver(Wakings wakings) {
  for (auto& [shot, woken] : wakings) shot->Set(woken);
}

// Ends what has waited long enough, and forgets waiters that were cancelled.
void HubState::Expire() {
  Wakings wakings;
  {
    std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    for (auto& [name, outbox] : outboxes_) {
      const std::int64_t scanned = outbox.known ? outbox.ring.end() : 0;
      stats_.waiting -= std::erase_if(outbox.waiters, [&](Waiter& waiter) {
        if (waiter.shot->done()) return true;
        if (waiter.deadline > now) return false;
        wakings.push_back({waiter.shot, {Waking::kTimeout, std::max(waiter.after, scanned)}});
        return true;
      });
    }
  }
  Deliver(std::move(wakings));
}

// False when only the time has passed.
bool HubState::WaitForWork(int socket, std::chrono::milliseconds limit) {
  auto until = Clock::now() + limit;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, outbox] : outboxes_) {
      for (const Waiter& waiter : outbox.waiters) until = std::min(until, waiter.deadline);
    }
    sleeping_until_ = until;
    if (closed_ || activated_) return true;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  pollfd fds[2] = {{wake_fd_, POLLIN, 0}, {socket, POLLIN, 0}};
  const int ready =
      poll(fds, socket < 0 ? 1 : 2, static_cast<int>(std::max<std::int64_t>(0, left.count())));
  std::uint64_t count = 0;
  if ((fds[0].revents & POLLIN) != 0) (void)!read(wake_fd_, &count, sizeof(count));
  return ready > 0;
}

void HubState::Wake() {
  const std::uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof(one));
}

void HubState::Log(const std::string& message) const {
  if (options_.log) options_.log("outbox: " + message);
}

}  // namespace paymesh::outbox
