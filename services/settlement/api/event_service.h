// EventService: the journal `events` to the outside. Any thread.
#pragma once

#include "common/rpc/server/page.h"
#include "common/rpc/server/server.h"
#include "paymesh/settlement/v1/event_service.grpc.pb.h"

namespace paymesh::outbox {
class Hub;
}

namespace paymesh::settlement {

class EventServiceApi final : public v1::EventService::CallbackService {
 public:
  // All outlive the service.
  EventServiceApi(rpc::CallRunner& calls, outbox::Hub& hub, const rpc::PageTokens& tokens)
      : calls_(calls), hub_(hub), tokens_(tokens) {}

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

  rpc::CallRunner& calls_;
  outbox::Hub& hub_;
  const rpc::PageTokens& tokens_;
};

}  // namespace paymesh::settlement
