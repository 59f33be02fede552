#include "services/settlement/workers/peer_streams.h"

#include <grpcpp/channel.h>

#include <deque>
#include <utility>

#include "common/rpc/client.h"
#include "common/runtime/clock.h"
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
const std::string& SubjectOf(const watcher_pb::TransferEvent& event) {
  return event.transfer().transfer_id();
}
const std::string& SubjectOf(const checkout_pb::Event& event) {
  return event.payment().payment_id();
}
std::string_view KindOf(const checkout_pb::Event& event) { return event.type(); }

// A stream whose messages hold runs of events; a follower wants them one by one, the event as the
// payload.
template <class Message>
class RunSource final : public journal::Source {
 public:
  RunSource(std::shared_ptr<void> stub, rpc::ClientStream<Message> stream)
      : stub_(std::move(stub)), stream_(std::move(stream)) {}

  Task<Result<std::optional<journal::Entry>>> Read() override {
    while (waiting_.empty()) {
      Result<std::optional<Message>> message = co_await stream_.Read();
      if (!message.ok()) co_return message.error();
      if (!message->has_value()) co_return std::optional<journal::Entry>();
      for (const auto& event : (*message)->events()) waiting_.push_back(ToEntry(event));
    }
    journal::Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    co_return std::optional<journal::Entry>(std::move(entry));
  }
  void Cancel() override { stream_.Cancel(); }

 private:
  template <class Event>
  static journal::Entry ToEntry(const Event& event) {
    journal::Entry entry;
    entry.position = event.position();
    entry.subject = SubjectOf(event);
    entry.kind = std::string(KindOf(event));
    entry.payload = event.SerializeAsString();
    entry.trace = event.traceparent();
    entry.create_time = Time(std::chrono::seconds(event.create_time().seconds()) +
                             std::chrono::microseconds(event.create_time().nanos() / 1'000));
    return entry;
  }

  const std::shared_ptr<void> stub_;  // outlives the stream
  rpc::ClientStream<Message> stream_;
  std::deque<journal::Entry> waiting_;
};

using Opened = Result<std::unique_ptr<journal::Source>>;

template <class Message>
Task<Opened> Ready(std::shared_ptr<void> stub, rpc::ClientStream<Message> stream) {
  std::unique_ptr<journal::Source> source =
      std::make_unique<RunSource<Message>>(std::move(stub), std::move(stream));
  co_return source;
}

Task<Opened> OpenTransfers(std::shared_ptr<watcher_pb::TransferService::StubInterface> stub,
                           std::int64_t after) {
  using Async = watcher_pb::TransferService::StubInterface::async_interface;
  watcher_pb::StreamTransfersRequest request;
  request.set_after_position(after);
  rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream = rpc::OpenStream<Async, watcher_pb::StreamTransfersRequest,
                                watcher_pb::StreamTransfersResponse>(
      *stub->async(), &Async::StreamTransfers, std::move(request), options);
  return Ready<watcher_pb::StreamTransfersResponse>(std::move(stub), std::move(stream));
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
  return Ready<checkout_pb::StreamEventsResponse>(std::move(stub), std::move(stream));
}

}  // namespace

journal::OpenSource TransfersSource(std::shared_ptr<grpc::Channel> watcher) {
  std::shared_ptr<watcher_pb::TransferService::StubInterface> stub =
      watcher_pb::TransferService::NewStub(watcher);
  return [stub](std::int64_t after) { return OpenTransfers(stub, after); };
}

journal::OpenSource PaymentsSource(std::shared_ptr<grpc::Channel> checkout) {
  std::shared_ptr<checkout_pb::EventService::StubInterface> stub =
      checkout_pb::EventService::NewStub(checkout);
  return [stub](std::int64_t after) { return OpenPayments(stub, after); };
}

}  // namespace paymesh::settlement
