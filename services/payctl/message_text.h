// Protobuf messages as text: JSON, times, enums, amounts. Pure; any thread.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <map>
#include <string>
#include <string_view>

#include "common/error/error.h"
#include "paymesh/type/v1/type.pb.h"

namespace paymesh::payctl {

enum class JsonStyle { kLine, kPretty };

// Field names as in the contracts, defaults included, 64-bit integers as strings (proto3 JSON).
std::string ToJson(const google::protobuf::Message& message, JsonStyle style);

// RFC 3339 in UTC, or "" when it is not set.
std::string TimeText(const google::protobuf::Timestamp& time);
// INVALID_FIELD naming the option.
Result<google::protobuf::Timestamp> ParseTimeOption(std::string_view option,
                                                    const std::string& text);

// "SUCCEEDED" of PAYMENT_STATE_SUCCEEDED: without the enum's own name in front. A number that the
// contract does not name is printed as a number.
std::string EnumText(const google::protobuf::EnumDescriptor& type, int value);
template <class E>
std::string EnumText(E value) {
  return EnumText(*google::protobuf::GetEnumDescriptor<E>(), static_cast<int>(value));
}
// Its inverse in any case, "requires-review" too; the unspecified value is refused. INVALID_FIELD
// naming the option and the values that there are.
Result<int> ParseEnum(const google::protobuf::EnumDescriptor& type, std::string_view option,
                      std::string_view text);
template <class E>
Result<E> ParseEnum(std::string_view option, std::string_view text) {
  ASSIGN_OR_RETURN(const int value,
                   ParseEnum(*google::protobuf::GetEnumDescriptor<E>(), option, text));
  return static_cast<E>(value);
}

// How a token is shown.
struct TokenLook {
  std::string symbol;
  unsigned decimals = 0;
};
using TokenLooks = std::map<std::string, TokenLook, std::less<>>;  // by unit

// "12.50 EUR", "12.480000 tUSD"; "1248 caip19/…" for a token that is not in `looks`; "" for none.
std::string AmountText(const paymesh::type::v1::Amount& amount, const TokenLooks& looks);
// "1250 iso4217/EUR".
std::string RawAmountText(const paymesh::type::v1::Amount& amount);

}  // namespace paymesh::payctl
