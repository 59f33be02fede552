#include "services/settlement/workers/peer_streams.h"

#include <grpcpp/channel.h>

#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/rpc/client/client.h"
#include "paymesh/checkout/v1/event_service.grpc.pb.h"
#include "paymesh/watcher/v1/transfer_service.grpc.pb.h"

namespace paymesh::settlement {
namespace {

namespace checkout_pb = paymesh::checkout::v1;
namespace watcher_pb = paymesh::watcher::v1;

std::string_view KindOf(const watcher_pb::TransferEvent& event) {
  if (event.has_checkpoint()) return "checkpoint";
  if (!event.has_transfer()) return "chain_halt";
  switch (event.transfer().state()) {
    case watcher_pb::TRANSFER_STATE_INCLUDED:
      return "transfer.included";
    case watcher_pb::TRANSFER_STATE_SAFE:
      return "transfer.safe";
    case watcher_pb::TRANSFER_STATE_FINALIZED:
      return "transfer.finalized";
    default:
      return "transfer.orphaned";
  }
}

void DescribeTransfer(const watcher_pb::TransferEvent& event, outbox::Entry& entry) {
  entry.subject = event.transfer().transfer_id();
  entry.kind = std::string(KindOf(event));
}

void DescribePayment(const checkout_pb::Event& event, outbox::Entry& entry) {
  entry.subject = event.payment().payment_id();
  entry.kind = event.type();
}

using Opened = Result<std::unique_ptr<outbox::Source>>;

Task<Opened> OpenTransfers(std::shared_ptr<watcher_pb::TransferService::StubInterface> stub,
                           std::int64_t after) {
  using Async = watcher_pb::TransferService::StubInterface::async_interface;
  watcher_pb::StreamTransfersRequest request;
  request.set_after_position(after);
  rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream = rpc::OpenStream<Async, watcher_pb::StreamTransfersRequest,
                                watcher_pb::StreamTransfersResponse>(
      *stub->async(), &Async::StreamTransfers, std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &DescribeTransfer);
}

Task<Opened> OpenPayments(std::shared_ptr<checkout_pb::EventService::StubInterface> stub,
                          std::int64_t after) {
  using Async = checkout_pb::EventService::StubInterface::async_interface;
  checkout_pb::StreamEventsRequest request;
  request.set_after_position(after);
  rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream =
      rpc::OpenStream<Async, checkout_pb::StreamEventsRequest, checkout_pb::StreamEventsResponse>(
          *stub->async(), &Async::StreamEvents, std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &DescribePayment);
}

}  // namespace

outbox::OpenSource TransfersSource(std::shared_ptr<grpc::Channel> watcher) {
  std::shared_ptr<watcher_pb::TransferService::StubInterface> stub =
      watcher_pb::TransferService::NewStub(watcher);
  return [stub](std::int64_t after) { return OpenTransfers(stub, after); };
}

outbox::OpenSource PaymentsSource(std::shared_ptr<grpc::Channel> checkout) {
  std::shared_ptr<checkout_pb::EventService::StubInterface> stub =
      checkout_pb::EventService::NewStub(checkout);
  return [stub](std::int64_t after) { return OpenPayments(stub, after); };
}

}  // namespace paymesh::settlement
