#include "services/checkout/api/payment_service.h"

#include <utility>

#include "common/outbox/append.h"
#include "common/outbox/hub/hub.h"
#include "common/pg/audit.h"
#include "common/rpc/server/page.h"
#include "services/checkout/api/access.h"
#include "services/checkout/api/fields.h"
#include "services/checkout/api/list_filter.h"
#include "services/checkout/api/mutate.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"
#include "services/checkout/usecases/change_payments.h"

namespace paymesh::checkout {
namespace {

constexpr std::size_t kMaxDescription = 1'000;
constexpr std::size_t kMaxReason = 500;
constexpr std::size_t kMaxPageBytes = 3 * 1024 * 1024;  // a message may have 4 MB
constexpr int kWatchPage = 64;  // entries of one payment read at a time; only the newest is sent
constexpr std::chrono::milliseconds kWatchWait{30'000};

// A payment needs several statements, which must see one moment.
constexpr pg::TransactOptions kReadPayments{.name = "read_payments",
                                            .idempotent = true,
                                            .isolation = pg::Isolation::kRepeatableRead,
                                            .access = pg::Access::kReadOnly};

// A payment as it was at a position of the journal.
struct Seen {
  Payment payment;
  std::int64_t position = 0;
};

Task<Result<Seen>> Read(pg::Database& database, rpc::Principal principal, std::string payment_id) {
  if (!LooksLikeId(payment_id, "pay")) co_return PaymentNotFound();
  auto read = [payment_id](pg::Transaction& tx) -> Result<std::vector<Payment>> {
    return LoadPayments(tx, {payment_id}, Lock::kNone);
  };
  auto read_seen = [read](pg::Transaction& tx) -> Result<std::optional<Seen>> {
    ASSIGN_OR_RETURN(std::vector<Payment> found, read(tx));
    if (found.empty()) return std::optional<Seen>();
    return std::optional<Seen>(Seen{std::move(found.front()), outbox::Head(tx, kEventsJournal)});
  };
  auto run = database.Transact(kReadPayments, std::move(read_seen));
  Result<std::optional<Seen>> seen = co_await std::move(run);
  if (!seen.ok()) co_return seen.error();
  if (!seen->has_value() || !MaySee(principal, (*seen)->payment.terms.merchant_id)) {
    co_return PaymentNotFound();
  }
  co_return **std::move(seen);
}

Result<NewPayment> Validate(const pb::CreatePaymentRequest& request, const Config& config,
                            const runtime::ChainsConfig& chains, pg::IdempotencyKey key,
                            std::shared_ptr<const Merchant> merchant) {
  RETURN_IF_ERROR(CheckText(request.reference(), {"reference", 0, kMaxReference}));
  RETURN_IF_ERROR(CheckText(request.description(), {"description", 0, kMaxDescription}));
  RETURN_IF_ERROR(CheckMetadata(request.metadata()));
  ASSIGN_OR_RETURN(const Amount price, CheckPrice(request.price(), chains));
  ASSIGN_OR_RETURN(const std::chrono::seconds time_to_live,
                   CheckTimeToLive(request.has_time_to_live() ? &request.time_to_live() : nullptr,
                                   config.default_time_to_live));
  return NewPayment{.key = std::move(key),
                    .merchant = std::move(merchant),
                    .price = price,
                    .reference = request.reference(),
                    .description = request.description(),
                    .metadata = {request.metadata().begin(), request.metadata().end()},
                    .time_to_live = time_to_live,
                    .trace = {}};
}

}  // namespace

Task<Status> PaymentServiceApi::DoCreate(rpc::Call& call, const pb::CreatePaymentRequest& request,
                                         pb::CreatePaymentResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  ASSIGN_OR_CO_RETURN(const std::string merchant_id,
                      MerchantOf(call.principal(), request.merchant_id()));
  if (merchant_id.empty()) co_return Error::InvalidField("merchant_id", "must be given");
  if (!LooksLikeId(merchant_id, "mer")) co_return MerchantNotFound();
  auto find = parts_.merchants.Get(merchant_id);
  Result<std::shared_ptr<const Merchant>> merchant = co_await std::move(find);
  if (!merchant.ok()) co_return merchant.error();
  ASSIGN_OR_CO_RETURN(NewPayment payment, Validate(request, parts_.config, parts_.chains,
                                                   std::move(key), *std::move(merchant)));
  payment.trace = call.trace();
  auto create = parts_.creator.Create(std::move(payment));
  const Result<PaymentCreator::Response> created = co_await std::move(create);
  if (!created.ok()) co_return created.error();
  *response = **created;
  call.AddLogField("payment_id", response->payment().payment_id());
  co_return Status();
}

Task<Status> PaymentServiceApi::DoGet(rpc::Call& call, const pb::GetPaymentRequest& request,
                                      pb::GetPaymentResponse* response) {
  auto read = Read(parts_.database, call.principal(), request.payment_id());
  const Result<Seen> seen = co_await std::move(read);
  if (!seen.ok()) co_return seen.error();
  *response->mutable_payment() = ToProto(seen->payment);
  co_return Status();
}

Task<Status> PaymentServiceApi::DoList(rpc::Call& call, const pb::ListPaymentsRequest& request,
                                       pb::ListPaymentsResponse* response) {
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_CO_RETURN(const std::string merchant_id,
                      MerchantOf(call.principal(), request.merchant_id()));
  ASSIGN_OR_CO_RETURN(const PaymentFilter filter, ToFilter(request, merchant_id));
  const std::string scope = ScopeOf(call.method(), filter);
  ASSIGN_OR_CO_RETURN(const std::string before,
                      parts_.page_tokens.Decode(scope, request.page_token()));
  auto list = [filter, before, size](pg::Transaction& tx) {
    return LoadPayments(tx, FindPayments(tx, filter, before, size), Lock::kNone);
  };
  auto run = parts_.database.Transact(kReadPayments, std::move(list));
  const Result<std::vector<Payment>> payments = co_await std::move(run);
  if (!payments.ok()) co_return payments.error();
  std::size_t bytes = 0;
  for (auto payment = payments->rbegin(); payment != payments->rend(); ++payment) {
    if (bytes > kMaxPageBytes) break;
    *response->add_payments() = ToProto(*payment);
    bytes += response->payments().rbegin()->ByteSizeLong();
  }
  const bool cut = static_cast<std::size_t>(response->payments_size()) < payments->size();
  if (cut || payments->size() == static_cast<std::size_t>(size)) {
    const std::string& last = response->payments().rbegin()->payment_id();
    response->set_next_page_token(parts_.page_tokens.Encode(scope, last));
  }
  co_return Status();
}

template <class Response>
Task<Status> PaymentServiceApi::ChangeOne(rpc::Call& call, pg::IdempotencyKey key,
                                          std::string payment_id, Event event, Response* response) {
  if (!LooksLikeId(payment_id, "pay")) co_return PaymentNotFound();
  auto changes = std::make_shared<std::vector<Change>>();
  const rpc::Principal principal = call.principal();
  const std::string method = call.method();
  const std::string trace = call.traceparent();
  auto act = [=, rules = parts_.config.rules](pg::Transaction& tx) -> Result<Response> {
    changes->clear();
    ASSIGN_OR_RETURN(PaymentBatch batch, PaymentBatch::Load(tx, rules, {payment_id}));
    if (!batch.Has(payment_id) || !MaySee(principal, batch.At(payment_id).terms.merchant_id)) {
      return PaymentNotFound();
    }
    RETURN_IF_ERROR(batch.Apply(payment_id, event));
    RETURN_IF_ERROR(batch.Save(tx, trace));
    pg::Audit(tx, principal.name, method, payment_id);
    *changes = batch.changes();
    Response answer;
    *answer.mutable_payment() = ToProto(batch.At(payment_id));
    return answer;
  };
  Mutation<Response> mutation{.name = "change_payment", .key = std::move(key), .act = act};
  auto run = Mutate(parts_.database, in_flight_, parts_.metrics, std::move(mutation));
  Result<Mutated<Response>> result = co_await std::move(run);
  if (!result.ok()) co_return result.error();
  if (!result->replayed) parts_.metrics.Changed(*changes);
  *response = std::move(result->response);
  co_return Status();
}

Task<Status> PaymentServiceApi::DoCancel(rpc::Call& call, const pb::CancelPaymentRequest& request,
                                         pb::CancelPaymentResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  CO_RETURN_IF_ERROR(CheckText(request.reason(), {"reason", 0, kMaxReason}));
  Event event = Cancel{.reason = request.reason()};
  auto change = ChangeOne(call, std::move(key), request.payment_id(), std::move(event), response);
  co_return co_await std::move(change);
}

Task<Status> PaymentServiceApi::DoResolve(rpc::Call& call, const pb::ResolvePaymentRequest& request,
                                          pb::ResolvePaymentResponse* response) {
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call.principal(), call.method(), request));
  CO_RETURN_IF_ERROR(CheckText(request.reason(), {"reason", 1, kMaxReason}));
  if (request.action() != pb::RESOLVE_ACTION_ACCEPT &&
      request.action() != pb::RESOLVE_ACTION_HOLD) {
    co_return Error::InvalidField("action", "must be ACCEPT or HOLD");
  }
  if (request.expected_revision() <= 0) {
    co_return Error::InvalidField("expected_revision", "must be the revision that was looked at");
  }
  const bool accept = request.action() == pb::RESOLVE_ACTION_ACCEPT;
  Event event = Resolve{.action = accept ? ResolveAction::kAccept : ResolveAction::kHold,
                        .reason = call.principal().name + ": " + request.reason(),
                        .expected_revision = request.expected_revision()};
  auto change = ChangeOne(call, std::move(key), request.payment_id(), std::move(event), response);
  co_return co_await std::move(change);
}

