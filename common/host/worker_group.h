// The long-running coroutines of a service: each on a strand of its own, cancelled together at
// drain. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/runtime/task.h"

namespace paymesh::runtime {

class WorkerGroup {
 public:
  // `on_death(name, why)` is called when a worker ends or throws although nobody asked it to.
  using OnDeath = std::function<void(const std::string& name, const std::string& why)>;
  WorkerGroup(Executor executor, OnDeath on_death);
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  void Start(std::string name, std::function<Task<void>()> run);
  // Cancels all and waits for their end; false when some still run after `timeout`. Blocks; not
  // from a worker.
  bool Stop(std::chrono::milliseconds timeout);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace paymesh::runtime
