// gRPC's callback API served by coroutines. One strand a call is the whole concurrency story:
// gRPC's threads only ever post to it. Every call finishes in one place; exceptions become INTERNAL
// with a fixed text; a lost peer, a cancelled call or a passed deadline show to the handler as
// operation_aborted at its next co_await.
//
//   grpc::ServerUnaryReactor* GetPayment(grpc::CallbackServerContext* context,
//                                        const pb::GetPaymentRequest* request,
//                                        pb::GetPaymentResponse* response) override {
//     return rpc::Unary(runner_, context, request, response, [this](auto&&... args) {
//       return DoGetPayment(args...);
//     });
//   }
//   Task<Status> DoGetPayment(rpc::Call& call, const pb::GetPaymentRequest& request,
//                             pb::GetPaymentResponse* response);
//
// The handler returns a coroutine and never is one (a coroutine lambda's captures die too early).
// Call, request, response and writer outlive that coroutine, so it may take them by reference.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/error/error.h"
#include "common/rpc/call.h"
#include "common/rpc/server/call_runner.h"
#include "common/rpc/server/server_call.h"
#include "common/runtime/task.h"

namespace paymesh::rpc {

// What a request names goes to the call's line in the access log. An API key's merchant is the one
// that really calls, whatever the request says.
template <class Request>
void NameInLog(Call& call, const Request& request) {
  const auto add = [&call](const char* key, const std::string& value) {
    if (!value.empty()) call.AddLogField(key, value);
  };
  if constexpr (requires { request.request_id(); }) add("request_id", request.request_id());
  if constexpr (requires { request.payment_id(); }) add("payment_id", request.payment_id());
  if (call.principal().merchant_id) {
    add("merchant_id", *call.principal().merchant_id);
  } else if constexpr (requires { request.merchant_id(); }) {
    add("merchant_id", request.merchant_id());
  }
}

// Handler: Task<Status>(Call&, const Request&, Response*).
template <class Request, class Response, class Handler>
grpc::ServerUnaryReactor* Unary(CallRunner& runner, grpc::CallbackServerContext* context,
                                const Request* request, Response* response, Handler handler) {
  return StartUnary(runner, context, *Request::descriptor(),
                    [handler = std::move(handler), request, response](Call& call) -> Task<Status> {
                      NameInLog(call, *request);
                      return handler(call, *request, response);
                    });
}

// The sending end of a server stream. One write at a time; on the call's strand.
template <class M>
class Writer {
 public:
  explicit Writer(std::shared_ptr<StreamWriter> writer) : writer_(std::move(writer)) {}
  // Waits until the message may be followed by another (that is the back-pressure). False: the peer
  // has gone, nothing more can be sent.
  Task<bool> Write(M message) { return writer_->Write(std::make_shared<M>(std::move(message))); }

 private:
  std::shared_ptr<StreamWriter> writer_;
};

// Handler: Task<Status>(Call&, const Request&, Writer<M>&). M is given: rpc::Stream<pb::X>(...).
template <class M, class Request, class Handler>
grpc::ServerWriteReactor<M>* Stream(CallRunner& runner, grpc::CallbackServerContext* context,
                                    const Request* request, Handler handler) {
  auto* reactor = new StreamReactor<M>(runner, context, *Request::descriptor());
  auto writer = std::make_shared<Writer<M>>(reactor->writer());
  reactor->Start([handler = std::move(handler), request, writer](Call& call) -> Task<Status> {
    NameInLog(call, *request);
    return handler(call, *request, *writer);
  });
  return reactor;
}

}  // namespace paymesh::rpc
