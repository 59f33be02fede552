// A lock that coroutines wait for without holding up a thread: first come, first served, with a
// deadline. Any thread; each waiter resumes on its own executor. The mutex outlives its locks and
// its waiters.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::runtime {

class AsyncMutex {
 public:
  // Held from its making to its end; may be held across a co_await.
  class Lock {
   public:
    Lock(Lock&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock() {
      if (mutex_ != nullptr) mutex_->Release();
    }

   private:
    friend class AsyncMutex;
    explicit Lock(AsyncMutex* mutex) : mutex_(mutex) {}
    AsyncMutex* mutex_;
  };

  AsyncMutex();
  ~AsyncMutex();
  AsyncMutex(const AsyncMutex&) = delete;
  AsyncMutex& operator=(const AsyncMutex&) = delete;

  // Nothing when it was not free before `deadline`. Throws operation_aborted when the calling
  // coroutine is cancelled.
  Task<std::optional<Lock>> Acquire(std::chrono::steady_clock::time_point deadline);
  // At once or not at all.
  std::optional<Lock> TryAcquire();

 private:
  struct Waiter;
  struct Place;
  void Release();
  void Leave(const std::shared_ptr<Waiter>& waiter);

  std::mutex mutex_;
  bool held_ = false;
  std::deque<std::shared_ptr<Waiter>> waiters_;
};

}  // namespace paymesh::runtime
