// Batches that form by themselves: while one batch is in flight, requests of the same kind gather
// and leave together. The first never waits for company; each member keeps its own outcome. Any
// thread; members resume on their own executors.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/runtime/one_shot.h"
#include "common/runtime/task.h"

namespace paymesh::pg {

struct CoalescerLimits {
  std::size_t max_batch = 256;     // members that leave together
  std::size_t max_waiting = 4096;  // beyond: UNAVAILABLE OVERLOADED
  int max_in_flight = 1;           // batches at once
};

template <class Request, class Response>
class Coalescer {
 public:
  // Answers each member, in order. Runs on the coalescer's executor; may throw only for bugs
  // (every member then gets INTERNAL).
  using BatchFn = std::function<Task<std::vector<Result<Response>>>(std::vector<Request>)>;

  Coalescer(boost::asio::any_io_executor executor, BatchFn batch, CoalescerLimits limits = {})
      : state_(std::make_shared<State>(std::move(executor), std::move(batch), limits)) {}
  ~Coalescer() { Close(); }
  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  // A cancelled member leaves (operation_aborted); its batch goes on and its answer is dropped.
  Task<Result<Response>> Submit(Request request) {
    auto shot = Shot::Make();
    Status admitted = State::Admit(state_, std::move(request), shot);
    if (!admitted.ok()) return Refuse(admitted.error());
    return Shot::Wait(std::move(shot));
  }

  // Members still waiting get UNAVAILABLE SHUTTING_DOWN; batches in flight end as they may.
  void Close() { state_->Close(); }

  std::size_t waiting() const {
    std::lock_guard lock(state_->mutex);
    return state_->queue.size();
  }

 private:
  using Shot = runtime::OneShot<Result<Response>>;
  struct Member {
    Request request;
    std::shared_ptr<Shot> shot;
  };

  static Task<Result<Response>> Refuse(Error error) { co_return error; }

  struct State {
    State(boost::asio::any_io_executor executor_in, BatchFn batch_in, CoalescerLimits limits_in)
        : executor(std::move(executor_in)), batch(std::move(batch_in)), limits(limits_in) {}

    static Status Admit(const std::shared_ptr<State>& self, Request request,
                        std::shared_ptr<Shot> shot) {
      {
        std::lock_guard lock(self->mutex);
        if (self->closed) return Error::Unavailable("SHUTTING_DOWN", "the service is stopping");
        if (self->queue.size() >= self->limits.max_waiting) {
          return Error::Unavailable("OVERLOADED", "too many requests are waiting",
                                    std::chrono::milliseconds(100));
        }
        self->queue.push_back({std::move(request), std::move(shot)});
        if (self->in_flight >= self->limits.max_in_flight) return {};
        ++self->in_flight;
      }
      boost::asio::co_spawn(self->executor, Drain(self), boost::asio::detached);
      return {};
    }

    static Task<void> Drain(std::shared_ptr<State> self) {
      for (;;) {
        std::vector<Request> requests;
        std::vector<std::shared_ptr<Shot>> shots;
        if (!self->Take(requests, shots)) co_return;
        Answers answers;
        try {
          answers = co_await self->batch(std::move(requests));
        } catch (...) {
          answers.clear();
        }
        Deliver(shots, std::move(answers));
      }
    }

    using Answers = std::vector<Result<Response>>;

    bool Take(std::vector<Request>& requests, std::vector<std::shared_ptr<Shot>>& shots) {
      std::lock_guard lock(mutex);
      if (queue.empty()) {
        --in_flight;
        return false;
      }
      while (!queue.empty() && requests.size() < limits.max_batch) {
        requests.push_back(std::move(queue.front().request));
        shots.push_back(std::move(queue.front().shot));
        queue.pop_front();
      }
      return true;
    }

    static void Deliver(const std::vector<std::shared_ptr<Shot>>& shots, Answers answers) {
      for (std::size_t i = 0; i < shots.size(); ++i) {
        if (answers.size() == shots.size()) {
          shots[i]->Set(std::move(answers[i]));
        } else {
          shots[i]->Set(Error::Internal("a batch did not answer its members"));
        }
      }
    }

    void Close() {
      std::deque<Member> left;
      {
        std::lock_guard lock(mutex);
        closed = true;
        left.swap(queue);
      }
      for (Member& member : left) {
        member.shot->Set(Error::Unavailable("SHUTTING_DOWN", "the service is stopping"));
      }
    }

    const boost::asio::any_io_executor executor;
    const BatchFn batch;
    const CoalescerLimits limits;
    mutable std::mutex mutex;
    std::deque<Member> queue;
    int in_flight = 0;
    bool closed = false;
  };

  std::shared_ptr<State> state_;
};

// Whether the failure of a whole batch may have been caused by one of its members, so that running
// the members one by one can save the others. Not so when the database is away or its answer
// unknown.
bool MemberMayBeToBlame(const Error& error);

// Runs `run` (a Task<Result<std::vector<Result<Response>>>>(std::vector<Request>), usually one
// transaction) on all; when that fails as a whole and a member may be to blame, on each alone.
template <class Request, class Response>
Task<std::vector<Result<Response>>> RunBatchWithFallback(
    std::vector<Request> requests,
    std::function<Task<Result<std::vector<Result<Response>>>>(std::vector<Request>)> run) {
  std::vector<Result<Response>> answers;
  const std::size_t count = requests.size();
  Result<std::vector<Result<Response>>> all = co_await run(requests);
  if (all.ok() && all->size() == count) co_return *std::move(all);
  const Error whole =
      all.ok() ? Error::Internal("a batch did not answer its members") : all.error();
  for (std::size_t i = 0; i < count; ++i) {
    if (count == 1 || !MemberMayBeToBlame(whole)) {
      answers.push_back(whole);
      continue;
    }
    std::vector<Request> one{requests[i]};
    Result<std::vector<Result<Response>>> alone = co_await run(std::move(one));
    if (!alone.ok()) {
      answers.push_back(alone.error());
    } else if (alone->size() != 1) {
      answers.push_back(Error::Internal("a batch did not answer its members"));
    } else {
      answers.push_back(std::move((*alone)[0]));
    }
  }
  co_return answers;
}

}  // namespace paymesh::pg
