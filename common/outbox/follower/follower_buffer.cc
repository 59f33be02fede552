#include "common/outbox/follower/follower_buffer.h"

#include <utility>

namespace paymesh::outbox {

// Null: done or closed; else what to wait for before trying again.
std::shared_ptr<FollowerBuffer::Signal> FollowerBuffer::TryPut(Entry& entry, bool& done) {
  std::shared_ptr<Signal> wake;
  {
    std::lock_guard lock(mutex_);
    if (end_) return nullptr;
    if (entries_.size() >= limit_) return has_room_ = Signal::Make();
    entries_.push_back(std::move(entry));
    done = true;
    wake = std::exchange(has_entries_, nullptr);
  }
  if (wake) wake->Set(true);
  return nullptr;
}

std::shared_ptr<FollowerBuffer::Signal> FollowerBuffer::TryTake(std::size_t limit,
                                                                std::vector<Entry>& taken) {
  std::shared_ptr<Signal> wake;
  {
    std::lock_guard lock(mutex_);
    if (entries_.empty()) {
      if (end_) return nullptr;
      return has_entries_ = Signal::Make();
    }
    while (!entries_.empty() && taken.size() < limit) {
      taken.push_back(std::move(entries_.front()));
      entries_.pop_front();
    }
    wake = std::exchange(has_room_, nullptr);
  }
  if (wake) wake->Set(true);
  return nullptr;
}

Task<bool> FollowerBuffer::Put(std::shared_ptr<FollowerBuffer> self, Entry entry) {
  bool done = false;
  while (auto signal = self->TryPut(entry, done)) co_await Signal::Wait(signal);
  co_return done;
}

Task<std::vector<Entry>> FollowerBuffer::Take(std::shared_ptr<FollowerBuffer> self,
                                              std::size_t limit) {
  std::vector<Entry> taken;
  while (auto signal = self->TryTake(limit, taken)) co_await Signal::Wait(signal);
  co_return taken;
}

void FollowerBuffer::Close(Status why) {
  std::shared_ptr<Signal> room, entries;
  {
    std::lock_guard lock(mutex_);
    if (!end_) end_ = std::move(why);
    room = std::exchange(has_room_, nullptr);
    entries = std::exchange(has_entries_, nullptr);
  }
  if (room) room->Set(false);
  if (entries) entries->Set(false);
}

Status FollowerBuffer::end() const {
  std::lock_guard lock(mutex_);
  return end_.value_or(Status());
}

std::size_t FollowerBuffer::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace paymesh::outbox
