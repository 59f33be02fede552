#include "services/payctl/message_text.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <cctype>

#include "common/money/decimal.h"
#include "common/money/unit.h"

namespace paymesh::payctl {
namespace {

namespace pb = google::protobuf;

// PaymentState -> "PAYMENT_STATE_".
std::string PrefixOf(const pb::EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isupper(byte) && !prefix.empty()) prefix += '_';
    prefix += static_cast<char>(std::toupper(byte));
  }
  return prefix + "_";
}

std::string ShortName(const pb::EnumDescriptor& type, const std::string& name) {
  const std::string prefix = PrefixOf(type);
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

}  // namespace

std::string ToJson(const pb::Message& message, JsonStyle style) {
  pb::util::JsonPrintOptions options;
  options.add_whitespace = style == JsonStyle::kPretty;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!pb::util::MessageToJsonString(message, &text, options).ok()) return "{}\n";
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

std::string TimeText(const pb::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "";
  return pb::util::TimeUtil::ToString(time);
}

Result<pb::Timestamp> ParseTimeOption(std::string_view option, const std::string& text) {
  pb::Timestamp time;
  if (pb::util::TimeUtil::FromString(text, &time)) return time;
  return Error::InvalidField(std::string(option),
                             "\"" + text + "\" is no time such as 2026-01-31T12:00:00Z");
}

std::string EnumText(const pb::EnumDescriptor& type, int value) {
  const pb::EnumValueDescriptor* named = type.FindValueByNumber(value);
  return named == nullptr ? std::to_string(value) : ShortName(type, named->name());
}

Result<int> ParseEnum(const pb::EnumDescriptor& type, std::string_view option,
                      std::string_view text) {
  std::string wanted(text);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  std::string known;
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string name = ShortName(type, type.value(i)->name());
    if (name == wanted) return type.value(i)->number();
    known += (known.empty() ? "" : ", ") + name;
  }
  return Error::InvalidField(std::string(option),
                             "\"" + std::string(text) + "\" is none of " + known);
}

std::string AmountText(const paymesh::type::v1::Amount& amount, const TokenLooks& looks) {
  if (amount.unit().empty()) return "";
  const Result<U256> value = U256::FromDecimal(amount.value());
  if (!value.ok()) return RawAmountText(amount);
  const auto look = looks.find(amount.unit());
  if (look != looks.end()) {
    return FormatMajor(*value, look->second.decimals) + " " + look->second.symbol;
  }
  const Result<Unit> unit = Unit::Parse(amount.unit());
  if (unit.ok() && unit->IsFiat()) {
    return FormatMajor(*value, unit->exponent().value_or(0)) + " " + std::string(unit->currency());
  }
  constexpr unsigned kEtherDecimals = 18;
  if (unit.ok() && unit->native_chain()) return FormatMajor(*value, kEtherDecimals) + " native";
  return RawAmountText(amount);
}

std::string RawAmountText(const paymesh::type::v1::Amount& amount) {
  if (amount.unit().empty()) return "";
  return amount.value() + " " + amount.unit();
}

}  // namespace paymesh::payctl
