// Pages of lists (AIP-158): sizes, and tokens that hold a position, opaque to the caller and bound
// by an HMAC to what was asked for. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error/error.h"

namespace paymesh::rpc {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 500;

// 0 -> 50, more than 500 -> 500, negative -> INVALID_ARGUMENT INVALID_FIELD page_size.
Result<int> PageSize(std::int32_t requested);

class PageTokens {
 public:
  // All replicas of a service share the key (at least 16 bytes).
  explicit PageTokens(std::string key);

  // `scope` names everything the position depends on: method, principal's merchant, filter, order.
  // `position` is where the next page starts; an empty one gives an empty token (no more pages).
  std::string Encode(std::string_view scope, std::string_view position) const;
  // The position, empty for an empty token (the first page). INVALID_ARGUMENT INVALID_PAGE_TOKEN
  // for a token that was changed, made for another scope, or made by another key.
  Result<std::string> Decode(std::string_view scope, std::string_view token) const;

 private:
  std::string key_;
};

}  // namespace paymesh::rpc
