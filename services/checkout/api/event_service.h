// The contract's EventService over the journal of events. Any thread.
#pragma once

#include "common/rpc/server/server.h"
#include "paymesh/checkout/v1/event_service.grpc.pb.h"

namespace paymesh::outbox {
class Hub;
}
namespace paymesh::rpc {
class PageTokens;
}

namespace paymesh::checkout {

class EventServiceApi final : public v1::EventService::CallbackService {
 public:
  struct Parts {
    rpc::CallRunner& calls;
    outbox::Hub& hub;
    const rpc::PageTokens& page_tokens;
  };
  explicit EventServiceApi(Parts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::StreamEventsResponse>* StreamEvents(
      grpc::CallbackServerContext* context, const v1::StreamEventsRequest* request) override;

 private:
  Task<Status> DoList(rpc::Call& call, const v1::ListEventsRequest& request,
                      v1::ListEventsResponse* response);
  Task<Status> DoStream(rpc::Call& call, const v1::StreamEventsRequest& request,
                        rpc::Writer<v1::StreamEventsResponse>& writer);
  Parts parts_;
};

}  // namespace paymesh::checkout
