// A value that one thread sets once and one coroutine waits for. The coroutine always resumes on
// its own executor, so work may be done on any thread and still come back to its strand. Set: any
// thread, first call wins. Wait: once.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::pg {

template <class T>
class OneShot : public std::enable_shared_from_this<OneShot<T>> {
 public:
  static std::shared_ptr<OneShot> Make() { return std::shared_ptr<OneShot>(new OneShot); }

  void Set(T value) {
    Resume resume;
    {
      std::lock_guard lock(mutex_);
      if (done_) return;
      done_ = true;
      if (!resume_) {
        value_.emplace(std::move(value));
        return;
      }
      resume = std::exchange(resume_, nullptr);
    }
    resume({}, std::move(value));
  }

  // Set, or its waiter has been cancelled: nobody will take a value any more.
  bool done() const {
    std::lock_guard lock(mutex_);
    return done_;
  }

  // Throws operation_aborted when the waiting coroutine is cancelled.
  static Task<T> Wait(std::shared_ptr<OneShot> self) {
    std::optional<T> value = co_await Initiate(self);
    co_return *std::move(value);
  }

 private:
  using Resume = std::function<void(boost::system::error_code, std::optional<T>)>;
  OneShot() = default;

  static auto Initiate(std::shared_ptr<OneShot> self) {
    auto start = [](auto handler, std::shared_ptr<OneShot> shot) {
      shot->Start(std::move(handler));
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(boost::system::error_code, std::optional<T>)>(
        start, boost::asio::use_awaitable, std::move(self));
  }

  template <class Handler>
  void Start(Handler handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto work = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
    auto shared = std::make_shared<Handler>(std::move(handler));
    // Posting is the only way back, also when the value is here already: a coroutine must not be
    // resumed from inside its own suspension.
    Resume resume = [shared, work](boost::system::error_code error, std::optional<T> value) {
      boost::asio::post(work.get_executor(),
                        [shared, work, error, value = std::move(value)]() mutable {
                          auto slot_of = boost::asio::get_associated_cancellation_slot(*shared);
                          if (slot_of.is_connected()) slot_of.clear();
                          Handler last = std::move(*shared);
                          std::move(last)(error, std::move(value));
                        });
    };
    if (slot.is_connected()) {
      std::weak_ptr<OneShot> weak = this->weak_from_this();
      slot.assign([weak](boost::asio::cancellation_type) {
        if (auto self = weak.lock()) self->Abort();
      });
    }
    std::optional<T> ready;
    {
      std::lock_guard lock(mutex_);
      if (!done_) {
        resume_ = std::move(resume);
        return;
      }
      ready = std::move(value_);
    }
    resume({}, std::move(ready));
  }

  void Abort() {
    Resume resume;
    {
      std::lock_guard lock(mutex_);
      if (done_) return;
      done_ = true;
      resume = std::exchange(resume_, nullptr);
    }
    if (resume) resume(boost::asio::error::operation_aborted, std::nullopt);
  }

  mutable std::mutex mutex_;
  bool done_ = false;
  std::optional<T> value_;
  Resume resume_;
};

}  // namespace paymesh::pg
