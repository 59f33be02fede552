#include "services/checkout/testing/fakes.h"

#include "common/money/u256.h"

namespace paymesh::checkout::testing {

grpc::Status FakeRouting::Decide(grpc::ServerContext*, const routing::v1::DecideRequest* request,
                                 routing::v1::DecideResponse* response) {
  if (down) return {grpc::StatusCode::UNAVAILABLE, "away"};
  ++calls;
  members += request->facts_size();
  for (const auto& facts : request->facts()) {
    routing::v1::Decision& decision = *response->add_results()->mutable_decision();
    decision.set_decision_id("dec_" + facts.payment_id());
    int rank = 0;
    for (const std::string& unit : facts.accepted_units()) {
      if (facts.price().unit() != "iso4217/USD") {
        auto& rejected = *decision.add_rejected();
        rejected.set_unit(unit);
        rejected.set_code("RATE_UNAVAILABLE");
        continue;
      }
      if (degraded) {
        auto& rejected = *decision.add_rejected();
        rejected.set_unit(unit);
        rejected.set_code("CHAIN_DEGRADED");
        continue;
      }
      const U256 cents = U256::FromDecimal(facts.price().value()).value();
      auto& option = *decision.add_options();
      option.set_unit(unit);
      option.mutable_amount()->set_unit(unit);
      option.mutable_amount()->set_value(CheckedMul(cents, U256(10'000))->ToString());
      option.set_rank(++rank);
      option.add_reasons("SAME_CURRENCY");
      option.mutable_confirm_time()->set_seconds(4);
      *option.mutable_quote_expire_time() = facts.expire_time();
    }
  }
  return grpc::Status::OK;
}

grpc::Status FakeWatcher::WatchAddresses(grpc::ServerContext*,
                                         const watcher::v1::WatchAddressesRequest* request,
                                         watcher::v1::WatchAddressesResponse*) {
  if (down) return {grpc::StatusCode::UNAVAILABLE, "away"};
  std::lock_guard lock(mutex_);
  for (int i = 0; i < request->addresses_size(); ++i) {
    const bool traced = request->traceparents_size() == request->addresses_size();
    addresses_.try_emplace(request->addresses(i), traced ? request->traceparents(i) : "");
  }
  return grpc::Status::OK;
}

bool FakeWatcher::Watches(const std::string& address) {
  std::lock_guard lock(mutex_);
  return addresses_.contains(address);
}

std::string FakeWatcher::TraceOf(const std::string& address) {
  std::lock_guard lock(mutex_);
  return addresses_[address];
}

grpc::Status FakeWatcher::StreamTransfers(
    grpc::ServerContext* context, const watcher::v1::StreamTransfersRequest* request,
    grpc::ServerWriter<watcher::v1::StreamTransfersResponse>* writer) {
  return journal.Serve(context, request->after_position(), writer);
}

grpc::Status FakeSettlement::StreamEvents(
    grpc::ServerContext* context, const settlement::v1::StreamEventsRequest* request,
    grpc::ServerWriter<settlement::v1::StreamEventsResponse>* writer) {
  return journal.Serve(context, request->after_position(), writer);
}

}  // namespace paymesh::checkout::testing
