// Bytes as hexadecimal text and back. Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace paymesh {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";
inline constexpr std::string_view kUpperHexDigits = "0123456789ABCDEF";

enum class HexCase { kAny, kLower };

// The value of each character that is a hexadecimal digit, -1 of the others.
template <HexCase letters>
inline constexpr std::array<std::int8_t, 256> kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t value = 0; value < 16; ++value) {
    values[static_cast<unsigned char>(kHexDigits[value])] = static_cast<std::int8_t>(value);
    if (letters == HexCase::kAny) {
      values[static_cast<unsigned char>(kUpperHexDigits[value])] = static_cast<std::int8_t>(value);
    }
  }
  return values;
}();

template <HexCase letters = HexCase::kAny>
constexpr int HexValue(char digit) {
  return kHexValues<letters>[static_cast<unsigned char>(digit)];
}

constexpr void AppendHex(std::string& text, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) {
    text.push_back(kHexDigits[byte >> 4]);
    text.push_back(kHexDigits[byte & 15]);
  }
}

// In lower case, without a prefix.
inline std::string ToHex(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  AppendHex(text, bytes);
  return text;
}

// Fills `bytes` from twice as many digits; false when there are not as many or one is no digit, and
// then `bytes` holds nothing of use.
template <HexCase letters = HexCase::kAny>
constexpr bool FromHex(std::string_view text, std::span<std::uint8_t> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  int seen = 0;  // below 0 once a character was no digit
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexValue<letters>(text[2 * i]);
    const int low = HexValue<letters>(text[2 * i + 1]);
    seen |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return seen >= 0;
}

}  // namespace paymesh
