#include "services/routing/usecases/decide.h"

#include "services/routing/reasons.h"

namespace paymesh::routing {
namespace {

// A unit's currency and digits as the rate table knows them: a token stands for its peg.
struct Priced {
  std::string currency;
  unsigned exponent = 0;
};

Result<Priced> PricedOf(const Unit& unit, const MarketFacts& market) {
  if (unit.IsFiat()) return Priced{std::string(unit.currency()), unit.exponent().value_or(0)};
  for (const ChainFacts& chain : market.chains) {
    for (const TokenFacts& token : chain.tokens) {
      if (token.unit == unit) return Priced{token.currency, token.decimals};
    }
  }
  return Error::FailedPrecondition(std::string(reasons::kRateUnavailable),
                                   "no chain lists " + unit.ToString());
}

}  // namespace

Decider::Decider(pg::Database& database, const Market& market, const Config& config,
                 const runtime::Clock& clock, runtime::IdSource& ids, runtime::Executor executor,
                 runtime::Metrics& metrics)
    : database_(database),
      market_(market),
      config_(config),
      clock_(clock),
      ids_(ids),
      offered_(metrics.Counter("routing_decisions_total", "Decisions by outcome.",
                               {{"outcome", "offered"}})),
      not_offered_(metrics.Counter("routing_decisions_total", "Decisions by outcome.",
                                   {{"outcome", "no_option"}})),
      stores_(std::move(executor),
              [this](std::vector<Batch> batches) { return Store(std::move(batches)); }) {}

StoredDecision Decider::Make(const pb::DecisionFacts& facts, const PaymentFacts& parsed,
                             const MarketFacts& market) {
  const Time now = clock_.Now();
  pb::Decision decision;
  decision.set_decision_id(ids_.Next("dec"));
  *decision.mutable_facts() = facts;
  ToProto(routing::Decide(parsed, market, config_.limits, now), parsed, &decision);
  *decision.mutable_create_time() = ToTimestamp(now);
  decision.set_engine_version(std::string(kEngineVersion));
  decision.set_decision_hash(DecisionHash(decision, market));
  (decision.options().empty() ? not_offered_ : offered_).Increment();
  return {.decision_id = decision.decision_id(),
          .payment_id = parsed.payment_id,
          .merchant_id = parsed.merchant_id,
          .facts_hash = FactsHash(facts),
          .decision_hash = decision.decision_hash(),
          .option_count = decision.options_size(),
          .rejected_count = decision.rejected_size(),
          .bytes = decision.SerializeAsString(),
          .create_time = now};
}

Task<Result<std::vector<Result<pb::Decision>>>> Decider::Decide(
    std::vector<pb::DecisionFacts> facts) {
  const auto market = market_.Latest();
  if (!market) {
    co_return Error::Unavailable(std::string(reasons::kMarketUnknown),
                                 "the chains have not been heard of yet",
                                 std::chrono::milliseconds(500));
  }
  Batch batch;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    auto parsed = FromProto(facts[i], "facts[" + std::to_string(i) + "].");
    if (!parsed.ok()) co_return parsed.error();
    batch.push_back(Make(facts[i], *parsed, *market));
  }
  std::vector<std::string> hashes;
  for (const StoredDecision& each : batch) hashes.push_back(each.facts_hash);
  Result<Batch> stored = co_await stores_.Submit(std::move(batch));
  if (!stored.ok()) co_return stored.error();

  std::vector<Result<pb::Decision>> out;
  for (std::size_t i = 0; i < stored->size(); ++i) {
    const StoredDecision& each = (*stored)[i];
    pb::Decision decision;
    if (each.facts_hash != hashes[i]) {
      out.push_back(
          Error::AlreadyExists(std::string(reasons::kDecisionExists),
                               "payment " + each.payment_id + " was decided on other facts"));
    } else if (!decision.ParseFromString(each.bytes)) {
      out.push_back(Error::Internal("a stored decision cannot be read"));
    } else {
      out.push_back(std::move(decision));
    }
  }
  co_return out;
}

Task<std::vector<Result<Decider::Batch>>> Decider::Store(std::vector<Batch> batches) {
  auto all = std::make_shared<Batch>();
  for (const Batch& batch : batches) all->insert(all->end(), batch.begin(), batch.end());
  auto work = [all](pg::Transaction& tx) -> Result<Batch> { return InsertDecisions(tx, *all); };
  pg::TransactOptions options{.name = "store decisions", .idempotent = true};
  Result<Batch> stored = co_await database_.Transact(options, std::move(work));
  std::vector<Result<Batch>> out;
  std::size_t next = 0;
  for (const Batch& batch : batches) {
    if (!stored.ok()) {
      out.push_back(stored.error());
      continue;
    }
    const auto begin = stored->begin() + static_cast<std::ptrdiff_t>(next);
    out.push_back(Batch(begin, begin + static_cast<std::ptrdiff_t>(batch.size())));
    next += batch.size();
  }
  co_return out;
}

Task<Result<pb::Decision>> Decider::Get(std::string decision_id, std::string payment_id) {
  auto work = [decision_id, payment_id](pg::Transaction& tx) -> Result<pb::Decision> {
    auto found =
        decision_id.empty() ? FindDecisionOfPayment(tx, payment_id) : FindDecision(tx, decision_id);
    if (!found)
      return Error::NotFound(std::string(reasons::kDecisionNotFound), "there is no such decision");
    pb::Decision decision;
    if (!decision.ParseFromString(found->bytes)) {
      return Error::Internal("a stored decision cannot be read");
    }
    return decision;
  };
  pg::TransactOptions options{
      .name = "get decision", .idempotent = true, .access = pg::Access::kReadOnly};
  co_return co_await database_.Transact(options, std::move(work));
}

Result<UsableRate> Decider::GetRate(const Unit& base, const Unit& quote) const {
  const auto market = market_.Latest();
  if (!market)
    return Error::Unavailable(std::string(reasons::kMarketUnknown),
                              "the chains have not been heard of yet");
  ASSIGN_OR_RETURN(Priced from, PricedOf(base, *market));
  ASSIGN_OR_RETURN(Priced to, PricedOf(quote, *market));
  return market->rates.Find(from.currency, from.exponent, to.currency, to.exponent, clock_.Now());
}

}  // namespace paymesh::routing
