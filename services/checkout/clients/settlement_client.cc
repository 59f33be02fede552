#include "services/checkout/clients/settlement_client.h"

#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/rpc/client/client.h"
#include "paymesh/settlement/v1/event_service.grpc.pb.h"

namespace paymesh::checkout {
namespace {
namespace settlementpb = ::paymesh::settlement::v1;
using Stub = settlementpb::EventService::StubInterface;

void Describe(const settlementpb::Event& event, outbox::Entry& entry) {
  entry.kind = event.type();
  entry.subject =
      event.has_payout() ? event.payout().payout_id() : event.payment_money().payment_id();
}

Task<Result<std::unique_ptr<outbox::Source>>> Open(std::shared_ptr<Stub> stub, std::int64_t after) {
  settlementpb::StreamEventsRequest request;
  request.set_after_position(after);
  const rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream = rpc::OpenStream(*stub->async(), &Stub::async_interface::StreamEvents,
                                std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &Describe);
}

}  // namespace

outbox::OpenSource MakeMoneySource(std::shared_ptr<grpc::ChannelInterface> channel) {
  std::shared_ptr<Stub> stub = settlementpb::EventService::NewStub(std::move(channel));
  return [stub](std::int64_t after) { return Open(stub, after); };
}

}  // namespace paymesh::checkout
