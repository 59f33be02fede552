// A value that one thread sets once and one coroutine waits for. The coroutine always resumes on
// its own executor, so work may be done on any thread and still come back to its strand. Set: any
// thread, first call wins. Wait: once.
#pragma once

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/runtime/resume.h"
#include "common/runtime/task.h"

namespace paymesh::runtime {

template <class T>
class OneShot : public std::enable_shared_from_this<OneShot<T>> {
 public:
  static std::shared_ptr<OneShot> Make() { return std::shared_ptr<OneShot>(new OneShot); }

  void Set(T value) { Finish(std::optional<T>(std::move(value))); }

  // Set, or its waiter has been cancelled: nobody will take a value any more.
  bool done() const {
    std::lock_guard lock(mutex_);
    return done_;
  }

  // Throws operation_aborted when the waiting coroutine is cancelled.
  static Task<T> Wait(std::shared_ptr<OneShot> self) {
    auto start = [self](Resume<std::optional<T>> resume) { self->Start(std::move(resume)); };
    auto cancel = [weak = self->weak_from_this()] {
      if (const auto shared = weak.lock()) shared->Finish(std::nullopt);
    };
    auto suspended = Suspend<std::optional<T>>(std::move(start), std::move(cancel));
    std::optional<T> value = co_await std::move(suspended);
    if (!value) throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_return *std::move(value);
  }

 private:
  OneShot() = default;

  // Without a value: cancelled.
  void Finish(std::optional<T> value) {
    Resume<std::optional<T>> resume;
    {
      std::lock_guard lock(mutex_);
      if (done_) return;
      done_ = true;
      if (!resume_) {
        value_ = std::move(value);
        return;
      }
      resume = std::exchange(resume_, nullptr);
    }
    resume(std::move(value));
  }

  void Start(Resume<std::optional<T>> resume) {
    std::optional<T> ready;
    {
      std::lock_guard lock(mutex_);
      if (!done_) {
        resume_ = std::move(resume);
        return;
      }
      ready = std::move(value_);
    }
    resume(std::move(ready));
  }

  mutable std::mutex mutex_;
  bool done_ = false;
  std::optional<T> value_;
  Resume<std::optional<T>> resume_;
};

}  // namespace paymesh::runtime
