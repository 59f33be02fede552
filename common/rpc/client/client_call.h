// The machinery below client.h. Use client.h.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/runtime/task.h"
#include "common/trace/tracer.h"

namespace paymesh::rpc {

// Trivially destructible on purpose: such a temporary is safe inside a co_await expression (gcc
// 12). Everything is read before the call returns its Task.
struct CallOptions {
  std::chrono::milliseconds timeout{5'000};
  const Call* parent = nullptr;         // the served call on whose behalf this one is made
  std::string_view authorization = {};  // "Bearer <key>", for callers who are an edge
  // Where no one served call is the parent: on whose behalf this one is made (Tracer::StartFor).
  trace::Tracer* tracer = nullptr;
  std::span<const trace::SpanContext> causes = {};

  trace::Tracer* TracerOf() const { return parent != nullptr ? parent->tracer() : tracer; }
  // The call's span: none where nobody is named on whose behalf it is made. The peer's begins then.
  trace::Span StartSpan(const google::protobuf::Descriptor& request) const;
};

// Deadline, trace context and metadata. Wait-for-ready is off: a peer that is down says so at once.
// `span` is what StartSpan gave.
void PrepareContext(grpc::ClientContext& context, const CallOptions& options,
                    const trace::Span& span);

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
  void Trace(trace::Span span) { span_ = std::move(span); }
  // Ok when there is a message to take or the stream ended with OK; else the error that ended it.
  Task<Status> WaitReady();
  virtual void Cancel() = 0;

 protected:
  void Wake();  // lets the waiting coroutine look again; any thread, without mutex_
  void Ended(const grpc::Status& status);

  std::mutex mutex_;
  std::size_t count_ = 0;  // messages that wait to be taken; guarded by mutex_

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  grpc::ClientContext context_;
  std::shared_ptr<void> request_;
  trace::Span span_;
};

// Reads ahead into a bounded buffer. gRPC's reactor holds the reader until OnDone.
template <class M>
class StreamReader final : public StreamReaderBase,
                           public grpc::ClientReadReactor<M>,
                           public std::enable_shared_from_this<StreamReader<M>> {
 public:
  explicit StreamReader(std::size_t read_ahead) : read_ahead_(read_ahead) {}

  // `begin(reactor)` calls the stub.
  template <class Begin>
  void Start(Begin begin) {
    self_ = this->shared_from_this();
    begin(static_cast<grpc::ClientReadReactor<M>*>(this));
    // Reads are also started from Take, outside the reactions: gRPC must be told by a hold, kept
    // until no read will ever be started again.
    this->AddHold();
    this->StartRead(&next_);
    this->StartCall();
  }

  std::vector<M> Take(std::size_t max) {
    std::vector<M> taken;
    bool read_on = false;
    {
      std::lock_guard lock(mutex_);
      while (!messages_.empty() && taken.size() < max) {
        taken.push_back(std::move(messages_.front()));
        messages_.pop_front();
      }
      count_ = messages_.size();
      read_on = paused_ && count_ < read_ahead_;
      if (read_on) paused_ = false;
    }
    if (read_on) this->StartRead(&next_);
    return taken;
  }

  // A reader that has paused on a full buffer starts its last read here: it fails, and so the call
  // comes to its end.
  void Cancel() override {
    context().TryCancel();
    bool read_on = false;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      read_on = std::exchange(paused_, false);
    }
    if (read_on) this->StartRead(&next_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      this->RemoveHold();
      return;
    }
    bool read_on = false;
    {
      std::lock_guard lock(mutex_);
      messages_.push_back(std::move(next_));
      next_ = M();
      count_ = messages_.size();
      read_on = count_ < read_ahead_ || cancelled_;
      paused_ = !read_on;
    }
    this->Wake();
    if (read_on) this->StartRead(&next_);
  }
  void OnDone(const grpc::Status& status) override {
    auto self = std::move(self_);  // the last owner, if the stream has been dropped
    this->Ended(status);
  }

  const std::size_t read_ahead_;
  M next_;
  std::deque<M> messages_;  // guarded by mutex_
  bool paused_ = false;     // the buffer was full: the next read waits for Take; guarded by mutex_
  bool cancelled_ = false;  // guarded by mutex_
  std::shared_ptr<StreamReader> self_;
};

}  // namespace paymesh::rpc
