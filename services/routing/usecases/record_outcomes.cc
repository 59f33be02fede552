#include "services/routing/workers/outcome_follower.h"

#include "common/journal/stream.h"
#include "common/rpc/client.h"
#include "paymesh/checkout/v1/event_service.grpc.pb.h"
#include "services/routing/store/decision_store.h"

namespace paymesh::routing {
namespace {

namespace checkout_pb = paymesh::checkout::v1;

void Describe(const checkout_pb::Event& event, journal::Entry& entry) {
  entry.subject = event.payment().payment_id();
  entry.kind = event.type();
}

Task<Result<std::unique_ptr<journal::Source>>> Open(
    std::shared_ptr<checkout_pb::EventService::Stub> stub, std::int64_t after) {
  checkout_pb::StreamEventsRequest request;
  request.set_after_position(after);
  rpc::CallOptions options{.timeout = std::chrono::milliseconds(0)};
  auto stream =
      rpc::OpenStream<checkout_pb::EventService::StubInterface::async_interface,
                      checkout_pb::StreamEventsRequest, checkout_pb::StreamEventsResponse>(
          *stub->async(), &checkout_pb::EventService::StubInterface::async_interface::StreamEvents,
          std::move(request), options);
  co_return journal::MakeSource(std::move(stub), std::move(stream), &Describe);
}

}  // namespace

Status ApplyEvents(pg::Transaction& tx, const std::vector<journal::Entry>& entries) {
  std::vector<Lesson> lessons;
  for (const journal::Entry& entry : entries) {
    checkout_pb::Event event;
    if (!event.ParseFromString(entry.payload)) return Error::Internal("an event cannot be read");
    const checkout_pb::Payment& payment = event.payment();
    for (const checkout_pb::PaymentOption& option : payment.options()) {
      if (!option.bound()) continue;
      const std::string& unit = option.due().unit();
      lessons.push_back({payment.payment_id(), Lesson::Kind::kBound, unit});
      if (payment.state() == checkout_pb::PAYMENT_STATE_SUCCEEDED) {
        const auto seconds = payment.update_time().seconds() - payment.create_time().seconds();
        lessons.push_back({payment.payment_id(), Lesson::Kind::kSucceeded, unit, seconds});
      }
    }
  }
  Learn(tx, lessons);
  return {};
}

std::unique_ptr<journal::Follower> MakeOutcomeFollower(pg::Database& database,
                                                       std::shared_ptr<grpc::Channel> checkout,
                                                       runtime::Logger& log) {
  journal::FollowerOptions options;
  options.name = kOutcomeFollower;
  options.log = [&log](std::string_view message) { log.Warn(std::string(message)); };
  std::shared_ptr<checkout_pb::EventService::Stub> stub =
      checkout_pb::EventService::NewStub(std::move(checkout));
  return std::make_unique<journal::Follower>(
      database, std::move(options), [stub](std::int64_t after) { return Open(stub, after); },
      ApplyEvents);
}

}  // namespace paymesh::routing
