// The way back into a coroutine from a thread that is not its own (gRPC's, a database's): a
// one-time callback that posts to the coroutine's executor. Heavy: include it in .cc files and in
// the thin templates of rpc/ only.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::runtime {

// Call it exactly once, from any thread; it posts and never blocks.
template <class T>
using Resume = std::function<void(T)>;

// Suspends the calling coroutine and calls `start(resume)`; the coroutine continues on its own
// executor with what `resume` is given. When the coroutine is cancelled meanwhile, `cancel()` is
// called on its strand (it should make `resume` be called soon); the value then decides what the
// caller sees, nothing is thrown. Both functions are taken by value, never inside a co_await
// expression as capturing lambdas: name them first (gcc 12 destroys such temporaries twice).
//
//   auto start = [peer](Resume<Status> resume) { ... };
//   Status status = co_await Suspend<Status>(start, cancel);
template <class T>
Task<T> Suspend(std::function<void(Resume<T>)> start, std::function<void()> cancel) {
  auto initiate = [](auto handler, std::function<void(Resume<T>)> begin,
                     std::function<void()> on_cancel) {
    using Handler = decltype(handler);
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto work = boost::asio::make_work_guard(boost::asio::get_associated_executor(handler));
    auto shared = std::make_shared<Handler>(std::move(handler));
    // The slot is assigned in the same turn of the strand that starts the operation, so no
    // cancellation can fall between the two.
    if (slot.is_connected() && on_cancel) {
      slot.assign(
          [on_cancel = std::move(on_cancel)](boost::asio::cancellation_type) { on_cancel(); });
    }
    begin([shared, work](T value) {
      boost::asio::post(work.get_executor(), [shared, work, value = std::move(value)]() mutable {
        auto connected = boost::asio::get_associated_cancellation_slot(*shared);
        if (connected.is_connected()) connected.clear();
        Handler last = std::move(*shared);
        std::move(last)(std::move(value));
      });
    });
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      initiate, boost::asio::use_awaitable, std::move(start), std::move(cancel));
}

}  // namespace paymesh::runtime
