// Numbers in page tokens. Pure; any thread.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "common/error/error.h"

namespace paymesh::settlement {

// 0 for the empty text: the first page.
inline Result<std::int64_t> ParsePosition(const std::string& text) {
  if (text.empty()) return std::int64_t{0};
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error != std::errc() || end != text.data() + text.size() || position < 0) {
    return Error::InvalidArgument("INVALID_PAGE_TOKEN", "the page token is not one of ours");
  }
  return position;
}

// A filter of a list: an id or a unit.
inline Status CheckFilter(const std::string& value, const char* field) {
  constexpr std::size_t kMaxFilter = 512;
  if (value.size() > kMaxFilter) return Error::InvalidField(field, "is too long");
  return {};
}

}  // namespace paymesh::settlement
