#include "services/routing/convert.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <openssl/sha.h>

#include <algorithm>

namespace paymesh::routing {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kMaxUnits = 100;
constexpr std::size_t kMaxIdLength = 64;

milliseconds FromDuration(const google::protobuf::Duration& duration) {
  return milliseconds(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

google::protobuf::Duration ToDuration(milliseconds time) {
  google::protobuf::Duration out;
  out.set_seconds(time.count() / 1000);
  out.set_nanos(static_cast<std::int32_t>(time.count() % 1000) * 1'000'000);
  return out;
}

Result<Policy> FromProto(type::v1::Finality finality, const std::string& field) {
  switch (finality) {
    case type::v1::FINALITY_INCLUDED:
      return Policy::kIncluded;
    case type::v1::FINALITY_SAFE:
      return Policy::kSafe;
    case type::v1::FINALITY_FINALIZED:
      return Policy::kFinalized;
    default:
      return Error::InvalidField(field, "must be INCLUDED, SAFE or FINALIZED");
  }
}

void ToProto(const Amount& amount, type::v1::Amount* out) {
  out->set_unit(amount.unit.ToString());
  out->set_value(amount.value.ToString());
}

// Maps would serialise in any order; these messages have none, so this is canonical.
std::string Serialize(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string HexSha256(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  std::string text;
  for (unsigned char byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

bool IsId(const std::string& text, std::string_view prefix) {
  return text.starts_with(prefix) && text.size() > prefix.size() && text.size() <= kMaxIdLength &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

}  // namespace

google::protobuf::Timestamp ToTimestamp(Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp out;
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(static_cast<std::int32_t>((time - seconds).count()) * 1000);
  return out;
}

Result<PaymentFacts> FromProto(const pb::DecisionFacts& facts, const std::string& prefix) {
  if (!IsId(facts.payment_id(), "pay_")) {
    return Error::InvalidField(prefix + "payment_id", "must be a payment's id, pay_…");
  }
  if (!IsId(facts.merchant_id(), "mer_")) {
    return Error::InvalidField(prefix + "merchant_id", "must be a merchant's id, mer_…");
  }
  auto price = Amount::Parse(facts.price().unit(), facts.price().value());
  if (!price.ok()) return Error::InvalidField(prefix + "price", price.error().message);
  if (price->IsZero()) return Error::InvalidField(prefix + "price.value", "must be above zero");
  const auto count = static_cast<std::size_t>(facts.accepted_units_size());
  if (count < 1 || count > kMaxUnits) {
    return Error::InvalidField(prefix + "accepted_units", "must have 1 to 100 entries");
  }
  ASSIGN_OR_RETURN(Policy policy,
                   FromProto(facts.confirmation_policy(), prefix + "confirmation_policy"));
  const auto& expire = facts.expire_time();
  if (expire.seconds() <= 0 || expire.seconds() > 253'402'300'799 || expire.nanos() < 0 ||
      expire.nanos() > 999'999'999) {
    return Error::InvalidField(prefix + "expire_time", "must be a time");
  }
  PaymentFacts out{
      .payment_id = facts.payment_id(),
      .merchant_id = facts.merchant_id(),
      .price = *price,
      .accepted_units = {},
      .policy = policy,
      .expire_time = Time(microseconds(expire.seconds() * 1'000'000 + expire.nanos() / 1000))};
  for (int i = 0; i < facts.accepted_units_size(); ++i) {
    auto unit = Unit::Parse(facts.accepted_units(i));
    if (!unit.ok() || !unit->asset()) {
      return Error::InvalidField(prefix + "accepted_units[" + std::to_string(i) + "]",
                                 "must be a token's unit");
    }
    out.accepted_units.push_back(*unit);
  }
  return out;
}

std::optional<ChainFacts> FromProto(const watcher::v1::Chain& chain, const U256& max_fee_per_gas,
                                    Time observe_time) {
  auto id = ChainId::Parse(chain.chain());
  if (!id.ok()) return std::nullopt;
  ChainFacts out{.chain = chain.chain(), .native = Unit::Native(*id)};
  out.halted = chain.state() == watcher::v1::CHAIN_STATE_HALTED;
  out.following = chain.state() == watcher::v1::CHAIN_STATE_FOLLOWING;
  out.status_reason = chain.status_reason();
  out.head_number = chain.head_block().number();
  out.node_head_number = chain.node_head_number();
  out.observe_time = observe_time;
  out.block_time = FromDuration(chain.block_time());
  out.safe_time = FromDuration(chain.safe_time());
  out.finalized_time = FromDuration(chain.finalized_time());
  out.max_fee_per_gas = max_fee_per_gas;
  for (const auto& token : chain.tokens()) {
    auto unit = Unit::Parse(token.unit());
    if (!unit.ok()) return std::nullopt;
    out.tokens.push_back(
        {*unit, token.symbol(), token.decimals(), token.currency(), token.accepted()});
  }
  return out;
}

void ToProto(const UsableRate& rate, const Unit& base, const Unit& quote, type::v1::Rate* out) {
  out->set_base_unit(base.ToString());
  out->set_quote_unit(quote.ToString());
  out->set_numerator(rate.rate.numerator().ToString());
  out->set_denominator(rate.rate.denominator().ToString());
  out->set_source(rate.source);
  *out->mutable_observe_time() = ToTimestamp(rate.observe_time);
}

void ToProto(const Decision& decision, const PaymentFacts& facts, pb::Decision* out) {
  for (const Option& option : decision.options) {
    pb::DecisionOption& to = *out->add_options();
    to.set_unit(option.unit.ToString());
    to.set_chain(option.chain);
    ToProto(option.amount, to.mutable_amount());
    if (option.rate) ToProto(*option.rate, facts.price.unit, option.unit, to.mutable_rate());
    for (const Cost& cost : option.costs) {
      pb::Cost& each = *to.add_costs();
      each.set_kind(cost.kind);
      each.set_bearer(cost.bearer == Bearer::kPayer ? pb::COST_BEARER_PAYER
                                                    : pb::COST_BEARER_PLATFORM);
      ToProto(cost.amount, each.mutable_amount());
    }
    *to.mutable_confirm_time() = ToDuration(option.confirm_time);
    *to.mutable_finalize_time() = ToDuration(option.finalize_time);
    to.set_rank(option.rank);
    for (const std::string& reason : option.reasons) to.add_reasons(reason);
    *to.mutable_quote_expire_time() = ToTimestamp(option.quote_expire_time);
    to.set_score_basis_points(option.score_basis_points);
  }
  for (const Rejection& rejection : decision.rejected) {
    pb::RejectedCandidate& to = *out->add_rejected();
    to.set_unit(rejection.unit.ToString());
    to.set_code(rejection.code);
    to.set_detail(rejection.detail);
  }
}

std::string FactsHash(const pb::DecisionFacts& facts) { return HexSha256(Serialize(facts)); }

std::string DecisionHash(const pb::Decision& decision, const MarketFacts& market) {
  std::string bytes = Serialize(decision);
  for (const ChainFacts& chain : market.chains) {
    bytes += chain.chain + "|" + std::to_string(chain.halted) + std::to_string(chain.following) +
             "|" + std::to_string(chain.head_number) + "|" +
             std::to_string(chain.node_head_number) + "|" + chain.max_fee_per_gas.ToString() + "\n";
  }
  for (const RateEntry& entry : market.rates.entries()) {
    bytes += entry.base + entry.quote + entry.rate.ToString() + entry.source + "\n";
  }
  return HexSha256(bytes);
}

}  // namespace paymesh::routing
