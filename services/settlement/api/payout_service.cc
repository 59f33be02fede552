#include "services/settlement/api/payout_service.h"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "common/money/amount.h"
#include "common/pg/audit.h"
#include "common/pg/database.h"
#include "common/rpc/server/server.h"
#include "services/settlement/api/mutate.h"
#include "services/settlement/api/position.h"
#include "services/settlement/store/destination_store.h"
#include "services/settlement/store/payout_convert.h"
#include "services/settlement/store/payout_ledger.h"
#include "services/settlement/store/payout_pause.h"
#include "services/settlement/store/payout_resolution.h"
#include "services/settlement/store/payout_store.h"

namespace paymesh::settlement {
namespace {

constexpr std::size_t kMaxDisplayName = 200;
constexpr std::size_t kMaxReason = 500;
constexpr std::size_t kMaxId = 64;

Status CheckText(std::string_view field, const std::string& text, std::size_t least,
                 std::size_t most) {
  if (text.size() < least || text.size() > most) {
    return Error::InvalidField(std::string(field), "must have " + std::to_string(least) + " to " +
                                                       std::to_string(most) + " characters");
  }
  return {};
}

bool IsDepositAddress(pg::Transaction& tx, const std::string& address) {
  return !tx.Execute("SELECT FROM deposit WHERE address = $1", address).empty();
}

Result<std::int64_t> Position(const rpc::PageTokens& pages, const std::string& scope,
                              const std::string& token) {
  ASSIGN_OR_RETURN(const std::string text, pages.Decode(scope, token));
  return ParsePosition(text);
}

// Cuts a list that was read with one row too many, and gives the position after the page.
template <class Row>
std::string CutPage(std::vector<Row>& rows, int size) {
  if (rows.size() <= static_cast<std::size_t>(size)) return "";
  rows.pop_back();
  return std::to_string(rows.back().sequence);
}

}  // namespace

class PayoutService::Handlers {
 public:
  Handlers(pg::Database& database, const runtime::ChainsConfig& chains, const runtime::Clock& clock,
           runtime::IdSource& ids, const rpc::PageTokens& pages, VaultRecord& vaults,
           PayoutServiceOptions options)
      : database_(database),
        chains_(chains),
        clock_(clock),
        ids_(ids),
        pages_(pages),
        vaults_(vaults),
        options_(std::move(options)) {}

  Task<Status> Run(rpc::Call& call, const v1::CreatePayoutDestinationRequest& request,
                   v1::CreatePayoutDestinationResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ApprovePayoutDestinationRequest& request,
                   v1::ApprovePayoutDestinationResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ListPayoutDestinationsRequest& request,
                   v1::ListPayoutDestinationsResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::SetPayoutPlanRequest& request,
                   v1::SetPayoutPlanResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ListPayoutPlansRequest& request,
                   v1::ListPayoutPlansResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::CreatePayoutRequest& request,
                   v1::CreatePayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ApprovePayoutRequest& request,
                   v1::ApprovePayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::RejectPayoutRequest& request,
                   v1::RejectPayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::CancelPayoutRequest& request,
                   v1::CancelPayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ResolvePayoutRequest& request,
                   v1::ResolvePayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::GetPayoutRequest& request,
                   v1::GetPayoutResponse* response);
  Task<Status> Run(rpc::Call& call, const v1::ListPayoutsRequest& request,
                   v1::ListPayoutsResponse* response);

 private:
  template <class Response, class Request>
  Task<Status> Change(rpc::Call& call, const Request& request, Response* response,
                      std::function<Result<Response>(pg::Transaction&)> act) {
    Result<pg::IdempotencyKey> key = KeyOf(call, request);
    if (!key.ok()) return Fail(key.error());
    return Mutate<Response>(database_, in_flight_, std::move(*key), std::move(act), response);
  }
  // Loads a payout, does `step` to it and answers with what it has become.
  using PayoutStep =
      std::function<Status(pg::Transaction&, PayoutRow&, const std::string& who, Time now)>;
  template <class Response, class Request>
  Task<Status> Step(rpc::Call& call, const Request& request, std::string action, Response* response,
                    PayoutStep step);
  template <class Response>
  Task<Status> Read(Response* response, std::function<Result<Response>(pg::Transaction&)> read);
  static Task<Status> Fail(Error error) { co_return error; }

  Result<Unit> ListedUnit(const std::string& text) const;

