#include "services/routing/clients/checkout_client.h"

#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/rpc/client/client.h"
#include "paymesh/checkout/v1/event_service.grpc.pb.h"

namespace paymesh::routing {
namespace {

namespace checkoutpb = ::paymesh::checkout::v1;
using EventStub = checkoutpb::EventService::StubInterface;

void Describe(const checkoutpb::Event& event, outbox::Entry& entry) {
  entry.subject = event.payment().payment_id();
  entry.kind = event.type();
}

Task<Result<std::unique_ptr<outbox::Source>>> Open(std::shared_ptr<EventStub> stub,
                                                   std::int64_t after) {
  checkoutpb::StreamEventsRequest request;
  request.set_after_position(after);
  const rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream = rpc::OpenStream(*stub->async(), &EventStub::async_interface::StreamEvents,
                                std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &Describe);
}

}  // namespace

outbox::OpenSource MakePaymentSource(std::shared_ptr<grpc::ChannelInterface> channel) {
  std::shared_ptr<EventStub> stub = checkoutpb::EventService::NewStub(std::move(channel));
  return [stub](std::int64_t after) { return Open(stub, after); };
}

}  // namespace paymesh::routing
