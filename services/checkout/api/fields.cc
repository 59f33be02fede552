#include "services/checkout/api/fields.h"

#include "common/runtime/ids.h"
#include "services/checkout/convert.h"

namespace paymesh::checkout {
namespace {

constexpr int kMaxMetadataEntries = 20;
constexpr std::size_t kMaxMetadataKey = 64;
constexpr std::size_t kMaxMetadataValue = 500;
constexpr unsigned kMaxPriceExponent = 30;  // 10^30 minor units: no real price is near it
constexpr std::chrono::seconds kMinTimeToLive{60};
constexpr std::chrono::seconds kMaxTimeToLive{7 * 24 * 3600};
constexpr std::uint32_t kMaxFeeBasisPoints = 10'000;
constexpr int kMaxFixedFees = 100;
// Timestamps of protobuf's own range, 0001-01-01 to 9999-12-31.
constexpr std::int64_t kMinSeconds = -62'135'596'800;
constexpr std::int64_t kMaxSeconds = 253'402'300'799;

// Length of a well-formed UTF-8 sequence at the front of `text`; 0 when it is malformed.
std::size_t Sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && byte(1) > 0x9f) return 0;  // surrogates
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

bool IsControl(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && letter != '\n' && letter != '\t') || byte == 0x7f;
}

}  // namespace

Status CheckText(std::string_view text, const TextRule& rule) {
  const std::string field(rule.field);
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    const std::size_t length = Sequence(text.substr(at));
    if (length == 0) return Error::InvalidField(field, "must be well-formed UTF-8");
    if (length == 1 && IsControl(text[at])) {
      return Error::InvalidField(field, "must have no control characters");
    }
    at += length;
  }
  if (characters < rule.min_characters || characters > rule.max_characters) {
    return Error::InvalidField(field, "must have " + std::to_string(rule.min_characters) + " to " +
                                          std::to_string(rule.max_characters) + " characters");
  }
  return {};
}

bool LooksLikeId(std::string_view id, std::string_view prefix) { return runtime::IsId(id, prefix); }

Status CheckMetadata(const google::protobuf::Map<std::string, std::string>& metadata) {
  if (metadata.size() > static_cast<std::size_t>(kMaxMetadataEntries)) {
    return Error::InvalidField("metadata", "must have at most 20 entries");
  }
  for (const auto& [key, value] : metadata) {
    if (key.empty() || key.size() > kMaxMetadataKey) {
      return Error::InvalidField("metadata", "keys must have 1 to 64 bytes");
    }
    if (value.size() > kMaxMetadataValue) {
      return Error::InvalidField("metadata", "values must have at most 500 bytes");
    }
    RETURN_IF_ERROR(CheckText(key, {"metadata", 1, kMaxMetadataKey}));
    RETURN_IF_ERROR(CheckText(value, {"metadata", 0, kMaxMetadataValue}));
  }
  return {};
}

Result<Amount> CheckPrice(const typepb::Amount& price, const runtime::ChainsConfig& chains) {
  ASSIGN_OR_RETURN(Amount amount, FromProto(price, "price"));
  if (amount.unit.asset() && chains.FindToken(*amount.unit.asset()) == nullptr) {
    return Error::InvalidField("price.unit", "must be a currency or a listed token");
  }
  if (!amount.unit.IsFiat() && !amount.unit.asset()) {
    return Error::InvalidField("price.unit", "must be a currency or a listed token");
  }
  if (amount.IsZero()) return Error::InvalidField("price.value", "must be above zero");
  if (amount.value > *U256::PowerOfTen(kMaxPriceExponent)) {
    return Error::InvalidField("price.value", "must be at most 10^30");
  }
  return amount;
}

Result<std::chrono::seconds> CheckTimeToLive(const google::protobuf::Duration* duration,
                                             std::chrono::seconds otherwise) {
  if (duration == nullptr) return otherwise;
  const std::int64_t seconds = duration->seconds();
  if (duration->nanos() != 0) {
    return Error::InvalidField("time_to_live", "must be whole seconds");
  }
  if (seconds < kMinTimeToLive.count() || seconds > kMaxTimeToLive.count()) {
    return Error::InvalidField("time_to_live", "must be 1 minute to 7 days");
  }
  return std::chrono::seconds(seconds);
}

Result<Time> CheckTime(const google::protobuf::Timestamp& time, std::string_view field) {
  if (time.seconds() < kMinSeconds || time.seconds() > kMaxSeconds || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return Error::InvalidField(std::string(field), "must be a time from year 1 to 9999");
  }
  return FromProto(time);
}

Result<Unit> CheckListedToken(const std::string& text, const runtime::ChainsConfig& chains,
                              const std::string& field) {
  Result<Unit> unit = Unit::Parse(text);
  if (!unit.ok()) return Error::InvalidField(field, unit.error().message);
  const auto& asset = unit->asset();
  const runtime::TokenConfig* token = asset ? chains.FindToken(*asset) : nullptr;
  if (token == nullptr || !token->accepted) {
    return Error::InvalidField(field, "must be the unit of a listed token that is offered");
  }
  return unit;
}

Result<FeePlan> CheckFeePlan(const pb::FeePlan& plan, const runtime::ChainsConfig& chains) {
  if (plan.basis_points() > kMaxFeeBasisPoints) {
    return Error::InvalidField("fee_plan.basis_points", "must be at most 10,000");
  }
  if (plan.fixed_size() > kMaxFixedFees) {
    return Error::InvalidField("fee_plan.fixed", "must have at most 100 entries");
  }
  FeePlan out{.basis_points = plan.basis_points()};
  for (int i = 0; i < plan.fixed_size(); ++i) {
    const std::string field = "fee_plan.fixed[" + std::to_string(i) + "]";
    ASSIGN_OR_RETURN(const Amount fixed, FromProto(plan.fixed(i), field));
    ASSIGN_OR_RETURN(const Unit unit,
                     CheckListedToken(plan.fixed(i).unit(), chains, field + ".unit"));
    if (!out.fixed.emplace(unit, fixed.value).second) {
      return Error::InvalidField(field + ".unit", "must not be named twice");
    }
  }
  return out;
}

}  // namespace paymesh::checkout
