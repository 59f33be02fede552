#include "common/money/address_text.h"

#include <cryptopp/keccak.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace paymesh {
namespace {

constexpr std::size_t kDigits = 40;

bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
char ToLower(char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsUpperLetter(char c) { return c >= 'A' && c <= 'F'; }
bool IsLowerLetter(char c) { return c >= 'a' && c <= 'f'; }

}  // namespace

Result<std::string> NormaliseAddress(std::string_view text) {
  if (text.size() != 2 + kDigits || !text.starts_with("0x")) {
    return Error::InvalidArgument("INVALID_ADDRESS", "an address is 0x and 40 hex digits");
  }
  std::string lower(text);
  std::transform(lower.begin() + 2, lower.end(), lower.begin() + 2, ToLower);
  if (!std::all_of(lower.begin() + 2, lower.end(), IsLowerHex)) {
    return Error::InvalidArgument("INVALID_ADDRESS", "has a character that is not hex");
  }
  const std::string_view digits = text.substr(2);
  const bool mixed = std::any_of(digits.begin(), digits.end(), IsUpperLetter) &&
                     std::any_of(digits.begin(), digits.end(), IsLowerLetter);
  if (mixed && ChecksumAddress(lower) != text) {
    return Error::InvalidArgument("INVALID_ADDRESS",
                                  "the EIP-55 checksum is wrong: a digit may be mistyped");
  }
  return lower;
}

std::string ChecksumAddress(std::string_view lower_case) {
  std::string text(lower_case);
  std::array<std::uint8_t, 32> hash{};
  CryptoPP::Keccak_256 keccak;
  keccak.Update(reinterpret_cast<const std::uint8_t*>(text.data()) + 2, text.size() - 2);
  keccak.Final(hash.data());
  for (std::size_t i = 0; i < kDigits && i + 2 < text.size(); ++i) {
    const unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 0xfu;
    char& c = text[i + 2];
    if (nibble >= 8 && IsLowerLetter(c)) c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace paymesh
