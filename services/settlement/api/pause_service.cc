#include "services/settlement/api/pause_service.h"

#include <utility>

#include "common/pg/audit.h"
#include "services/settlement/api/ledger_convert.h"
#include "services/settlement/api/mutate.h"

namespace paymesh::settlement {
namespace {

constexpr int kMaxPauses = 1'000;

Status CheckReason(const std::string& reason) {
  if (reason.empty() || reason.size() > 500) {
    return Error::InvalidField("reason", "must have 1 to 500 characters");
  }
  return {};
}

}  // namespace

Task<Status> PauseServiceApi::DoPause(rpc::Call& call, const v1::PausePayoutsRequest& request,
                                      v1::PausePayoutsResponse* response) {
  ASSIGN_OR_CO_RETURN(PauseRow row, FromProto(request.scope()));
  CO_RETURN_IF_ERROR(CheckReason(request.reason()));
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call, request));
  row.reason = request.reason();
  row.creator = call.principal().name;
  auto act = [row](pg::Transaction& tx) -> Result<v1::PausePayoutsResponse> {
    v1::PausePayoutsResponse answer;
    ToProto(PutPause(tx, row), answer.mutable_pause());
    pg::Audit(tx, row.creator, "PausePayouts",
              std::string(PauseKindName(row.kind)) + ":" + row.value);
    return answer;
  };
  auto run = Mutate<v1::PausePayoutsResponse>(database_, in_flight_, std::move(key), std::move(act),
                                              response);
  co_return co_await std::move(run);
}

Task<Status> PauseServiceApi::DoResume(rpc::Call& call, const v1::ResumePayoutsRequest& request,
                                       v1::ResumePayoutsResponse* response) {
  ASSIGN_OR_CO_RETURN(PauseRow row, FromProto(request.scope()));
  CO_RETURN_IF_ERROR(CheckReason(request.reason()));
  ASSIGN_OR_CO_RETURN(pg::IdempotencyKey key, KeyOf(call, request));
  row.creator = call.principal().name;
  auto act = [row](pg::Transaction& tx) -> Result<v1::ResumePayoutsResponse> {
    DropPause(tx, row.kind, row.value, false);
    pg::Audit(tx, row.creator, "ResumePayouts",
              std::string(PauseKindName(row.kind)) + ":" + row.value);
    return v1::ResumePayoutsResponse();
  };
  auto run = Mutate<v1::ResumePayoutsResponse>(database_, in_flight_, std::move(key),
                                               std::move(act), response);
  co_return co_await std::move(run);
}

Task<Status> PauseServiceApi::DoList(rpc::Call&, const v1::ListPausesRequest&,
                                     v1::ListPausesResponse* response) {
  const pg::TransactOptions options{.name = "list_pauses", .access = pg::Access::kReadOnly};
  auto work = [](pg::Transaction& tx) -> Result<std::vector<PauseRow>> {
    return ListPauseRows(tx, kMaxPauses);
  };
  auto run = database_.Transact(options, work);
  const Result<std::vector<PauseRow>> rows = co_await std::move(run);
  if (!rows.ok()) co_return rows.error();
  for (const PauseRow& row : *rows) ToProto(row, response->add_pauses());
  co_return Status();
}

grpc::ServerUnaryReactor* PauseServiceApi::PausePayouts(grpc::CallbackServerContext* context,
                                                        const v1::PausePayoutsRequest* request,
                                                        v1::PausePayoutsResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoPause(args...); });
}
grpc::ServerUnaryReactor* PauseServiceApi::ResumePayouts(grpc::CallbackServerContext* context,
                                                         const v1::ResumePayoutsRequest* request,
                                                         v1::ResumePayoutsResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoResume(args...); });
}
grpc::ServerUnaryReactor* PauseServiceApi::ListPauses(grpc::CallbackServerContext* context,
                                                      const v1::ListPausesRequest* request,
                                                      v1::ListPausesResponse* response) {
  return rpc::Unary(calls_, context, request, response,
                    [this](auto&&... args) { return DoList(args...); });
}

}  // namespace paymesh::settlement
