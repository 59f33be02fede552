#include "services/routing/domain/decision.h"

#include <algorithm>
#include <tuple>

#include "services/routing/reasons.h"

namespace paymesh::routing {
namespace {

using std::chrono::milliseconds;

const ChainFacts* FindChain(const MarketFacts& market, const Unit& unit) {
  for (const ChainFacts& chain : market.chains) {
    if (unit.asset() && unit.asset()->chain().ToString() == chain.chain) return &chain;
  }
  return nullptr;
}

const TokenFacts* FindToken(const ChainFacts& chain, const Unit& unit) {
  for (const TokenFacts& token : chain.tokens) {
    if (token.unit == unit) return &token;
  }
  return nullptr;
}

milliseconds ConfirmTime(const ChainFacts& chain, Policy policy) {
  switch (policy) {
    case Policy::kIncluded:
      return chain.block_time;
    case Policy::kSafe:
      return chain.block_time + chain.safe_time;
    case Policy::kFinalized:
      return chain.block_time + chain.finalized_time;
  }
  return chain.finalized_time;
}

Rejection Reject(const Unit& unit, std::string_view code, std::string detail) {
  return {unit, std::string(code), std::move(detail)};
}

// Whether the chain can be relied on now; the rejection otherwise.
std::optional<Rejection> CheckChain(const ChainFacts& chain, const Unit& unit, const Limits& limits,
                                    Time now) {
  if (chain.halted) return Reject(unit, reasons::kChainHalted, chain.status_reason);
  if (now - chain.observe_time > limits.max_observation_age) {
    return Reject(unit, reasons::kChainDegraded, "the watcher has not been heard of lately");
  }
  if (!chain.following) {
    return Reject(
        unit, reasons::kChainDegraded,
        chain.status_reason.empty() ? "not at the head of the chain" : chain.status_reason);
  }
  if (chain.node_head_number > chain.head_number + limits.max_lag_blocks) {
    return Reject(unit, reasons::kChainDegraded,
                  std::to_string(chain.node_head_number - chain.head_number) + " blocks behind");
  }
  return std::nullopt;
}

// What is due in the token, rounded up so that the payer never pays less than the price.
Result<std::pair<Amount, std::optional<UsableRate>>> Quote(const PaymentFacts& facts,
                                                           const TokenFacts& token,
                                                           const RateTable& rates, Time now) {
  using Quoted = std::pair<Amount, std::optional<UsableRate>>;
  if (!facts.price.unit.IsFiat()) {
    if (facts.price.unit == token.unit) return Quoted{facts.price, std::nullopt};
    return Error::FailedPrecondition(std::string(reasons::kRateUnavailable),
                                     "a price in a token is paid in that very token");
  }
  ASSIGN_OR_RETURN(UsableRate rate,
                   rates.Find(facts.price.unit.currency(), facts.price.unit.exponent().value_or(0),
                              token.currency, token.decimals, now));
  ASSIGN_OR_RETURN(Amount due, Convert(facts.price, rate.rate, token.unit, Rounding::kUp));
  return Quoted{due, rate};
}

Result<Cost> GasCost(const ChainFacts& chain, std::string kind, Bearer bearer, std::uint64_t gas) {
  const auto wei = CheckedMul(chain.max_fee_per_gas, U256(gas));
  if (!wei) return Error::Internal("absurd gas price");
  return Cost{std::move(kind), bearer, Amount{chain.native, *wei}};
}

// Time is what a payer feels: a basis point for each second to confirmation, at most 9,000.
std::int64_t Score(milliseconds confirm_time) {
  const auto seconds = (confirm_time.count() + 999) / 1000;
  return 10'000 - std::min<std::int64_t>(seconds, 9'000);
}

struct Candidate {
  std::optional<Option> option;
  std::optional<Rejection> rejection;
};

Candidate Consider(const PaymentFacts& facts, const Unit& unit, const MarketFacts& market,
                   const Limits& limits, Time now) {
  const ChainFacts* chain = FindChain(market, unit);
  const TokenFacts* token = chain ? FindToken(*chain, unit) : nullptr;
  if (token == nullptr)
    return {{}, Reject(unit, reasons::kTokenUnknown, "no chain lists this token")};
  if (!token->accepted) {
    return {
        {},
        Reject(unit, reasons::kTokenNotAccepted, token->symbol + " is recognised, not offered")};
  }
  if (auto bad = CheckChain(*chain, unit, limits, now)) return {{}, bad};
  const milliseconds confirm = ConfirmTime(*chain, facts.policy);
  if (now + confirm >= facts.expire_time) {
    return {{},
            Reject(unit, reasons::kFinalityTooSlow, "it would confirm after the payment expires")};
  }
  auto quoted = Quote(facts, *token, market.rates, now);
  if (!quoted.ok()) return {{}, Reject(unit, quoted.error().reason, quoted.error().message)};
  if (quoted->first.IsZero())
    return {{}, Reject(unit, reasons::kAmountTooSmall, "nothing would be due")};

  Option option{
      .unit = unit, .chain = chain->chain, .amount = quoted->first, .rate = quoted->second};
  for (auto [kind, bearer, gas] : {std::tuple("payer_gas", Bearer::kPayer, kPayerGas),
                                   std::tuple("sweep_gas", Bearer::kPlatform, kSweepGas),
                                   std::tuple("payout_gas", Bearer::kPlatform, kPayoutGas)}) {
    auto cost = GasCost(*chain, kind, bearer, gas);
    if (!cost.ok()) return {{}, Reject(unit, reasons::kChainDegraded, "absurd gas price")};
    option.costs.push_back(*std::move(cost));
  }
  option.confirm_time = confirm;
  option.finalize_time = ConfirmTime(*chain, Policy::kFinalized);
  option.quote_expire_time = std::min(facts.expire_time, now + limits.quote_validity);
  option.score_basis_points = Score(confirm);
  if (facts.price.unit == unit) {
    option.reasons.push_back("SAME_TOKEN");
  } else if (facts.price.unit.currency() == token->currency) {
    option.reasons.push_back("SAME_CURRENCY");
  } else {
    option.reasons.push_back("CONVERTED");
  }
  return {option, {}};
}

// Conversion risk last: among equals the price's own currency comes first.
int ReasonOrder(const Option& option) {
  const std::string& reason = option.reasons.front();
  return reason == "SAME_TOKEN" ? 0 : reason == "SAME_CURRENCY" ? 1 : 2;
}

void Rank(std::vector<Option>& options) {
  auto key = [](const Option& option) {
    return std::tuple(-option.score_basis_points, option.costs.front().amount.value,
                      ReasonOrder(option), option.unit.ToString());
  };
  std::sort(options.begin(), options.end(),
            [&](const Option& a, const Option& b) { return key(a) < key(b); });
  if (options.empty()) return;
  const auto fastest = options.front().confirm_time;
  const U256 cheapest =
      std::min_element(options.begin(), options.end(),
                       [](const Option& a, const Option& b) {
                         return a.costs.front().amount.value < b.costs.front().amount.value;
                       })
          ->costs.front()
          .amount.value;
  int rank = 0;
  for (Option& option : options) {
    option.rank = ++rank;
    if (option.confirm_time == fastest) option.reasons.push_back("CONFIRMS_FASTEST");
    if (option.costs.front().amount.value == cheapest) option.reasons.push_back("CHEAPEST_GAS");
  }
}

}  // namespace

Decision Decide(const PaymentFacts& facts, const MarketFacts& market, const Limits& limits,
                Time now) {
  Decision decision;
  std::vector<Unit> units = facts.accepted_units;
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  for (const Unit& unit : units) {
    Candidate candidate = Consider(facts, unit, market, limits, now);
    if (candidate.option) decision.options.push_back(*std::move(candidate.option));
    if (candidate.rejection) decision.rejected.push_back(*std::move(candidate.rejection));
  }
  Rank(decision.options);
  return decision;
}

}  // namespace paymesh::routing
