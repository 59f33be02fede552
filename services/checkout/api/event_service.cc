#include "services/checkout/api/event_service.h"

#include <charconv>
#include <utility>

#include "common/outbox/follower/stream.h"
#include "common/outbox/hub/hub.h"
#include "common/rpc/server/page.h"
#include "services/checkout/api/access.h"
#include "services/checkout/api/fields.h"
#include "services/checkout/convert.h"
#include "services/checkout/store/payment_store.h"

namespace paymesh::checkout {
namespace {

constexpr std::size_t kMaxPageBytes = 3 * 1024 * 1024;  // a message may have 4 MB

std::string ScopeOf(const std::string& method, const outbox::Filter& filter) {
  return method + "|" + std::to_string(filter.owner.size()) + ":" + filter.owner + "|" +
         filter.subject;
}

Result<std::int64_t> PositionOf(const std::string& text) {
  if (text.empty()) return std::int64_t{0};
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error != std::errc() || end != text.data() + text.size() || position < 0) {
    return Error::InvalidArgument("INVALID_PAGE_TOKEN", "the page token is not one of ours");
  }
  return position;
}

}  // namespace

Task<Status> EventServiceApi::DoList(rpc::Call& call, const pb::ListEventsRequest& request,
                                     pb::ListEventsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  CO_RETURN_IF_ERROR(CheckText(request.merchant_id(), {"merchant_id", 0, 64}));
  CO_RETURN_IF_ERROR(CheckText(request.payment_id(), {"payment_id", 0, 64}));
  ASSIGN_OR_CO_RETURN(const std::string owner, MerchantOf(call.principal(), request.merchant_id()));
  const outbox::Filter filter{.subject = request.payment_id(), .owner = owner};
  const std::string scope = ScopeOf(call.method(), filter);
  ASSIGN_OR_CO_RETURN(const std::string token,
                      parts_.page_tokens.Decode(scope, request.page_token()));
  ASSIGN_OR_CO_RETURN(const std::int64_t after, PositionOf(token));
  auto read = parts_.hub.Read(std::string(kEventsJournal), after, size, filter);
  const Result<outbox::Page> page = co_await std::move(read);
  if (!page.ok()) co_return page.error();
  std::size_t bytes = 0;
  for (const outbox::EntryPtr& entry : page->entries) {
    if (bytes > kMaxPageBytes) break;
    ASSIGN_OR_CO_RETURN(*response->add_events(), outbox::ToEvent<pb::Event>(*entry));
    bytes += entry->payload.size();
  }
  const bool cut = static_cast<std::size_t>(response->events_size()) < page->entries.size();
  if (cut || page->entries.size() == static_cast<std::size_t>(size)) {
    const std::int64_t last = response->events().rbegin()->position();
    response->set_next_page_token(parts_.page_tokens.Encode(scope, std::to_string(last)));
  }
  co_return Status();
}

Task<Status> EventServiceApi::DoStream(rpc::Call& call, const pb::StreamEventsRequest& request,
                                       rpc::Writer<pb::StreamEventsResponse>& writer) {
  CO_RETURN_IF_ERROR(CheckText(request.merchant_id(), {"merchant_id", 0, 64}));
  ASSIGN_OR_CO_RETURN(const std::string owner, MerchantOf(call.principal(), request.merchant_id()));
  outbox::ServeOptions options;
  options.outbox = std::string(kEventsJournal);
  options.after = request.after_position();
  options.filter.owner = owner;
  auto serve =
      outbox::ServeEvents<pb::StreamEventsResponse>(parts_.hub, std::move(options), writer);
  co_return co_await std::move(serve);
}

grpc::ServerUnaryReactor* EventServiceApi::ListEvents(grpc::CallbackServerContext* context,
                                                      const pb::ListEventsRequest* request,
                                                      pb::ListEventsResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoList(args...); });
}
grpc::ServerWriteReactor<pb::StreamEventsResponse>* EventServiceApi::StreamEvents(
    grpc::CallbackServerContext* context, const pb::StreamEventsRequest* request) {
  return rpc::Stream<pb::StreamEventsResponse>(
      parts_.calls, context, request, [this](auto&&... args) { return DoStream(args...); });
}

}  // namespace paymesh::checkout
