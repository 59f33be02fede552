#include "common/runtime/task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace paymesh::runtime {
namespace asio = boost::asio;

Task<void> SleepUntil(std::chrono::steady_clock::time_point time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> SleepFor(std::chrono::milliseconds duration) {
  return SleepUntil(std::chrono::steady_clock::now() + duration);
}

Task<Executor> CurrentExecutor() { co_return co_await asio::this_coro::executor; }

Executor MakeStrand(const Executor& executor) { return asio::make_strand(executor); }

bool IsCancellation(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string DescribeException(const std::exception_ptr& error) {
  if (!error) return "no exception";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

void Spawn(Executor executor, Task<void> task, std::string name) {
  asio::co_spawn(std::move(executor), std::move(task),
                 [name = std::move(name)](const std::exception_ptr& error) {
                   if (!error || IsCancellation(error)) return;
                   std::fprintf(stderr, "task %s: %s\n", name.c_str(),
                                DescribeException(error).c_str());
                   std::abort();
                 });
}

}  // namespace paymesh::runtime
