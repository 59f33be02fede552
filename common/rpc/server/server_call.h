// The machinery below server.h: one served call, not a template. Use server.h.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/server/call_runner.h"
#include "common/runtime/task.h"

namespace paymesh::rpc {

class CallState;
enum class CallKind { kUnary, kStream };

// Runs a handler on a strand of its own and calls `finish` exactly once, when the handler has
// ended. Owned by a reactor, which forwards OnCancel and deletes itself at OnDone; what strands may
// still have to run by then keeps the state alive by itself.
class ServerCall {
 public:
  using Body = std::function<Task<Status>(Call&)>;
  using Finish = std::function<void(grpc::Status)>;

  ServerCall(CallRunner& runner, grpc::CallbackServerContext* context,
             const google::protobuf::Descriptor& request, CallKind kind);
  ~ServerCall();
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  void Start(Body body, Finish finish);
  void OnCancel();  // from gRPC's threads, as is the next
  void CountSent();

 private:
  std::shared_ptr<CallState> state_;
};

grpc::ServerUnaryReactor* StartUnary(CallRunner& runner, grpc::CallbackServerContext* context,
                                     const google::protobuf::Descriptor& request,
                                     ServerCall::Body body);

// One pending write at a time. `start` hands a message to gRPC; WriteDone comes from its thread.
class StreamWriter {
 public:
  using Message = std::shared_ptr<const google::protobuf::Message>;
  // `cancel` makes a pending write end, and the call with it.
  StreamWriter(std::function<void(const google::protobuf::Message*)> start,
               std::function<void()> cancel);
  ~StreamWriter();
  Task<bool> Write(Message message);
  void WriteDone(bool ok);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class M>
class StreamReactor final : public grpc::ServerWriteReactor<M> {
 public:
  StreamReactor(CallRunner& runner, grpc::CallbackServerContext* context,
                const google::protobuf::Descriptor& request)
      : call_(runner, context, request, CallKind::kStream),
        writer_(std::make_shared<StreamWriter>(
            [this](const google::protobuf::Message* message) {
              this->StartWrite(static_cast<const M*>(message));
            },
            [context] { context->TryCancel(); })) {}
  void Start(ServerCall::Body body) {
    call_.Start(std::move(body), [this](grpc::Status status) { this->Finish(std::move(status)); });
  }
  std::shared_ptr<StreamWriter> writer() { return writer_; }

  void OnWriteDone(bool ok) override {
    if (ok) call_.CountSent();
    writer_->WriteDone(ok);
  }
  void OnCancel() override { call_.OnCancel(); }
  void OnDone() override { delete this; }

 private:
  ServerCall call_;
  std::shared_ptr<StreamWriter> writer_;
};

}  // namespace paymesh::rpc
