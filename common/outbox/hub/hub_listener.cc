// The hub's thread: one connection that listens, and reads each new entry once for all readers.
#include <algorithm>
#include <charconv>

#include "common/outbox/hub/hub_state.h"
#include "common/outbox/rows.h"
#include "common/runtime/backoff.h"

namespace paymesh::outbox {
namespace {

constexpr int kReadAtOnce = 512;
constexpr runtime::Backoff kReconnect{std::chrono::milliseconds(20),
                                      std::chrono::milliseconds(1'000)};

constexpr char kHeads[] = "SELECT journal, position FROM journal_head";

// What a notification says of one outbox.
struct Announced {
  std::string outbox;
  std::int64_t position;
};

// "events:17 transfers:4", as append.cc writes it.
std::vector<Announced> ParseHeads(std::string_view payload) {
  std::vector<Announced> heads;
  while (!payload.empty()) {
    const std::string_view word = payload.substr(0, payload.find(' '));
    payload.remove_prefix(std::min(payload.size(), word.size() + 1));
    const std::size_t colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    Announced head{std::string(word.substr(0, colon)), 0};
    const char* end = word.data() + word.size();
    if (std::from_chars(word.data() + colon + 1, end, head.position).ptr != end) continue;
    heads.push_back(std::move(head));
  }
  return heads;
}

}  // namespace

void HubState::Listen() {
  pg::Connection connection(connection_options_);
  int failures = 0;
  while (!closed()) {
    if (connection.Open().ok()) {
      failures = 0;
      try {
        ListenOnce(connection);
      } catch (const pg::SqlError& error) {
        Log(std::string("listening ended: ") + error.what());
      }
      connection.Close();
      std::lock_guard lock(mutex_);
      stats_.connected = false;
    }
    Expire();
    const auto until = Clock::now() + kReconnect.Wait(++failures, random_);
    // Waiters go on running out of time while there is no connection.
    while (!closed() && Clock::now() < until) {
      {
        std::lock_guard lock(mutex_);
        activated_ = false;
      }
      WaitForWork(-1, std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()));
      Expire();
    }
  }
}

// LISTEN comes before the heads are read, so nothing can fall between.
void HubState::ListenOnce(pg::Connection& connection) {
  connection.Script("LISTEN journal");
  ReadHeads(connection);
  {
    std::lock_guard lock(mutex_);
    ++stats_.connects;
    stats_.connected = true;
  }
  auto next_poll = Clock::now() + options_.poll_interval;
  while (!closed()) {
    TakeNotifications(connection);
    Expire();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_poll - Clock::now());
    WaitForWork(connection.socket(), std::max(left, std::chrono::milliseconds(0)));
    bool activated = false;
    {
      std::lock_guard lock(mutex_);
      activated = std::exchange(activated_, false);
    }
    if (!activated && Clock::now() < next_poll) continue;
    ReadHeads(connection);
    next_poll = Clock::now() + options_.poll_interval;
  }
}

void HubState::ReadHeads(pg::Connection& connection) {
  std::map<std::string, std::int64_t> heads;
  for (const pg::Row row : connection.ExecuteParams(kHeads, {})) {
    heads[row.Get<std::string>("journal")] = row.Get<std::int64_t>("position");
  }
  std::vector<std::string> names;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, outbox] : outboxes_) names.push_back(name);
    stats_.heads = heads;
  }
  // An outbox that nobody has written yet stands at 0.
  for (const std::string& name : names) CatchUp(connection, name, heads[name]);
}

void HubState::TakeNotifications(pg::Connection& connection) {
  std::map<std::string, std::int64_t> newest;
  std::uint64_t count = 0;
  for (const std::string& payload : connection.TakeNotifications()) {
    ++count;
    for (const Announced& head : ParseHeads(payload)) {
      std::int64_t& position = newest[head.outbox];
      position = std::max(position, head.position);
    }
  }
  {
    std::lock_guard lock(mutex_);
    stats_.notifications += count;
    for (const auto& [name, position] : newest) {
      std::int64_t& head = stats_.heads[name];
      head = std::max(head, position);
    }
    std::erase_if(newest, [&](const auto& item) {
      const auto found = outboxes_.find(item.first);
      // Notifications may come late; only ReadHeads can tell that a head went back.
      return found == outboxes_.end() ||
             (found->second.known && item.second <= found->second.ring.end());
    });
  }
  for (const auto& [name, position] : newest) CatchUp(connection, name, position);
}

void HubState::CatchUp(pg::Connection& connection, const std::string& name, std::int64_t head) {
  for (;;) {
    std::int64_t from = 0;
    Wakings wakings;
    bool restarted = false;
    {
      std::lock_guard lock(mutex_);
      Outbox& outbox = outboxes_.at(name);
      from = outbox.ring.end();
      const bool jump = head - from > static_cast<std::int64_t>(options_.max_cached_entries);
      if (!outbox.known || head < from || jump) {
        restarted = true;
        Restart(outbox, head, wakings);
      }
    }
    Deliver(std::move(wakings));
    if (restarted || from >= head) return;
    const std::vector<pg::Param> params{name, from, kReadAtOnce};
    std::vector<EntryPtr> entries = ToEntries(connection.ExecuteParams(kSelectAll, params));
    if (entries.empty() || !AppendAll(name, std::move(entries))) {
      throw pg::SqlError(std::string(pg::kDecodeFailure), "outbox " + name + " has a gap");
    }
  }
}

// The ring begins anew at `head`; who waits for anything below must read the table.
void HubState::Restart(Outbox& outbox, std::int64_t head, Wakings& wakings) {
  if (outbox.known && head < outbox.ring.end()) {
    Log("the head went back to " + std::to_string(head) + ": committed entries are lost");
  }
  // Before the ring is known, only those who stand below its head have something to read.
  const bool was_known = std::exchange(outbox.known, true);
  outbox.ring.Reset(head);
  stats_.waiting -= std::erase_if(outbox.waiters, [&](Waiter& waiter) {
    if (!was_known && waiter.after >= head) return false;
    wakings.push_back({std::move(waiter.shot), {Waking::kNews, waiter.after}});
    return true;
  });
}

bool HubState::AppendAll(const std::string& name, std::vector<EntryPtr> entries) {
  Wakings wakings;
  {
    std::lock_guard lock(mutex_);
    Outbox& outbox = outboxes_.at(name);
    for (const EntryPtr& entry : entries) {
      if (!outbox.ring.Append(entry)) return false;
    }
    stats_.waiting -= std::erase_if(outbox.waiters, [&](Waiter& waiter) {
      const bool news = std::any_of(entries.begin(), entries.end(), [&](const EntryPtr& entry) {
        return entry->position > waiter.after && waiter.filter.Matches(*entry);
      });
      if (news) {
        wakings.push_back({std::move(waiter.shot), {Waking::kNews, waiter.after}});
      } else {
        // It need not look at these again, however long it goes on waiting.
        waiter.after = std::max(waiter.after, entries.back()->position);
      }
      return news;
    });
  }
  Deliver(std::move(wakings));
  return true;
}

}  // namespace paymesh::outbox
