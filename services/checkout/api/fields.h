// Checks of request fields, each answering INVALID_ARGUMENT with the field's path. Pure functions;
// any thread.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/map.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/config/chains.h"
#include "common/error/error.h"
#include "common/money/amount.h"
#include "paymesh/checkout/v1/merchant_service.pb.h"
#include "paymesh/type/v1/type.pb.h"
#include "services/checkout/domain/merchant.h"

namespace paymesh::checkout {

inline constexpr std::size_t kMaxReference = 200;  // characters of a merchant's reference

struct TextRule {
  std::string_view field;
  std::size_t min_characters = 0;
  std::size_t max_characters = 0;
};
// UTF-8 without control characters other than line feed and tab.
Status CheckText(std::string_view text, const TextRule& rule);
// "pay_" and the form of our ids; a foreign form is NOT_FOUND to its caller, not a bad field.
bool LooksLikeId(std::string_view id, std::string_view prefix);

Status CheckMetadata(const google::protobuf::Map<std::string, std::string>& metadata);

// A currency or a listed token, above zero, at most 10^30 minor units.
Result<Amount> CheckPrice(const paymesh::type::v1::Amount& price,
                          const runtime::ChainsConfig& chains);

// 1 minute to 7 days, whole seconds; absent: `otherwise`.
Result<std::chrono::seconds> CheckTimeToLive(const google::protobuf::Duration* duration,
                                             std::chrono::seconds otherwise);
Result<Time> CheckTime(const google::protobuf::Timestamp& time, std::string_view field);

// A listed, offered token's unit.
Result<Unit> CheckListedToken(const std::string& text, const runtime::ChainsConfig& chains,
                              const std::string& field);
Result<FeePlan> CheckFeePlan(const v1::FeePlan& plan, const runtime::ChainsConfig& chains);

}  // namespace paymesh::checkout