  pg::Database& database_;
  pg::InFlight in_flight_;
  const runtime::ChainsConfig& chains_;
  const runtime::Clock& clock_;
  runtime::IdSource& ids_;
  const rpc::PageTokens& pages_;
  VaultRecord& vaults_;
  const PayoutServiceOptions options_;
};

template <class Response>
Task<Status> PayoutService::Handlers::Read(Response* response,
                                           std::function<Result<Response>(pg::Transaction&)> read) {
  Result<Response> result = co_await database_.Transact(
      {.name = "read", .idempotent = true, .access = pg::Access::kReadOnly}, std::move(read));
  if (!result.ok()) co_return result.error();
  *response = std::move(*result);
  co_return Status();
}

template <class Response, class Request>
Task<Status> PayoutService::Handlers::Step(rpc::Call& call, const Request& request,
                                           std::string action, Response* response,
                                           PayoutStep step) {
  std::string payout_id = request.payout_id();
  call.AddLogField("payout_id", payout_id);
  return Change<Response>(
      call, request, response,
      [payout_id = std::move(payout_id), action = std::move(action), step = std::move(step),
       who = call.principal().name, now = clock_.Now()](pg::Transaction& tx) -> Result<Response> {
        ASSIGN_OR_RETURN(PayoutRow row, LockPayout(tx, payout_id));
        RETURN_IF_ERROR(step(tx, row, who, now));
        pg::Audit(tx, who, action, payout_id);
        Response out;
        *out.mutable_payout() = LoadPayoutMessage(tx, row);
        return out;
      });
}

Result<Unit> PayoutService::Handlers::ListedUnit(const std::string& text) const {
  Result<Unit> unit = Unit::Parse(text);
  if (!unit.ok()) return Error::InvalidField("unit", unit.error().message);
  if (!unit->asset() || chains_.FindToken(*unit->asset()) == nullptr) {
    return Error::InvalidField("unit", "is no token that this mesh knows");
  }
  return unit;
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call,
                                          const v1::CreatePayoutDestinationRequest& request,
                                          v1::CreatePayoutDestinationResponse* response) {
  const auto unit = ListedUnit(request.unit());
  if (!unit.ok()) return Fail(unit.error());
  const auto address = evm::Address::Parse(request.address());
  if (!address.ok()) return Fail(Error::InvalidField("address", address.error().message));
  for (const Status& status :
       {CheckText("merchant_id", request.merchant_id(), 1, kMaxId),
        CheckText("display_name", request.display_name(), 0, kMaxDisplayName),
        CheckDestinationAddress(*address, options_.forbidden)}) {
    if (!status.ok()) return Fail(status.error());
  }
  DestinationRow row;
  row.destination_id = ids_.Next("dst");
  row.merchant_id = request.merchant_id();
  row.unit = unit->ToString();
  row.chain = unit->asset()->chain().ToString();
  row.address = address->ToHex();
  row.display_name = request.display_name();
  row.creator = call.principal().name;
  row.create_time = clock_.Now();
  return Change<v1::CreatePayoutDestinationResponse>(
      call, request, response,
      [row](pg::Transaction& tx) -> Result<v1::CreatePayoutDestinationResponse> {
        if (IsDepositAddress(tx, row.address)) {
          return Error::InvalidField("address", "is a deposit address of the mesh");
        }
        InsertDestination(tx, row);
        pg::Audit(tx, row.creator, "CreatePayoutDestination", row.destination_id);
        v1::CreatePayoutDestinationResponse out;
        *out.mutable_destination() = ToMessage(row);
        return out;
      });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call,
                                          const v1::ApprovePayoutDestinationRequest& request,
                                          v1::ApprovePayoutDestinationResponse* response) {
  return Change<v1::ApprovePayoutDestinationResponse>(
      call, request, response,
      [id = request.destination_id(), who = call.principal().name, now = clock_.Now(),
       wait = options_.cooling_off](
          pg::Transaction& tx) -> Result<v1::ApprovePayoutDestinationResponse> {
        ASSIGN_OR_RETURN(DestinationRow row, LockDestination(tx, id));
        RETURN_IF_ERROR(CheckDestinationApproval(row.state, row.creator, who));
        row.state = DestinationState::kApproved;
        row.approver = who;
        row.approve_time = now;
        row.usable_time = now + wait;
        ApproveDestination(tx, row);
        pg::Audit(tx, who, "ApprovePayoutDestination", id);
        v1::ApprovePayoutDestinationResponse out;
        *out.mutable_destination() = ToMessage(row);
        return out;
      });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call,
                                          const v1::ListPayoutDestinationsRequest& request,
                                          v1::ListPayoutDestinationsResponse* response) {
  const std::string scope = call.method() + "|" + request.merchant_id();
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_CO_RETURN(const std::int64_t before, Position(pages_, scope, request.page_token()));
  std::function<Result<v1::ListPayoutDestinationsResponse>(pg::Transaction&)> read =
      [this, scope, size, before, merchant = request.merchant_id()](
          pg::Transaction& tx) -> Result<v1::ListPayoutDestinationsResponse> {
    v1::ListPayoutDestinationsResponse out;
    auto rows = ListDestinations(tx, merchant, before, size + 1);
    out.set_next_page_token(pages_.Encode(scope, CutPage(rows, size)));
    for (const DestinationRow& row : rows) *out.add_destinations() = ToMessage(row);
    return out;
  };
  co_return co_await Read(response, std::move(read));
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::SetPayoutPlanRequest& request,
                                          v1::SetPayoutPlanResponse* response) {
  const v1::PayoutPlan& plan = request.plan();
  const auto unit = ListedUnit(plan.unit());
  if (!unit.ok()) return Fail(unit.error());
  const auto schedule = FromMessage(plan.schedule());
  if (!schedule) return Fail(Error::InvalidField("plan.schedule", "must be said"));
  PlanRow row;
  if (plan.has_minimum()) {
    const auto minimum = Amount::Parse(plan.minimum().unit(), plan.minimum().value());
    if (!minimum.ok() || minimum->unit != *unit) {
      return Fail(Error::InvalidField("plan.minimum", "must be an amount of the plan's token"));
    }
    row.minimum = minimum->value;
  }
  row.merchant_id = plan.merchant_id();
  row.unit = unit->ToString();
  row.destination_id = plan.destination_id();
  row.schedule = *schedule;
  row.update_time = clock_.Now();
  return Change<v1::SetPayoutPlanResponse>(
      call, request, response,
      [row, who = call.principal().name](pg::Transaction& tx) -> Result<v1::SetPayoutPlanResponse> {
        ASSIGN_OR_RETURN(const DestinationRow destination, LockDestination(tx, row.destination_id));
        if (destination.merchant_id != row.merchant_id || destination.unit != row.unit) {
          return Error::InvalidField("plan.destination_id",
                                     "is of another merchant or of another token");
        }
        // Approved is enough: the plan waits by itself until the cooling-off is over.
        if (destination.state != DestinationState::kApproved) {
          return Error::FailedPrecondition("DESTINATION_NOT_APPROVED",
                                           "a second person has not approved the destination");
        }
        PutPlan(tx, row);
        pg::Audit(tx, who, "SetPayoutPlan", row.merchant_id + " " + row.unit);
        v1::SetPayoutPlanResponse out;
        *out.mutable_plan() = ToMessage(row);
        return out;
      });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call,
                                          const v1::ListPayoutPlansRequest& request,
                                          v1::ListPayoutPlansResponse* response) {
  const std::string scope = call.method() + "|" + request.merchant_id();
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_CO_RETURN(const std::int64_t after, Position(pages_, scope, request.page_token()));
  std::function<Result<v1::ListPayoutPlansResponse>(pg::Transaction&)> read =
      [this, scope, size, after, merchant = request.merchant_id()](
          pg::Transaction& tx) -> Result<v1::ListPayoutPlansResponse> {
    v1::ListPayoutPlansResponse out;
    auto rows = ListPlans(tx, merchant, after, size + 1);
    out.set_next_page_token(pages_.Encode(scope, CutPage(rows, size)));
    for (const PlanRow& row : rows) *out.add_plans() = ToMessage(row);
    return out;
  };
  co_return co_await Read(response, std::move(read));
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::CreatePayoutRequest& request,
                                          v1::CreatePayoutResponse* response) {
  const auto amount = Amount::Parse(request.amount().unit(), request.amount().value());
  if (!amount.ok()) return Fail(Error::InvalidField("amount", amount.error().message));
  if (amount->IsZero()) return Fail(Error::InvalidField("amount.value", "must be above zero"));
  PayoutRow row;
  row.payout_id = ids_.Next("pot");
  row.merchant_id = request.merchant_id();
  row.destination_id = request.destination_id();
  row.unit = amount->unit.ToString();
  row.amount = amount->value;
  row.creator = call.principal().name;
  row.create_time = row.update_time = clock_.Now();
  call.AddLogField("payout_id", row.payout_id);
  return Change<v1::CreatePayoutResponse>(
      call, request, response,
      [row, approval = options_.manual_payout_approval](
          pg::Transaction& tx) -> Result<v1::CreatePayoutResponse> {
        PayoutRow payout = row;
        ASSIGN_OR_RETURN(const DestinationRow destination,
                         LockDestination(tx, payout.destination_id));
        if (destination.merchant_id != payout.merchant_id) {
          return Error::NotFound("DESTINATION_NOT_FOUND", "the merchant has no such destination");
        }
        if (destination.unit != payout.unit) {
          return Error::InvalidField("amount.unit", "is not the destination's token");
        }
        RETURN_IF_ERROR(
            CheckDestinationUsable(destination.state, destination.usable_time, payout.create_time));
        const std::string pause =
            PauseReason(tx, destination.chain, payout.unit, payout.merchant_id);
        if (!pause.empty()) return Error::FailedPrecondition("PAUSED", pause);
        payout.chain = destination.chain;
        payout.address = destination.address;
        if (approval) {
          ASSIGN_OR_RETURN(const U256 available,
                           LockAvailable(tx, payout.merchant_id, payout.unit));
          if (available < payout.amount) {
            return Error::FailedPrecondition("INSUFFICIENT_AVAILABLE",
                                             "the merchant has less available");
          }
          RETURN_IF_ERROR(CheckLines(
              payout.amount, OpenPayments(tx, payout.merchant_id, payout.unit, kMaxPayoutLines)));
          RETURN_IF_ERROR(CreateAwaiting(tx, payout));
        } else {
          RETURN_IF_ERROR(CreateReserved(tx, payout));
        }
        pg::Audit(tx, payout.creator, "CreatePayout", payout.payout_id);
        v1::CreatePayoutResponse out;
        ASSIGN_OR_RETURN(const PayoutRow created, LockPayout(tx, payout.payout_id));
        *out.mutable_payout() = LoadPayoutMessage(tx, created);
        return out;
      });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::ApprovePayoutRequest& request,
                                          v1::ApprovePayoutResponse* response) {
  return Step<v1::ApprovePayoutResponse>(
      call, request, "ApprovePayout", response,
      [](pg::Transaction& tx, PayoutRow& row, const std::string& who, Time now) {
        return Approve(tx, row, who, now);
      });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::RejectPayoutRequest& request,
                                          v1::RejectPayoutResponse* response) {
  const Status valid = CheckText("reason", request.reason(), 1, kMaxReason);
  if (!valid.ok()) return Fail(valid.error());
  return Step<v1::RejectPayoutResponse>(
      call, request, "RejectPayout", response,
      [reason = request.reason()](pg::Transaction& tx, PayoutRow& row, const std::string& who,
                                  Time now) { return Reject(tx, row, who, reason, now); });
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::CancelPayoutRequest& request,
                                          v1::CancelPayoutResponse* response) {
  const Status valid = CheckText("reason", request.reason(), 0, kMaxReason);
  if (!valid.ok()) return Fail(valid.error());
  return Step<v1::CancelPayoutResponse>(
      call, request, "CancelPayout", response,
      [reason = request.reason()](pg::Transaction& tx, PayoutRow& row, const std::string&,
                                  Time now) { return Cancel(tx, row, reason, now); });
}

// The vault is asked before the transaction: what it says of a final block stays true.
Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::ResolvePayoutRequest& request,
                                          v1::ResolvePayoutResponse* response) {
  CO_RETURN_IF_ERROR(CheckText("reason", request.reason(), 1, kMaxReason));
  std::function<Result<PayoutRow>(pg::Transaction&)> find =
      [id = request.payout_id()](pg::Transaction& tx) { return FindPayout(tx, id); };
  ASSIGN_OR_CO_RETURN(
      const PayoutRow seen,
      co_await database_.Transact(
          {.name = "read", .idempotent = true, .access = pg::Access::kReadOnly}, std::move(find)));
  ASSIGN_OR_CO_RETURN(const VaultWord word, co_await vaults_.Paid(seen.chain, seen.payout_id));
  PayoutStep step = [word, reason = request.reason()](pg::Transaction& tx, PayoutRow& row,
                                                      const std::string&, Time now) {
    return Resolve(tx, row, word, reason, now);
  };
  co_return co_await Step<v1::ResolvePayoutResponse>(call, request, "ResolvePayout", response,
                                                     std::move(step));
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::GetPayoutRequest& request,
                                          v1::GetPayoutResponse* response) {
  call.AddLogField("payout_id", request.payout_id());
  std::function<Result<v1::GetPayoutResponse>(pg::Transaction&)> read =
      [id = request.payout_id()](pg::Transaction& tx) -> Result<v1::GetPayoutResponse> {
    v1::GetPayoutResponse out;
    ASSIGN_OR_RETURN(const PayoutRow row, FindPayout(tx, id));
    *out.mutable_payout() = LoadPayoutMessage(tx, row);
    return out;
  };
  co_return co_await Read(response, std::move(read));
}

