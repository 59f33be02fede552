#include "services/checkout/clients/routing_client.h"

#include <algorithm>
#include <utility>

#include "common/error/status.h"
#include "common/rpc/client/client.h"
#include "paymesh/routing/v1/routing_service.grpc.pb.h"
#include "services/checkout/convert.h"
#include "services/checkout/reasons.h"

namespace paymesh::checkout {
namespace {
namespace routingpb = ::paymesh::routing::v1;

// Of one request's facts. A server of the mesh takes 256 KiB, and the answer, an option for each
// accepted unit, is up to ten times as long and must stay below gRPC's 4 MiB. One member's facts
// are 7 KB at most, with 100 units.
constexpr std::size_t kRequestBytes = 192 * 1024;

routingpb::DecisionFacts ToMessage(const DecisionFacts& facts) {
  routingpb::DecisionFacts out;
  out.set_payment_id(facts.payment_id);
  out.set_merchant_id(facts.merchant_id);
  *out.mutable_price() = ToProto(facts.price);
  for (const Unit& unit : facts.accepted_units) out.add_accepted_units(unit.ToString());
  out.set_confirmation_policy(static_cast<typepb::Finality>(facts.policy));
  *out.mutable_expire_time() = ToProto(facts.expire_time);
  return out;
}

// What one call asks: the next of all facts from `begin` on that `bytes` hold together, at least
// one.
struct Part {
  routingpb::DecideRequest request;
  std::vector<trace::SpanContext> causes;
  std::size_t bytes = 0;
};

Part NextPart(const std::vector<DecisionFacts>& facts, std::size_t begin, std::size_t bytes) {
  Part part;
  for (std::size_t i = begin; i < facts.size(); ++i) {
    routingpb::DecisionFacts message = ToMessage(facts[i]);
    const std::size_t size = message.ByteSizeLong();
    if (i != begin && part.bytes + size > bytes) break;
    part.bytes += size;
    *part.request.add_facts() = std::move(message);
    part.causes.push_back(facts[i].trace);
  }
  return part;
}

class RoutingClient final : public Router {
 public:
  RoutingClient(std::shared_ptr<grpc::ChannelInterface> channel,
                const runtime::ChainsConfig& chains, std::chrono::milliseconds timeout,
                trace::Tracer& tracer)
      : stub_(routingpb::RoutingService::NewStub(std::move(channel))),
        chains_(chains),
        timeout_(timeout),
        tracer_(tracer) {}

  Task<Result<std::vector<Result<Decision>>>> Decide(std::vector<DecisionFacts> facts) override {
    std::vector<Result<Decision>> decisions;
    std::size_t bytes = kRequestBytes;
    while (decisions.size() < facts.size()) {
      Part part = NextPart(facts, decisions.size(), bytes);
      const int asked = part.request.facts_size();
      const rpc::CallOptions options{
          .timeout = timeout_, .tracer = &tracer_, .causes = part.causes};
      auto call = rpc::CallUnary(*stub_->async(), &Async::Decide, std::move(part.request), options);
      Result<routingpb::DecideResponse> answer = co_await std::move(call);
      if (!answer.ok()) {
        if (!rpc::IsMessageTooLarge(answer.error()) || asked == 1) co_return answer.error();
        bytes = part.bytes / 2;
        continue;
      }
      if (answer->results_size() != asked) {
        co_return Error::Internal("routing did not answer each member");
      }
      for (const routingpb::DecisionResult& result : answer->results()) {
        decisions.push_back(FromResult(result));
      }
    }
    co_return decisions;
  }

 private:
  using Async = routingpb::RoutingService::StubInterface::async_interface;

  Result<Decision> FromResult(const routingpb::DecisionResult& result) const {
    if (!result.has_decision()) {
      Error error =
          Error::FailedPrecondition(std::string(reasons::kNoOption), result.error().message());
      error.metadata["cause"] = result.error().reason();
      return error;
    }
    Decision decision{.decision_id = result.decision().decision_id()};
    for (const routingpb::DecisionOption& option : result.decision().options()) {
      ASSIGN_OR_RETURN(Option parsed, FromOption(option));
      decision.options.push_back(std::move(parsed));
      const Time until = FromProto(option.quote_expire_time());
      const bool first = decision.options.size() == 1;
      decision.quote_expire_time = first ? until : std::min(decision.quote_expire_time, until);
    }
    for (const routingpb::RejectedCandidate& rejected : result.decision().rejected()) {
      decision.rejected.push_back({rejected.unit(), rejected.code()});
    }
    return decision;
  }

  Result<Option> FromOption(const routingpb::DecisionOption& option) const {
    Result<Amount> due = FromProto(option.amount(), "amount");
    if (!due.ok()) return Error::Internal("routing answered a malformed amount");
    const auto& asset = due->unit.asset();
    const runtime::TokenConfig* token = asset ? chains_.FindToken(*asset) : nullptr;
    if (token == nullptr || due->IsZero()) {
      return Error::Internal("routing answered a token that is not listed, or nothing to pay");
    }
    Option out{.chain = asset->chain().ToString(), .due = *due};
    if (option.has_rate()) {
      const typepb::Rate& rate = option.rate();
      out.rate = QuotedRate{rate.base_unit(),   rate.quote_unit(), rate.numerator(),
                            rate.denominator(), rate.source(),     FromProto(rate.observe_time())};
    }
    out.rank = option.rank();
    out.reasons.assign(option.reasons().begin(), option.reasons().end());
    out.confirm_time = std::chrono::milliseconds(option.confirm_time().seconds() * 1000 +
                                                 option.confirm_time().nanos() / 1'000'000);
    out.symbol = token->symbol;
    out.decimals = token->decimals;
    return out;
  }

  std::unique_ptr<routingpb::RoutingService::StubInterface> stub_;
  const runtime::ChainsConfig& chains_;
  const std::chrono::milliseconds timeout_;
  trace::Tracer& tracer_;
};

}  // namespace

std::unique_ptr<Router> MakeRoutingClient(std::shared_ptr<grpc::ChannelInterface> channel,
                                          const runtime::ChainsConfig& chains,
                                          std::chrono::milliseconds timeout,
                                          trace::Tracer& tracer) {
  return std::make_unique<RoutingClient>(std::move(channel), chains, timeout, tracer);
}

}  // namespace paymesh::checkout
