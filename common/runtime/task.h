// Coroutines: Task<T>, starting one, sleeping, and waiting for what another thread will answer.
// Every coroutine runs on one executor (a strand) from its first line to its last; whatever is done
// elsewhere posts back to it. Cancellation shows as boost::system::system_error(operation_aborted)
// thrown from a co_await, and may be left to fly.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <exception>
#include <string>

namespace paymesh {
template <class T>
using Task = boost::asio::awaitable<T>;
}  // namespace paymesh

namespace paymesh::runtime {

using Executor = boost::asio::any_io_executor;

// Sleeps by the monotonic clock. Throws operation_aborted when the coroutine is cancelled.
Task<void> SleepFor(std::chrono::milliseconds duration);
Task<void> SleepUntil(std::chrono::steady_clock::time_point time);

// The executor of the calling coroutine.
Task<Executor> CurrentExecutor();

// A new strand on `executor`: what each independent coroutine runs on.
Executor MakeStrand(const Executor& executor);

// Starts a task that nobody waits for, on `executor`. Cancellation ends it quietly; any other
// exception is a bug: it is written to stderr with `name` and the process aborts.
void Spawn(Executor executor, Task<void> task, std::string name);

// Whether an exception is the cancellation of a coroutine. For the few places that catch.
bool IsCancellation(const std::exception_ptr& error);
// What an exception says, for a log line.
std::string DescribeException(const std::exception_ptr& error);

}  // namespace paymesh::runtime
