#include "common/rpc/server/page.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "common/base/sha256.h"

namespace paymesh::rpc {
namespace {

constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kMaxTokenBytes = 4096;
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string ToBase64Url(std::string_view bytes) {
  std::string text;
  unsigned buffer = 0;
  int bits = 0;
  for (char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      text += kAlphabet[(buffer >> bits) & 63];
    }
    buffer &= (1U << bits) - 1;
  }
  if (bits > 0) text += kAlphabet[(buffer << (6 - bits)) & 63];
  return text;
}

// The bytes; nothing for a character outside the alphabet.
bool FromBase64Url(std::string_view text, std::string& bytes) {
  unsigned buffer = 0;
  int bits = 0;
  for (char c : text) {
    const char* at = c == '\0' ? nullptr : std::find(kAlphabet, kAlphabet + 64, c);
    if (at == nullptr || at == kAlphabet + 64) return false;
    buffer = (buffer << 6) | static_cast<unsigned>(at - kAlphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>((buffer >> bits) & 0xff);
      buffer &= (1U << bits) - 1;
    }
  }
  // Stray bits or a character too many would make two tokens of one position.
  return buffer == 0 && bits < 6;
}

std::string Mac(const std::string& key, std::string_view scope, std::string_view position) {
  // The length keeps scope and position apart.
  std::string data = std::to_string(scope.size()) + ':';
  data.append(scope).append(position);
  const Sha256Digest digest = HmacSha256(key, data);
  return std::string(reinterpret_cast<const char*>(digest.data()), kMacBytes);
}

}  // namespace

Result<int> PageSize(std::int32_t requested) {
  if (requested < 0) return Error::InvalidField("page_size", "must not be negative");
  if (requested == 0) return kDefaultPageSize;
  return std::min(requested, kMaxPageSize);
}

PageTokens::PageTokens(std::string key) : key_(std::move(key)) {}

std::string PageTokens::Encode(std::string_view scope, std::string_view position) const {
  if (position.empty()) return "";
  return ToBase64Url(Mac(key_, scope, position).append(position));
}

Result<std::string> PageTokens::Decode(std::string_view scope, std::string_view token) const {
  if (token.empty()) return std::string();
  const Error invalid = Error::InvalidField("page_token", "was not issued for this list and filter",
                                            "INVALID_PAGE_TOKEN");
  std::string bytes;
  if (token.size() > kMaxTokenBytes || !FromBase64Url(token, bytes) || bytes.size() <= kMacBytes) {
    return invalid;
  }
  std::string position = bytes.substr(kMacBytes);
  const std::string expected = Mac(key_, scope, position);
  if (CRYPTO_memcmp(expected.data(), bytes.data(), kMacBytes) != 0) return invalid;
  return position;
}

}  // namespace paymesh::rpc
