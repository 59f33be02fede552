// Between a follower's reading coroutine and its applying one: what has arrived and is not yet
// applied, bounded. Internal to common/outbox.
// Any thread; one coroutine puts, one takes.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "common/error/error.h"
#include "common/outbox/entry.h"
#include "common/runtime/one_shot.h"
#include "common/runtime/task.h"

namespace paymesh::outbox {

class FollowerBuffer {
 public:
  explicit FollowerBuffer(std::size_t limit) : limit_(limit) {}

  // Waits while the buffer is full. False once it is closed.
  static Task<bool> Put(std::shared_ptr<FollowerBuffer> self, Entry entry);
  // Waits for something to be there, or for the end; then everything up to `limit` entries.
  // Empty: the stream has ended, see end().
  static Task<std::vector<Entry>> Take(std::shared_ptr<FollowerBuffer> self, std::size_t limit);
  // No more will come; what is there can still be taken. The first reason stays.
  void Close(Status why);
  Status end() const;
  std::size_t size() const;

 private:
  using Signal = runtime::OneShot<bool>;
  std::shared_ptr<Signal> TryPut(Entry& entry, bool& done);
  std::shared_ptr<Signal> TryTake(std::size_t limit, std::vector<Entry>& taken);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::optional<Status> end_;
  std::shared_ptr<Signal> has_room_, has_entries_;
};

}  // namespace paymesh::outbox