Task<Status> PaymentServiceApi::DoWatch(rpc::Call& call, const pb::WatchPaymentRequest& request,
                                        rpc::Writer<pb::WatchPaymentResponse>& writer) {
  if (request.after_revision() < 0) {
    co_return Error::InvalidField("after_revision", "must not be negative");
  }
  auto read = Read(parts_.database, call.principal(), request.payment_id());
  const Result<Seen> seen = co_await std::move(read);
  if (!seen.ok()) co_return seen.error();
  std::int64_t revision = request.after_revision();
  std::int64_t position = seen->position;
  pb::Payment next = ToProto(seen->payment);
  const outbox::Filter filter{.subject = request.payment_id()};
  for (;;) {
    if (next.revision() > revision) {
      revision = next.revision();
      pb::WatchPaymentResponse message;
      *message.mutable_payment() = next;
      auto write = writer.Write(std::move(message));
      if (!co_await std::move(write)) co_return Status();
    }
    auto wait = parts_.hub.ReadOrWait(std::string(kEventsJournal), position, kWatchPage, filter,
                                      kWatchWait);
    const Result<outbox::Page> page = co_await std::move(wait);
    if (!page.ok()) co_return page.error();
    position = page->scanned;
    if (page->entries.empty()) continue;
    pb::Event event;
    if (!event.ParseFromString(page->entries.back()->payload)) {
      co_return Error::Internal("an entry of the journal does not parse");
    }
    next = event.payment();
  }
}

