// events tail
#include "paymesh/checkout/v1/event_service.pb.h"
#include "paymesh/settlement/v1/event_service.pb.h"
#include "services/payctl/commands/command.h"

namespace paymesh::payctl {
namespace {

struct TailArguments {
  std::string service = "checkout";
  std::string merchant, payment;
  std::int64_t after = 0;
  bool no_follow = false;
  int limit = kDefaultLimit;
};

// What an event is about, in a word and an id.
std::string SubjectOf(Session&, const checkout::v1::Event& event) {
  if (event.has_payment()) {
    return event.payment().payment_id() + " " + EnumText(event.payment().state());
  }
  return event.merchant().merchant_id();
}
std::string SubjectOf(Session& session, const settlement::v1::Event& event) {
  if (event.has_payment_money()) {
    return event.payment_money().payment_id() + " " + session.Money(event.payment_money().amount());
  }
  return event.payout().payout_id() + " " + EnumText(event.payout().state());
}

std::string PaymentOf(const checkout::v1::Event& event) { return event.payment().payment_id(); }
std::string PaymentOf(const settlement::v1::Event& event) {
  return event.payment_money().payment_id();
}

template <class Event>
void ShowEvent(Session& session, const Event& event) {
  session.ShowRow(event, {std::to_string(event.position()), TimeText(event.create_time()),
                          event.type(), event.merchant_id(), SubjectOf(session, event)});
}

template <class Request, class Reply>
Status ListStored(Session& session, const TailArguments& arguments) {
  Request request;
  request.set_merchant_id(arguments.merchant);
  request.set_payment_id(arguments.payment);
  Reply reply;
  RETURN_IF_ERROR(session.List(request, reply, arguments.limit));
  for (const auto& event : reply.events()) {
    if (event.position() > arguments.after) ShowEvent(session, event);
  }
  return {};
}

template <class Reply, class Request>
Status FollowEvents(Session& session, const TailArguments& arguments, Request& request) {
  request.set_after_position(arguments.after);
  Reply reply;
  return session.Follow(request, reply, [&] {
    for (const auto& event : reply.events()) {
      request.set_after_position(event.position());
      if (!arguments.payment.empty() && PaymentOf(event) != arguments.payment) continue;
      if (!arguments.merchant.empty() && event.merchant_id() != arguments.merchant) continue;
      ShowEvent(session, event);
    }
    return true;
  });
}

Status Tail(Session& session, const TailArguments& arguments) {
  session.BeginRows(
      {{"POSITION", 8}, {"TIME", 27}, {"TYPE", 24}, {"MERCHANT", 30}, {"SUBJECT", 7}});
  const bool checkout_events = arguments.service == "checkout";
  if (arguments.no_follow) {
    if (checkout_events) {
      return ListStored<checkout::v1::ListEventsRequest, checkout::v1::ListEventsResponse>(
          session, arguments);
    }
    return ListStored<settlement::v1::ListEventsRequest, settlement::v1::ListEventsResponse>(
        session, arguments);
  }
  if (checkout_events) {
    checkout::v1::StreamEventsRequest request;
    request.set_merchant_id(arguments.merchant);
    return FollowEvents<checkout::v1::StreamEventsResponse>(session, arguments, request);
  }
  settlement::v1::StreamEventsRequest request;
  return FollowEvents<settlement::v1::StreamEventsResponse>(session, arguments, request);
}

}  // namespace

void AddEvents(CLI::App& app, Session& session) {
  CLI::App& group = *AddGroup(app, "events", "what happened, in order");
  auto [tail_app, tail] = AddCommand<TailArguments>(
      group, session, "tail", "what is stored, then what comes, until interrupted", &Tail);
  tail_app->add_option("--service", tail->service, "checkout (default) or settlement")
      ->check(CLI::IsMember({"checkout", "settlement"}));
  tail_app->add_option("--after", tail->after, "begin behind this position; 0 is the beginning")
      ->check(CLI::NonNegativeNumber);
  tail_app->add_option("--merchant", tail->merchant, "only of this merchant");
  tail_app->add_option("--payment", tail->payment, "only of this payment");
  tail_app->add_flag("--no-follow", tail->no_follow, "end behind what is stored");
  AddLimit(*tail_app, tail->limit);
}

}  // namespace paymesh::payctl
