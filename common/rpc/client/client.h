// Calls to peers as coroutines, over stubs of the callback API.
//
//   auto stub = pb::RoutingService::NewStub(channel);
//   Result<pb::DecideResponse> answer = co_await rpc::CallUnary(
//       *stub->async(), &pb::RoutingService::StubInterface::async_interface::Decide, request,
//       {.timeout = 2s, .parent = &call});
//
// The deadline is the sooner of now + timeout and the parent's (less a tenth of what remains). When
// the calling coroutine is cancelled, the peer's call is cancelled. Any thread; each call resumes
// on its caller's executor.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/client/client_call.h"
#include "common/rpc/tracing.h"
#include "common/runtime/task.h"

namespace paymesh::rpc {

template <class Response>
Task<Result<Response>> TakeResponse(Task<Status> call, std::shared_ptr<Response> response) {
  Status status = co_await std::move(call);
  if (!status.ok()) co_return status.error();
  co_return std::move(*response);
}

// Response, or the peer's error (status.h). CANCELLED when the calling coroutine was cancelled.
// Not a coroutine itself: options are read at once, and the request moves to where it stays.
template <class Interface, class Request, class Response>
Task<Result<Response>> CallUnary(std::type_identity_t<Interface>& stub,
                                 void (Interface::*method)(grpc::ClientContext*, const Request*,
                                                           Response*,
                                                           std::function<void(grpc::Status)>),
                                 std::type_identity_t<Request> request, CallOptions options) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Response response;
    trace::Span span;
  };
  auto state = std::make_shared<State>();
  state->request = std::move(request);
  state->span = options.StartSpan(*Request::descriptor());
  PrepareContext(state->context, options, state->span);
  auto start = [&stub, method, state](std::function<void(grpc::Status)> done) {
    // The callback holds the state, so that gRPC may write to it whatever becomes of the coroutine.
    (stub.*method)(&state->context, &state->request, &state->response,
                   [state, done = std::move(done)](grpc::Status s) {
                     EndClientSpan(state->span, s);
                     done(std::move(s));
                   });
  };
  return TakeResponse<Response>(
      AwaitCall(start, std::shared_ptr<grpc::ClientContext>(state, &state->context)),
      std::shared_ptr<Response>(state, &state->response));
}

// The reading end of a peer's stream. It reads ahead (at most `read_ahead` messages), so that a
// follower can take everything that has arrived as one batch. One reader at a time.
// Destroying it cancels the call.
template <class M>
class ClientStream {
 public:
  explicit ClientStream(std::shared_ptr<StreamReader<M>> reader) : reader_(std::move(reader)) {}
  ClientStream(ClientStream&&) = default;
  ClientStream& operator=(ClientStream&&) = delete;
  ~ClientStream() {
    if (reader_) reader_->Cancel();
  }

  // Waits for one message. Nothing: the peer ended the stream with OK. After an error or the end
  // every further read gives the same.
  Task<Result<std::optional<M>>> Read() { return ReadOne(reader_); }
  // Waits until there is at least one message and takes all that have arrived, at most `max`.
  // Empty: the peer ended the stream with OK.
  Task<Result<std::vector<M>>> ReadBatch(std::size_t max) { return ReadMany(reader_, max); }
  void Cancel() { reader_->Cancel(); }

 private:
  static Task<Result<std::vector<M>>> ReadMany(std::shared_ptr<StreamReader<M>> reader,
                                               std::size_t max) {
    Status ready = co_await reader->WaitReady();
    std::vector<M> messages = reader->Take(max);
    if (messages.empty() && !ready.ok()) co_return ready.error();
    co_return messages;
  }
  static Task<Result<std::optional<M>>> ReadOne(std::shared_ptr<StreamReader<M>> reader) {
    Result<std::vector<M>> messages = co_await ReadMany(std::move(reader), 1);
    if (!messages.ok()) co_return messages.error();
    if (messages->empty()) co_return std::optional<M>();
    co_return std::optional<M>(std::move(messages->front()));
  }

  std::shared_ptr<StreamReader<M>> reader_;
};

// Starts a streaming call; errors show at the first read. A stream has no deadline unless
// options.timeout is set (zero: none).
template <class Interface, class Request, class M>
ClientStream<M> OpenStream(std::type_identity_t<Interface>& stub,
                           void (Interface::*method)(grpc::ClientContext*, const Request*,
                                                     grpc::ClientReadReactor<M>*),
                           std::type_identity_t<Request> request, CallOptions options,
                           std::size_t read_ahead = 16) {
  auto reader = std::make_shared<StreamReader<M>>(read_ahead);
  trace::Span span = options.StartSpan(*Request::descriptor());
  PrepareContext(reader->context(), options, span);
  reader->Trace(std::move(span));
  reader->Start([&](grpc::ClientReadReactor<M>* reactor) {
    auto held = std::make_shared<Request>(std::move(request));
    (stub.*method)(&reader->context(), held.get(), reactor);
    reader->Hold(held);
  });
  return ClientStream<M>(std::move(reader));
}

}  // namespace paymesh::rpc
