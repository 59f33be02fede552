#include "services/checkout/clients/watcher_client.h"

#include <algorithm>
#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/rpc/client/client.h"
#include "paymesh/watcher/v1/transfer_service.grpc.pb.h"

namespace paymesh::checkout {
namespace {
namespace watcherpb = ::paymesh::watcher::v1;
using Stub = watcherpb::TransferService::StubInterface;
using Async = Stub::async_interface;

constexpr std::size_t kMaxAddresses = 1'000;  // of one WatchAddresses

class WatcherClient final : public AddressRegistry {
 public:
  WatcherClient(std::shared_ptr<grpc::ChannelInterface> channel, std::chrono::milliseconds timeout,
                trace::Tracer& tracer)
      : stub_(watcherpb::TransferService::NewStub(std::move(channel))),
        timeout_(timeout),
        tracer_(tracer) {}

  Task<Status> Watch(std::vector<DepositAddress> addresses) override {
    std::vector<trace::SpanContext> causes;
    for (const DepositAddress& each : addresses) {
      if (each.trace.valid()) causes.push_back(each.trace);
    }
    const rpc::CallOptions options{.timeout = timeout_, .tracer = &tracer_, .causes = causes};
    for (std::size_t begin = 0; begin < addresses.size(); begin += kMaxAddresses) {
      const std::size_t end = std::min(addresses.size(), begin + kMaxAddresses);
      watcherpb::WatchAddressesRequest request;
      for (std::size_t i = begin; i < end; ++i) {
        request.add_addresses(addresses[i].address);
        request.add_traceparents(addresses[i].trace.sampled ? addresses[i].trace.ToTraceparent()
                                                            : "");
      }
      auto call =
          rpc::CallUnary(*stub_->async(), &Async::WatchAddresses, std::move(request), options);
      const Result<watcherpb::WatchAddressesResponse> answer = co_await std::move(call);
      if (!answer.ok()) co_return answer.error();
    }
    co_return Status();
  }

 private:
  std::unique_ptr<Stub> stub_;
  const std::chrono::milliseconds timeout_;
  trace::Tracer& tracer_;
};

// The kinds are the watcher's own, which its events do not carry.
const char* KindOf(const watcherpb::TransferEvent& event) {
  if (event.has_checkpoint()) return "checkpoint";
  if (!event.has_transfer()) return "chain_halt";
  switch (event.transfer().state()) {
    case watcherpb::TRANSFER_STATE_INCLUDED:
      return "transfer.included";
    case watcherpb::TRANSFER_STATE_SAFE:
      return "transfer.safe";
    case watcherpb::TRANSFER_STATE_FINALIZED:
      return "transfer.finalized";
    default:
      return "transfer.orphaned";
  }
}

void Describe(const watcherpb::TransferEvent& event, outbox::Entry& entry) {
  entry.kind = KindOf(event);
  entry.subject = event.transfer().transfer_id();
}

Task<Result<std::unique_ptr<outbox::Source>>> Open(std::shared_ptr<Stub> stub, std::int64_t after) {
  watcherpb::StreamTransfersRequest request;
  request.set_after_position(after);
  const rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream =
      rpc::OpenStream(*stub->async(), &Async::StreamTransfers, std::move(request), options);
  co_return outbox::MakeSource(std::move(stub), std::move(stream), &Describe);
}

}  // namespace

std::unique_ptr<AddressRegistry> MakeWatcherClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                                   std::chrono::milliseconds timeout,
                                                   trace::Tracer& tracer) {
  return std::make_unique<WatcherClient>(std::move(channel), timeout, tracer);
}

outbox::OpenSource MakeTransferSource(std::shared_ptr<grpc::ChannelInterface> channel) {
  std::shared_ptr<Stub> stub = watcherpb::TransferService::NewStub(std::move(channel));
  return [stub](std::int64_t after) { return Open(stub, after); };
}

}  // namespace paymesh::checkout
