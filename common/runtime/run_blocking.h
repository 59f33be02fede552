// RunBlocking: a coroutine run to its end on the calling thread, for tests and tools.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "common/runtime/task.h"

namespace paymesh::runtime {

// Runs `task` on an io_context of its own, on this thread, until the task has ended, and returns
// what it returns; exceptions fly.
template <class T>
T RunBlocking(Task<T> task) {
  boost::asio::io_context context;
  auto future = boost::asio::co_spawn(context, std::move(task), boost::asio::use_future);
  context.run();
  return future.get();
}

}  // namespace paymesh::runtime
