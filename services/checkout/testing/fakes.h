// The peers of checkout as small real gRPC servers, for tests: routing converts pegged currencies,
// the watcher and settlement stream what the test appends. Any thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "paymesh/routing/v1/routing_service.grpc.pb.h"
#include "paymesh/settlement/v1/event_service.grpc.pb.h"
#include "paymesh/watcher/v1/transfer_service.grpc.pb.h"

namespace paymesh::checkout::testing {

class FakeRouting final : public routing::v1::RoutingService::Service {
 public:
  std::atomic<bool> down{false};
  std::atomic<bool> degraded{false};  // no chain can be offered
  std::atomic<int> calls{0};
  std::atomic<int> members{0};
  grpc::Status Decide(grpc::ServerContext* context, const routing::v1::DecideRequest* request,
                      routing::v1::DecideResponse* response) override;
};

// An append-only list that a streaming call serves. Event has position() and create_time().
template <class Event>
class FakeJournal {
 public:
  void Append(Event event) {
    std::lock_guard lock(mutex_);
    event.set_position(static_cast<std::int64_t>(events_.size()) + 1);
    event.mutable_create_time()->set_seconds(1'700'000'000);
    events_.push_back(std::move(event));
    grown_.notify_all();
  }
  template <class Message>
  grpc::Status Serve(grpc::ServerContext* context, std::int64_t after,
                     grpc::ServerWriter<Message>* writer) {
    auto position = static_cast<std::size_t>(after);
    while (!context->IsCancelled() && !closed_) {
      Message message;
      {
        std::unique_lock lock(mutex_);
        grown_.wait_for(lock, std::chrono::milliseconds(20),
                        [&] { return events_.size() > position; });
        while (position < events_.size()) *message.add_events() = events_[position++];
      }
      if (message.events_size() > 0 && !writer->Write(message)) break;
    }
    return grpc::Status::OK;
  }
  void Close() { closed_ = true; }

 private:
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<Event> events_;
  std::atomic<bool> closed_{false};
};

class FakeWatcher final : public watcher::v1::TransferService::Service {
 public:
  std::atomic<bool> down{false};
  FakeJournal<watcher::v1::TransferEvent> journal;
  grpc::Status WatchAddresses(grpc::ServerContext* context,
                              const watcher::v1::WatchAddressesRequest* request,
                              watcher::v1::WatchAddressesResponse* response) override;
  grpc::Status StreamTransfers(
      grpc::ServerContext* context, const watcher::v1::StreamTransfersRequest* request,
      grpc::ServerWriter<watcher::v1::StreamTransfersResponse>* writer) override;
  bool Watches(const std::string& address);
  std::string TraceOf(const std::string& address);  // "" for none

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> addresses_;  // and their traceparents
};

class FakeSettlement final : public settlement::v1::EventService::Service {
 public:
  FakeJournal<settlement::v1::Event> journal;
  grpc::Status StreamEvents(
      grpc::ServerContext* context, const settlement::v1::StreamEventsRequest* request,
      grpc::ServerWriter<settlement::v1::StreamEventsResponse>* writer) override;
};

}  // namespace paymesh::checkout::testing
