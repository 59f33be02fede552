// Coroutines waited for by threads, for tests and tools.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::runtime {

template <class T>
Task<void> Fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      promise->set_value();
    } else {
      promise->set_value(co_await std::move(task));
    }
  } catch (...) {
    promise->set_exception(std::current_exception());
  }
}

// Starts `task` on `executor`, which threads of its own run; exceptions come with the future.
template <class T>
std::future<T> StartOn(const Executor& executor, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  boost::asio::co_spawn(executor, Fulfil(std::move(task), std::move(promise)),
                        boost::asio::detached);
  return future;
}

// Runs `task` on an io_context of its own, on this thread, until the task has ended, and returns
// what it returns; exceptions fly.
template <class T>
T RunBlocking(Task<T> task) {
  boost::asio::io_context context;
  auto future = StartOn(context.get_executor(), std::move(task));
  context.run();
  return future.get();
}

}  // namespace paymesh::runtime
