// For tests: a coroutine started on an executor, its result as a future.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::pg {

template <class T>
Task<void> Fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
  try {
    promise->set_value(co_await std::move(task));
  } catch (...) {
    promise->set_exception(std::current_exception());
  }
}

template <class Executor, class T>
std::future<T> StartTask(Executor&& executor, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  boost::asio::co_spawn(executor, Fulfil(std::move(task), promise), boost::asio::detached);
  return promise->get_future();
}

// On this thread, to its end.
template <class T>
T RunTask(Task<T> task) {
  boost::asio::io_context context;
  auto future = StartTask(context, std::move(task));
  context.run();
  return future.get();
}

}  // namespace paymesh::pg
