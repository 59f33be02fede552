#include "services/routing/api/routing_service.h"

namespace paymesh::routing {
namespace {
constexpr int kMaxBatch = 500;
}  // namespace

grpc::ServerUnaryReactor* RoutingService::Decide(grpc::CallbackServerContext* context,
                                                 const pb::DecideRequest* request,
                                                 pb::DecideResponse* response) {
  return rpc::Unary(runner_, context, request, response,
                    [this](auto&&... args) { return DoDecide(args...); });
}

grpc::ServerUnaryReactor* RoutingService::GetDecision(grpc::CallbackServerContext* context,
                                                      const pb::GetDecisionRequest* request,
                                                      pb::GetDecisionResponse* response) {
  return rpc::Unary(runner_, context, request, response,
                    [this](auto&&... args) { return DoGetDecision(args...); });
}

grpc::ServerUnaryReactor* RoutingService::GetRate(grpc::CallbackServerContext* context,
                                                  const pb::GetRateRequest* request,
                                                  pb::GetRateResponse* response) {
  return rpc::Unary(runner_, context, request, response,
                    [this](auto&&... args) { return DoGetRate(args...); });
}

Task<Status> RoutingService::DoDecide(rpc::Call&, const pb::DecideRequest& request,
                                      pb::DecideResponse* response) {
  if (request.facts_size() < 1 || request.facts_size() > kMaxBatch) {
    co_return Error::InvalidField("facts", "must have 1 to 500 entries");
  }
  std::vector<pb::DecisionFacts> facts(request.facts().begin(), request.facts().end());
  auto decided = co_await decider_.Decide(std::move(facts));
  if (!decided.ok()) co_return decided.error();
  for (auto& each : *decided) {
    pb::DecisionResult& result = *response->add_results();
    if (each.ok()) {
      *result.mutable_decision() = *std::move(each);
    } else {
      result.mutable_error()->set_reason(each.error().reason);
      result.mutable_error()->set_message(each.error().message);
    }
  }
  co_return Status();
}

Task<Status> RoutingService::DoGetDecision(rpc::Call&, const pb::GetDecisionRequest& request,
                                           pb::GetDecisionResponse* response) {
  if (request.decision_id().empty() == request.payment_id().empty()) {
    co_return Error::InvalidField("decision_id", "give one of decision_id and payment_id");
  }
  auto decision = co_await decider_.Get(request.decision_id(), request.payment_id());
  if (!decision.ok()) co_return decision.error();
  *response->mutable_decision() = *std::move(decision);
  co_return Status();
}

Task<Status> RoutingService::DoGetRate(rpc::Call&, const pb::GetRateRequest& request,
                                       pb::GetRateResponse* response) {
  auto base = Unit::Parse(request.base_unit());
  if (!base.ok()) co_return Error::InvalidField("base_unit", base.error().message);
  auto quote = Unit::Parse(request.quote_unit());
  if (!quote.ok()) co_return Error::InvalidField("quote_unit", quote.error().message);
  auto rate = decider_.GetRate(*base, *quote);
  if (!rate.ok()) co_return rate.error();
  ToProto(*rate, *base, *quote, response->mutable_rate());
  co_return Status();
}

}  // namespace paymesh::routing
