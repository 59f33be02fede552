// The machinery below client.h. Use client.h.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/runtime/task.h"

namespace paymesh::rpc {

// Trivially destructible on purpose: such a temporary is safe inside a co_await expression (gcc 12).
// Everything is read before the call returns its Task.
struct CallOptions {
  std::chrono::milliseconds timeout{5'000};
  const Call* parent = nullptr;         // the served call on whose behalf this one is made
  std::string_view authorization = {};  // "Bearer <key>", for callers who are an edge
};

// Deadline, trace context and metadata. Wait-for-ready is off: a peer that is down says so at once.
void PrepareContext(grpc::ClientContext& context, const CallOptions& options);

// Starts a call and waits for its status, with cancellation.
Task<Status> AwaitCall(std::function<void(std::function<void(grpc::Status)>)> start,
                       std::shared_ptr<grpc::ClientContext> context);

// The part of a stream's reader that knows no message type: who waits, and how the call ended.
class StreamReaderBase {
 public:
  StreamReaderBase();
  virtual ~StreamReaderBase();

  grpc::ClientContext& context() { return context_; }
  void Hold(std::shared_ptr<void> request) { request_ = std::move(request); }
  // Ok when there is a message to take or the stream ended with OK; else the error that ended it.
  Task<Status> WaitReady();
  virtual void Cancel() = 0;

 protected:
  bool HasMessages() const;  // with mutex_ held
  void Wake();               // any thread
  void Ended(const grpc::Status& status);

  std::mutex mutex_;
  std::size_t count_ = 0;  // messages that wait to be taken

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  grpc::ClientContext context_;
  std::shared_ptr<void> request_;
};

template <class M>
class StreamReader final : public StreamReaderBase,
                           public std::enable_shared_from_this<StreamReader<M>> {
 public:
  explicit StreamReader(std::size_t read_ahead) : read_ahead_(read_ahead) {}
  template <class Begin>
  void Start(Begin begin);
  std::vector<M> Take(std::size_t max);
  void Cancel() override { context().TryCancel(); }

 private:
  class Reactor;
  std::size_t read_ahead_;
};

}  // namespace paymesh::rpc
