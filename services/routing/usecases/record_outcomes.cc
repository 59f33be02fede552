#include "services/routing/usecases/record_outcomes.h"

#include <string>

#include "paymesh/checkout/v1/event_service.pb.h"
#include "services/routing/store/decision_store.h"

namespace paymesh::routing {

namespace checkoutpb = ::paymesh::checkout::v1;

Status RecordOutcomes(pg::Transaction& tx, const std::vector<outbox::Entry>& entries) {
  std::vector<Lesson> lessons;
  for (const outbox::Entry& entry : entries) {
    checkoutpb::Event event;
    if (!event.ParseFromString(entry.payload)) return Error::Internal("an event cannot be read");
    const checkoutpb::Payment& payment = event.payment();
    for (const checkoutpb::PaymentOption& option : payment.options()) {
      if (!option.bound()) continue;
      const std::string& unit = option.due().unit();
      lessons.push_back({payment.payment_id(), Lesson::Kind::kBound, unit});
      if (payment.state() == checkoutpb::PAYMENT_STATE_SUCCEEDED) {
        const auto seconds = payment.update_time().seconds() - payment.create_time().seconds();
        lessons.push_back({payment.payment_id(), Lesson::Kind::kSucceeded, unit, seconds});
      }
    }
  }
  Learn(tx, lessons);
  return {};
}

}  // namespace paymesh::routing
