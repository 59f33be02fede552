#include "common/host/worker_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace paymesh::runtime {
namespace asio = boost::asio;

namespace {
struct Running {
  explicit Running(const Executor& executor) : strand(asio::make_strand(executor)) {}
  asio::strand<Executor> strand;
  asio::cancellation_signal cancel;
  std::string name;
  std::function<Task<void>()> run;
  bool ended = false;  // on the strand
};
}  // namespace

struct WorkerGroup::Impl {
  Executor executor;
  OnDeath on_death;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::shared_ptr<Running>> workers;
  std::size_t alive = 0;
  bool stopping = false;

  void Ended(Running& worker, const std::exception_ptr& error) {
    worker.ended = true;
    bool expected = false;
    {
      std::lock_guard lock(mutex);
      --alive;
      expected = stopping;
      changed.notify_all();
    }
    if (!expected) on_death(worker.name, error ? DescribeException(error) : "it returned");
  }
};

WorkerGroup::WorkerGroup(Executor executor, OnDeath on_death) : impl_(std::make_shared<Impl>()) {
  impl_->executor = std::move(executor);
  impl_->on_death = std::move(on_death);
}
WorkerGroup::~WorkerGroup() = default;

void WorkerGroup::Start(std::string name, std::function<Task<void>()> run) {
  auto worker = std::make_shared<Running>(impl_->executor);
  worker->name = std::move(name);
  worker->run = std::move(run);
  {
    std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    impl_->workers.push_back(worker);
    ++impl_->alive;
  }
  auto completion = [impl = impl_, worker](const std::exception_ptr& error) {
    impl->Ended(*worker, error);
  };
  // `run` is kept by the worker: a lambda that returns a coroutine must outlive it.
  asio::co_spawn(
      worker->strand, [worker] { return worker->run(); },
      asio::bind_cancellation_slot(worker->cancel.slot(), std::move(completion)));
}

bool WorkerGroup::Stop(std::chrono::milliseconds timeout) {
  std::unique_lock lock(impl_->mutex);
  impl_->stopping = true;
  for (const auto& worker : impl_->workers) {
    asio::post(worker->strand, [worker] {
      if (!worker->ended) worker->cancel.emit(asio::cancellation_type::terminal);
    });
  }
  return impl_->changed.wait_for(lock, timeout, [this] { return impl_->alive == 0; });
}

}  // namespace paymesh::runtime