grpc::ServerUnaryReactor* PaymentServiceApi::CreatePayment(grpc::CallbackServerContext* context,
                                                           const pb::CreatePaymentRequest* request,
                                                           pb::CreatePaymentResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoCreate(args...); });
}
grpc::ServerUnaryReactor* PaymentServiceApi::GetPayment(grpc::CallbackServerContext* context,
                                                        const pb::GetPaymentRequest* request,
                                                        pb::GetPaymentResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoGet(args...); });
}
grpc::ServerUnaryReactor* PaymentServiceApi::ListPayments(grpc::CallbackServerContext* context,
                                                          const pb::ListPaymentsRequest* request,
                                                          pb::ListPaymentsResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoList(args...); });
}
grpc::ServerUnaryReactor* PaymentServiceApi::CancelPayment(grpc::CallbackServerContext* context,
                                                           const pb::CancelPaymentRequest* request,
                                                           pb::CancelPaymentResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoCancel(args...); });
}
grpc::ServerUnaryReactor* PaymentServiceApi::ResolvePayment(
    grpc::CallbackServerContext* context, const pb::ResolvePaymentRequest* request,
    pb::ResolvePaymentResponse* response) {
  return rpc::Unary(parts_.calls, context, request, response,
                    [this](auto&&... args) { return DoResolve(args...); });
}
grpc::ServerWriteReactor<pb::WatchPaymentResponse>* PaymentServiceApi::WatchPayment(
    grpc::CallbackServerContext* context, const pb::WatchPaymentRequest* request) {
  return rpc::Stream<pb::WatchPaymentResponse>(parts_.calls, context, request,
                                               [this](auto&&... args) { return DoWatch(args...); });
}

}  // namespace paymesh::checkout
