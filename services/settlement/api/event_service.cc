#include "services/settlement/api/event_service.h"

#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/outbox/hub/hub.h"
#include "services/settlement/api/ledger_convert.h"
#include "services/settlement/api/position.h"

namespace paymesh::settlement {
namespace {

constexpr char kJournal[] = "events";

}  // namespace

Task<Status> EventServiceApi::DoList(rpc::Call& call, const v1::ListEventsRequest& request,
                                     v1::ListEventsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  CO_RETURN_IF_ERROR(CheckFilter(request.merchant_id(), "merchant_id"));
  CO_RETURN_IF_ERROR(CheckFilter(request.payment_id(), "payment_id"));
  const std::string scope =
      call.method() + "|" + request.merchant_id() + "|" + request.payment_id();
  ASSIGN_OR_CO_RETURN(const std::string token, tokens_.Decode(scope, request.page_token()));
  ASSIGN_OR_CO_RETURN(const std::int64_t after, ParsePosition(token));
  outbox::Filter filter{.subject = request.payment_id(), .owner = request.merchant_id()};
  auto read = hub_.Read(kJournal, after, size, std::move(filter));
  const Result<outbox::Page> page = co_await std::move(read);
  if (!page.ok()) co_return page.error();
  for (const outbox::EntryPtr& entry : page->entries) {
    ASSIGN_OR_CO_RETURN(*response->add_events(), outbox::ToEvent<v1::Event>(*entry));
  }
  if (page->entries.size() == static_cast<std::size_t>(size)) {
    response->set_next_page_token(tokens_.Encode(scope, std::to_string(page->scanned)));
  }
  co_return Status();
}

Task<Status> EventServiceApi::DoStream(rpc::Call&, const v1::StreamEventsRequest& request,
                                       rpc::Writer<v1::StreamEventsResponse>& writer) {
  outbox::ServeOptions options;
  options.outbox = kJournal;
  options.after = request.after_position();
  auto serve = outbox::ServeEvents<v1::StreamEventsResponse>(hub_, std::move(options), writer);
  co_return co_await std::move(serve);
}

grpc::ServerUnaryReactor* EventServiceApi::ListEvents(grpc::CallbackServerContext* context,
                                                      const v1::ListEventsRequest* request,
                                                      v1::ListEventsResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoList(args...); });
}

grpc::ServerWriteReactor<v1::StreamEventsResponse>* EventServiceApi::StreamEvents(
    grpc::CallbackServerContext* context, const v1::StreamEventsRequest* request) {
  return rpc::Stream<v1::StreamEventsResponse>(
      calls_, context, request, [this](auto&&... args) { return DoStream(args...); });
}

}  // namespace paymesh::settlement