Task<Status> PayoutService::Handlers::Run(rpc::Call& call, const v1::ListPayoutsRequest& request,
                                          v1::ListPayoutsResponse* response) {
  PayoutFilter filter{request.merchant_id(), {}, request.payment_id()};
  std::string scope = call.method() + "|" + filter.merchant_id + "|" + filter.payment_id;
  for (const int number : request.states()) {
    const auto state = FromMessage(static_cast<v1::PayoutState>(number));
    if (!state) co_return Error::InvalidField("states", "has an unknown state");
    filter.states.emplace_back(PayoutStateName(*state));
    scope += "|" + filter.states.back();
  }
  ASSIGN_OR_CO_RETURN(const int size, rpc::PageSize(request.page_size()));
  ASSIGN_OR_CO_RETURN(const std::int64_t before, Position(pages_, scope, request.page_token()));
  std::function<Result<v1::ListPayoutsResponse>(pg::Transaction&)> read =
      [this, scope, size, before, filter](pg::Transaction& tx) -> Result<v1::ListPayoutsResponse> {
    v1::ListPayoutsResponse out;
    auto rows = ListPayoutRows(tx, filter, before, size + 1);
    out.set_next_page_token(pages_.Encode(scope, CutPage(rows, size)));
    for (const PayoutRow& row : rows) *out.add_payouts() = LoadPayoutMessage(tx, row);
    return out;
  };
  co_return co_await Read(response, std::move(read));
}

