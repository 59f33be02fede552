#include "common/runtime/async_mutex.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace paymesh::runtime {
namespace asio = boost::asio;

struct AsyncMutex::Waiter {
  Waiter(const Executor& executor, std::chrono::steady_clock::time_point deadline)
      : timer(executor, deadline) {}
  asio::steady_timer timer;  // touched on the waiter's executor alone
  bool granted = false;      // under the mutex
  bool taken = false;        // under the mutex
};

// A place in the queue. However the waiting ends, by a coroutine's destruction too, a lock that was
// granted and not taken goes on to the next.
struct AsyncMutex::Place {
  ~Place() { mutex.Leave(waiter); }
  AsyncMutex& mutex;
  std::shared_ptr<Waiter> waiter;
};

AsyncMutex::AsyncMutex() = default;
AsyncMutex::~AsyncMutex() = default;

std::optional<AsyncMutex::Lock> AsyncMutex::TryAcquire() {
  std::lock_guard guard(mutex_);
  if (held_) return std::nullopt;
  held_ = true;
  return Lock(this);
}

Task<std::optional<AsyncMutex::Lock>> AsyncMutex::Acquire(
    std::chrono::steady_clock::time_point deadline) {
  const Executor executor = co_await asio::this_coro::executor;
  Place place{*this, std::make_shared<Waiter>(executor, deadline)};
  bool waiting = false;
  {
    std::lock_guard guard(mutex_);
    waiting = held_;
    held_ = true;
    if (waiting) {
      waiters_.push_back(place.waiter);
    } else {
      place.waiter->granted = true;
    }
  }
  if (waiting) co_await place.waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  std::lock_guard guard(mutex_);
  if (!place.waiter->granted) co_return std::nullopt;
  place.waiter->taken = true;
  co_return Lock(this);
}

void AsyncMutex::Leave(const std::shared_ptr<Waiter>& waiter) {
  {
    std::lock_guard guard(mutex_);
    if (waiter->taken) return;
    if (!waiter->granted) {
      std::erase(waiters_, waiter);
      return;
    }
  }
  Release();
}

void AsyncMutex::Release() {
  std::lock_guard guard(mutex_);
  if (waiters_.empty()) {
    held_ = false;
    return;
  }
  const std::shared_ptr<Waiter> next = std::move(waiters_.front());
  waiters_.pop_front();
  next->granted = true;
  asio::post(next->timer.get_executor(), [next] { next->timer.cancel(); });
}

}  // namespace paymesh::runtime