PayoutService::PayoutService(rpc::CallRunner& runner, pg::Database& database,
                             const runtime::ChainsConfig& chains, const runtime::Clock& clock,
                             runtime::IdSource& ids, const rpc::PageTokens& pages,
                             VaultRecord& vaults, PayoutServiceOptions options)
    : runner_(runner),
      handlers_(std::make_unique<Handlers>(database, chains, clock, ids, pages, vaults,
                                           std::move(options))) {}
PayoutService::~PayoutService() = default;

// Each method of the contract is its handler under rpc::Unary.
#define PAYMESH_PAYOUT_METHOD(Name)                                                               \
  grpc::ServerUnaryReactor* PayoutService::Name(grpc::CallbackServerContext* context,             \
                                                const v1::Name##Request* request,                 \
                                                v1::Name##Response* response) {                   \
    return rpc::Unary(runner_, context, request, response,                                        \
                      [this](rpc::Call& call, const v1::Name##Request& in,                        \
                             v1::Name##Response* out) { return handlers_->Run(call, in, out); }); \
  }
PAYMESH_PAYOUT_METHOD(CreatePayoutDestination)
PAYMESH_PAYOUT_METHOD(ApprovePayoutDestination)
PAYMESH_PAYOUT_METHOD(ListPayoutDestinations)
PAYMESH_PAYOUT_METHOD(SetPayoutPlan)
PAYMESH_PAYOUT_METHOD(ListPayoutPlans)
PAYMESH_PAYOUT_METHOD(CreatePayout)
PAYMESH_PAYOUT_METHOD(ApprovePayout)
PAYMESH_PAYOUT_METHOD(RejectPayout)
PAYMESH_PAYOUT_METHOD(CancelPayout)
PAYMESH_PAYOUT_METHOD(ResolvePayout)
PAYMESH_PAYOUT_METHOD(GetPayout)
PAYMESH_PAYOUT_METHOD(ListPayouts)
#undef PAYMESH_PAYOUT_METHOD

}  // namespace paymesh::settlement
